"""Finding items by the first letters of their id and of words of their title, in an index beside the knowledge base.

The index is a file of its own in the cache: it may be deleted, it is the same for every database, and a run pays
nothing for it. It is brought up to date before a search, from the items that were stored since.
"""

import hashlib
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from sqlmodel import Session, col, select

from memory.database import Database
from memory.tables import ItemRow

FRESH_SECONDS = 5.0  # that long an index counts as up to date
OVERLAP_SECONDS = 60.0  # of two looks, where several write at once
PAGE = 2_000  # items taken over at a time
MOST = 100  # items of one page of results
DEEPEST = 10_000  # results that are passed over at most
BUSY_SECONDS = 30
_WORD = re.compile(r"[^\W_]+")
_TABLES = """
CREATE TABLE IF NOT EXISTS known (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS seen (at TEXT NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    title, content='', prefix='2 3', tokenize="unicode61 remove_diacritics 2", columnsize=0, detail=none);
"""


class FoundItem(NamedTuple):
    """An item as a list of results shows it."""

    id: str
    title: str


class ItemSearch:
    """The index of one knowledge base; its methods may be called from any thread."""

    def __init__(self, database: Database, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(database.url.encode()).hexdigest()[:16]
        self._database, self._path = database, folder / f"items-{name}.db"
        self._lock = Lock()
        self._looked = float("-inf")

    def find(self, text: str, limit: int = MOST, after: int = 0) -> list[FoundItem]:
        """Return items whose id begins with the text, then those whose title has words that begin like each of its.

        At most `limit` (and `MOST`) of them, the first `after` passed over. Without a text they are all items by id.
        """
        limit, after = min(limit, MOST), min(after, DEEPEST)
        if not text.strip():
            return self._all(limit, after)
        self.refresh()
        with self._open() as index:
            found = dict.fromkeys(_matching(index, text, limit + after))
        return [*found][after : after + limit]

    def _all(self, limit: int, after: int) -> list[FoundItem]:
        """Return items by id, which needs no index: a first page is there while one is made."""
        query = select(ItemRow.id, ItemRow.title).order_by(col(ItemRow.id)).limit(limit).offset(after)
        with self._database.session() as session:
            return [FoundItem(item_id, title) for item_id, title in session.exec(query)]

    def refresh(self, *, now: bool = False) -> None:
        """Take over what was stored since the last look; `now`: also if that was a moment ago."""
        with self._lock:
            if not now and time.monotonic() - self._looked < FRESH_SECONDS:
                return
            with self._open() as index, index:
                self._take_over(index)
            self._looked = time.monotonic()

    def _take_over(self, index: sqlite3.Connection) -> None:
        index.executescript(_TABLES)
        seen = index.execute("SELECT max(at) FROM seen").fetchone()[0]
        since = datetime.fromisoformat(seen) if seen else datetime.min.replace(tzinfo=UTC)
        latest = since
        if seen and self._database.is_shared:  # what was stamped before may have been committed after
            since -= timedelta(seconds=OVERLAP_SECONDS)
        with self._database.session() as session:
            for page in _stored_since(session, since):
                latest = max(latest, *(at for _, _, at in page))
                _keep(index, [(item_id, title) for item_id, title, _ in page])
        if latest > since:
            index.execute("DELETE FROM seen")
            index.execute("INSERT INTO seen VALUES (?)", [latest.isoformat()])

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=BUSY_SECONDS)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # what is lost is made again
            yield connection
        finally:
            connection.close()


def _stored_since(session: Session, since: datetime) -> Iterator[list[tuple[str, str, datetime]]]:
    """Yield items stored at that time or later, a page at a time in order of id."""
    last, first_time = "", since.year == 1
    while True:
        query = select(ItemRow.id, ItemRow.title, ItemRow.updated_at).where(col(ItemRow.id) > last)
        if not first_time:
            query = query.where(col(ItemRow.updated_at) >= since)
        page = list(session.exec(query.order_by(col(ItemRow.id)).limit(PAGE)).all())
        if page:
            yield page
        if len(page) < PAGE:
            return
        last = page[-1][0]


def _keep(index: sqlite3.Connection, items: Iterable[tuple[str, str]]) -> None:
    for item_id, title in items:
        old = index.execute("SELECT number, title FROM known WHERE id = ?", [item_id]).fetchone()
        if old and old[1] == title:
            continue
        if old:
            index.execute("INSERT INTO words (words, rowid, title) VALUES ('delete', ?, ?)", old)
            index.execute("UPDATE known SET title = ? WHERE number = ?", [title, old[0]])
            number = old[0]
        else:
            number = index.execute("INSERT INTO known (id, title) VALUES (?, ?)", [item_id, title]).lastrowid
        index.execute("INSERT INTO words (rowid, title) VALUES (?, ?)", [number, title])


def _matching(index: sqlite3.Connection, text: str, limit: int) -> Iterator[FoundItem]:
    """Yield more than enough items; one may come twice."""
    begins = text.strip()
    rows = index.execute(
        "SELECT id, title FROM known WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        [begins, f"{begins}\U0010ffff", limit],
    )
    yield from map(FoundItem._make, rows)
    words = [f'"{word}"*' for word in _WORD.findall(text)]
    if words:
        rows = index.execute(
            "SELECT id, title FROM known JOIN (SELECT rowid FROM words WHERE words MATCH ? LIMIT ?) AS hit"
            " ON hit.rowid = number",
            [" ".join(words), limit],
        )
        yield from map(FoundItem._make, rows)
