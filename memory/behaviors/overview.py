"""What is stored of behaviours, counted; and the last that one user did, with the items' titles."""

import time
from collections.abc import Collection

import polars as pl
from sqlmodel import Session, col, select

from memory.behaviors.schema import COLUMNS, Clock, Source
from memory.behaviors.segments import selected, unexpired
from memory.behaviors.store import behaviors_of, segment_rows
from memory.behaviors.tables import BehaviorImportRow
from memory.record import Record
from memory.tables import ItemRow

_UNKNOWN_SHOWN = 10
_PAGE = 500  # ids asked for in one query


class KindCount(Record):
    """How many behaviours of one kind there are from one source."""

    kind: str
    source: str
    behaviors: int


class Overview(Record):
    """All behaviours, counted; an item is unknown where the catalog does not have it."""

    clock: Clock | None  # None: there are no behaviours
    counts: tuple[KindCount, ...]
    users: int
    items: int
    first: int | None
    last: int | None
    unknown_items: int
    unknown: tuple[str, ...]  # some of them

    @property
    def behaviors(self) -> int:
        """How many behaviours there are."""
        return sum(count.behaviors for count in self.counts)


class Deed(Record):
    """One behaviour of a user; no title where the catalog does not have the item."""

    item: str
    title: str | None
    time: int
    kind: str
    source: str
    session: str | None


def overview(session: Session) -> Overview:
    """Return the counts of all behaviours, read a segment at a time."""
    empty = pl.DataFrame(schema=COLUMNS).lazy()
    counts, users, items = [_counted(empty)], [_distinct(empty, "user")], [_distinct(empty, "item")]
    for row in segment_rows(session, list(Source)):
        counts.append(_counted(selected(row.content)))
        users.append(_distinct(selected(row.content), "user"))
        items.append(_distinct(selected(row.content), "item"))
    by_kind = pl.concat(counts).group_by("kind", "source").agg(pl.col("n").sum(), pl.col("a").min(), pl.col("z").max())
    by_kind = by_kind.sort("source", "kind")
    seen = pl.concat(items).unique()
    unknown = seen.filter(~seen.is_in(_catalog(session).implode())).sort()
    return Overview(
        clock=clock_of(session),
        counts=tuple(KindCount(kind=k, source=s, behaviors=n) for k, s, n, _, _ in by_kind.iter_rows()),
        users=pl.concat(users).n_unique(),
        items=len(seen),
        first=min(by_kind["a"], default=None),
        last=max(by_kind["z"], default=None),
        unknown_items=len(unknown),
        unknown=tuple(unknown.head(_UNKNOWN_SHOWN)),
    )


def last_deeds(session: Session, user: str, most: int, sources: Collection[Source] = tuple(Source)) -> list[Deed]:
    """Return a user's last behaviours, the newest first; none that was imagined and has expired."""
    frame = behaviors_of(session, sources=sources, users=[user], extras=True)
    frame = unexpired(frame, time.time_ns() // 1_000_000)
    rows = frame.sort("time", maintain_order=True).tail(most).reverse().rows(named=True)
    titles = titles_of(session, [row["item"] for row in rows])
    return [
        Deed(
            item=row["item"],
            title=titles.get(row["item"]),
            time=row["time"],
            kind=row["kind"],
            source=row["source"],
            session=row["session"],
        )
        for row in rows
    ]


def clock_of(session: Session) -> Clock | None:
    """Return what the stored behaviours are sorted by; None where there are none."""
    found = session.exec(select(BehaviorImportRow.clock).limit(1)).first()
    return None if found is None else Clock(found)


def _counted(frame: pl.LazyFrame) -> pl.DataFrame:
    time = pl.col("time")
    grouped = frame.group_by("kind", "source").agg(n=pl.len().cast(pl.Int64), a=time.min(), z=time.max())
    return grouped.collect()


def _distinct(frame: pl.LazyFrame, column: str) -> pl.Series:
    return frame.select(pl.col(column).unique()).collect()[column]


def _catalog(session: Session) -> pl.Series:
    return pl.Series("item", session.exec(select(ItemRow.id)).all(), dtype=pl.String)


def titles_of(session: Session, ids: list[str]) -> dict[str, str]:
    """Return the titles of those items that the catalog has."""
    titles: dict[str, str] = {}
    for page in (ids[at : at + _PAGE] for at in range(0, len(ids), _PAGE)):
        titles |= dict(session.exec(select(ItemRow.id, ItemRow.title).where(col(ItemRow.id).in_(page))).all())
    return titles
