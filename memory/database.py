"""Where the knowledge base lives: opening it by URL, and its transactions."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, RLock
from typing import Any, Literal, Self, TypeVar

from sqlalchemy import URL, Connection, Engine, Executable, Row, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlmodel import Session as Session  # noqa: PLC0414 - those who hand work to `read` find it here

from memory import database_errors, sqlite_engine
from memory.database_dialect import Dialect, dialect_of, named_errors, shown
from memory.database_errors import DatabaseBusy as DatabaseBusy  # noqa: PLC0414 - all about opening, from one place
from memory.database_errors import DatabaseFull as DatabaseFull  # noqa: PLC0414
from memory.database_errors import DatabaseInterrupted as DatabaseInterrupted  # noqa: PLC0414
from memory.database_errors import DatabaseMissing as DatabaseMissing  # noqa: PLC0414
from memory.database_errors import DatabaseUnreadable as DatabaseUnreadable  # noqa: PLC0414
from memory.database_file import DatabaseFile
from memory.database_revision import bring_to_head
from memory.database_revision import known_revisions as known_revisions  # noqa: PLC0414
from memory.shown_url import shown_url

T = TypeVar("T")
Durability = Literal["normal", "full"]

TRIES = 5  # of a transaction that others, or a server that was restarted, undid


class Database:
    """An open knowledge base: sessions for reading, transactions for writing; both from any thread."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self.url = shown(engine.url)
        self.engine, self._dialect = engine, dialect
        is_sqlite = engine.dialect.name == "sqlite"
        self.is_shared = not is_sqlite  # several may write at once
        # A knowledge base in memory has one connection, so its threads take turns.
        self._turn = RLock() if is_sqlite and sqlite_engine.is_in_memory(engine.url) else None
        self._reader = engine.execution_options(**dialect.READING)
        self._writer = engine.execution_options(**dialect.WRITING)
        is_file = is_sqlite and sqlite_engine.is_plain_file(engine.url)
        self._file = DatabaseFile(Path(engine.url.database or "")) if is_file else None
        self._glancing = Lock()
        self._glances: Connection | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield a session for reading: one unchanging view of the knowledge base, nothing committed."""
        with self._taking_turns(), self._named_errors(), Session(self._reader) as session:
            yield session

    @contextmanager
    def writing(self, *, beside: bool = False) -> Iterator[Session]:
        """Yield a session of one write transaction: committed at the end, rolled back on any error.

        It holds the lock of those who write from its first statement on, so another writer waits and never fails
        midway. `beside`: others that say so too may write at the same time, where the database lets them; what is
        written must allow for that. Raises `DatabaseUnreadable` where the file has gone since it was opened.
        """
        if self._file is not None and (loss := self._file.loss()):
            raise DatabaseUnreadable(f"{self.url} {loss} while it was in use; nothing can be stored there any more")
        with self._taking_turns(), self._named_errors(), Session(self._writer) as session:
            transaction = self._dialect.begin_writing(session, beside=beside)
            yield session
            self._commit(session, transaction)

    def read(self, work: Callable[[Session], T]) -> T:
        """Return what some work finds out in a session for reading, once more where the connection was cut meanwhile.

        Also for those who hand it to another thread.
        """
        return self._undisturbed(lambda: self._read(work))

    def write(self, work: Callable[[Session], T], *, beside: bool = False) -> T:
        """Run work in a write transaction, and return its result once that is stored, exactly once.

        It is run again where the server undid the transaction, so it changes nothing but the database. `beside` is
        that of `writing`.
        """
        return self._undisturbed(lambda: self._write(work, beside))

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Yield a connection for one query that sees what is committed: kept open, and so much cheaper than a session.

        Fetch all that you want of it inside; what is left open would keep the database from being tidied up.
        """
        with self._taking_turns(), self._glancing, self._named_errors():
            if self._glances is None:
                self._glances = self.engine.connect().execution_options(**self._dialect.ALONE)
            try:
                yield self._glances
            except Exception:
                self._forget_glances()
                raise

    def first(self, query: Executable, parameters: Mapping[str, object]) -> Row[*tuple[Any, ...]] | None:
        """Return the first row that a query finds of what is committed, by a glance; None where it finds none."""
        return self._undisturbed(lambda: self._first(query, parameters))

    def dispose(self) -> None:
        """Close all connections; an in-memory knowledge base is gone."""
        with self._glancing:
            if self._glances is not None:
                self._glances.close()
                self._glances = None
        self.engine.dispose()

    def _read(self, work: Callable[[Session], T]) -> T:
        with self.session() as session:
            return work(session)

    def _write(self, work: Callable[[Session], T], beside: bool) -> T:
        with self.writing(beside=beside) as session:
            return work(session)

    def _first(self, query: Executable, parameters: Mapping[str, object]) -> Row[*tuple[Any, ...]] | None:
        with self.glance() as connection:
            return connection.execute(query, parameters).first()

    def _undisturbed(self, work: Callable[[], T]) -> T:
        for tries in range(1, TRIES):
            try:
                return work()
            except DatabaseInterrupted:
                time.sleep(0.01 * 2**tries)
        return work()

    def _commit(self, session: Session, transaction: str | None) -> None:
        """Commit; where the answer to that was lost, find out what came of it."""
        try:
            session.commit()
        except DatabaseError as error:
            cut_off = transaction is not None and isinstance(self._dialect.named(error, ""), DatabaseInterrupted)
            if not cut_off or not self._dialect.was_committed(self.engine, transaction or ""):
                raise

    def _forget_glances(self) -> None:
        """Drop a connection that may be broken; one in memory cannot be."""
        if self.is_shared and self._glances is not None:
            self._glances.invalidate()
            self._glances.close()
            self._glances = None

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        seconds = database_errors.BUSY_SECONDS
        if not self._turn.acquire(timeout=seconds):
            raise DatabaseBusy(f"{self.url} was held by another thread for {seconds} s")
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        with named_errors(self._dialect, self.url):
            yield

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dispose()


def open_database(url: str, *, durability: Durability = "normal") -> Database:
    """Open the knowledge base at a database URL such as `sqlite:///products.db`, creating or migrating its tables.

    With `full` durability a commit survives a loss of power, with `normal` a kill of the process; full waits for the
    disk at each commit. `sqlite://` lives in memory, and its threads take turns. In
    `postgresql+psycopg://user@host:5432/name` a commit is as durable as the server is set to make it. Raises
    `DatabaseUnreadable` where the URL is none, the folder is missing, the file is read-only, damaged, no knowledge
    base, or of a newer version, and where the server cannot be reached or does not let this user in.
    """
    return _opened(_parsed(url), durability, create=True)


def open_existing_database(url: str, *, durability: Durability = "normal") -> Database:
    """Open a knowledge base as `open_database` does, but refuse to make one: a mistyped name is an error."""
    return _opened(_parsed(url), durability, create=False)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise DatabaseUnreadable(f"{shown_url(url)!r} is no database URL; write it as sqlite:///products.db") from None


def _opened(url: URL, durability: Durability, *, create: bool) -> Database:
    dialect = dialect_of(url)
    if not create:
        dialect.refuse_missing(url)
    engine = dialect.engine_for(url, durability)
    try:
        with named_errors(dialect, shown(engine.url)):
            bring_to_head(engine, dialect, create=create)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine, dialect)
