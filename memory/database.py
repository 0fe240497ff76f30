"""Where the knowledge base lives: opening it by URL, its transactions, and what can be wrong with it."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Lock, RLock
from typing import Any, Literal, Self, TypeVar

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError
from sqlmodel import Session as Session  # noqa: PLC0414 - those who hand work to `read` find it here

from memory.database_file import DatabaseFile
from memory.errors import ReaseqError

T = TypeVar("T")
Durability = Literal["normal", "full"]

BUSY_SECONDS = 30
BEGIN = "begin_statement"  # the execution option that names how a transaction starts
REVISIONS = Path(__file__).parent / "migrations" / "versions"


class DatabaseUnreadable(ReaseqError):
    """The URL leads to no knowledge base that this version can read and write."""


class DatabaseMissing(DatabaseUnreadable):
    """There is no knowledge base of that name yet."""


class DatabaseBusy(ReaseqError):
    """Another process held the knowledge base for longer than the busy timeout."""


class DatabaseFull(ReaseqError):
    """The disk is full or failed; the transaction was rolled back."""


class Database:
    """An open knowledge base: sessions for reading, transactions for writing; both from any thread."""

    def __init__(self, engine: Engine) -> None:
        self.url = engine.url.render_as_string(hide_password=True)
        self._engine = engine
        # A knowledge base in memory has one connection, so its threads take turns.
        self._turn = RLock() if engine.dialect.name == "sqlite" and _in_memory(engine.url) else None
        self._writer = engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
        self._file = DatabaseFile(Path(engine.url.database or "")) if _is_plain_file(engine.url) else None
        self._glancing = Lock()
        self._glances: Connection | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield a session for reading: one unchanging view of the knowledge base, nothing committed."""
        with self._taking_turns(), _named_errors(self.url), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Yield a session of one write transaction: committed at the end, rolled back on any error.

        It holds the database's write lock from its first statement on, so another writer waits and never fails midway.
        Raises `DatabaseUnreadable` where the file has gone since it was opened.
        """
        if self._file is not None and (loss := self._file.loss()):
            raise DatabaseUnreadable(f"{self.url} {loss} while it was in use; nothing can be stored there any more")
        with self._taking_turns(), _named_errors(self.url), Session(self._writer) as session, session.begin():
            yield session

    def read(self, work: Callable[[Session], T]) -> T:
        """Return what some work finds out in a session for reading: for those who hand it to another thread."""
        with self.session() as session:
            return work(session)

    @contextmanager
    def glance(self) -> Iterator[Connection]:
        """Yield a connection for one query that sees what is committed: kept open, and so much cheaper than a session.

        Fetch all that you want of it inside; what is left open would keep the database from being tidied up.
        """
        with self._taking_turns(), self._glancing, _named_errors(self.url):
            if self._glances is None:
                self._glances = self._engine.connect().execution_options(**_no_transaction(self._engine))
            yield self._glances

    def dispose(self) -> None:
        """Close all connections; an in-memory knowledge base is gone."""
        with self._glancing:
            if self._glances is not None:
                self._glances.close()
                self._glances = None
        self._engine.dispose()

    @contextmanager
    def _taking_turns(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise DatabaseBusy(f"{self.url} was held by another thread for {BUSY_SECONDS} s")
        try:
            yield
        finally:
            self._turn.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.dispose()


def open_database(url: str, *, durability: Durability = "normal") -> Database:
    """Open the knowledge base at a database URL such as `sqlite:///products.db`, creating or migrating its tables.

    With `full` durability a commit survives a loss of power, with `normal` a kill of the process; full waits for the
    disk at each commit. `sqlite://` lives in memory, and its threads take turns. Raises `DatabaseUnreadable` where the
    URL is none, the folder is missing, the file is read-only, damaged, no knowledge base, or of a newer version.
    """
    engine = _engine(_parsed(url), durability)
    try:
        with _named_errors(engine.url.render_as_string(hide_password=True)):
            _bring_to_head(engine)
    except BaseException:
        engine.dispose()
        raise
    return Database(engine)


def open_existing_database(url: str, *, durability: Durability = "normal") -> Database:
    """Open a knowledge base as `open_database` does, but refuse to create a file: a mistyped name is an error."""
    parsed = _parsed(url)
    if _is_plain_file(parsed) and not Path(parsed.database or "").exists():
        raise DatabaseMissing(f"there is no knowledge base at {parsed.database!r} yet: enrich a catalog into it first")
    return open_database(url, durability=durability)


def known_revisions() -> list[str]:
    """Return the revisions of the tables that this code knows, oldest first; the files are named by them."""
    return sorted(path.stem for path in REVISIONS.glob("[0-9]*.py"))


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise DatabaseUnreadable(f"{url!r} is no database URL; write it as sqlite:///products.db") from None
    if _is_plain_file(parsed):
        folder = Path(parsed.database or "").parent
        if not folder.is_dir():
            raise DatabaseUnreadable(f"{parsed.database!r} cannot be opened: the folder {str(folder)!r} does not exist")
    return parsed


def _is_plain_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and not _in_memory(url) and "uri" not in url.query


def _in_memory(url: URL) -> bool:
    return url.database in {None, "", ":memory:"}


def _engine(url: URL, durability: Durability) -> Engine:
    sqlite = url.get_backend_name() == "sqlite"
    options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}} if sqlite else {}
    if sqlite and _in_memory(url):
        options["poolclass"] = StaticPool  # an in-memory database lives as long as its one connection
    try:
        engine = create_engine(url, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseUnreadable(f"no driver for {url.drivername!r} is installed: {error}") from error
    if sqlite:
        event.listen(engine, "connect", partial(_prepare_sqlite, durability))
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(durability: Durability, connection: sqlite3.Connection, _record: object) -> None:
    # The driver begins nothing by itself: `_begin_sqlite` says when and how, for DDL too.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA synchronous = {durability.upper()}")
    _use_write_ahead_log(connection)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite gives up at once where another process is switching too, whatever the busy timeout."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    statement = connection.get_execution_options().get(BEGIN, "BEGIN")
    if statement is not None:
        connection.exec_driver_sql(statement)


def _no_transaction(engine: Engine) -> dict[str, str | None]:
    """Return the options of a connection that lets each statement stand for itself."""
    return {BEGIN: None} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}


def _bring_to_head(engine: Engine) -> None:
    known = known_revisions()
    with engine.connect() as connection:
        if _revision(connection, known) == known[-1]:
            return
    writer = engine.execution_options(**{BEGIN: "BEGIN IMMEDIATE"})
    with writer.connect() as connection, _unenforced_foreign_keys(connection), connection.begin():
        if _revision(connection, known) != known[-1]:  # another process may have been first
            from memory.migrations.upgrade import upgrade  # noqa: PLC0415 - Alembic costs 0.1 s: only when needed

            upgrade(connection)
            _check_foreign_keys(connection)


def _revision(connection: Connection, known: list[str]) -> str | None:
    """Return the stored revision, None for an empty database; refuse what is not ours or not yet known."""
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if tables:
            raise DatabaseUnreadable(f"{_shown(connection)} holds other tables ({tables[0]!r}, …), no knowledge base")
        return None
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one_or_none()
    if revision is not None and revision not in known:
        raise DatabaseUnreadable(
            f"{_shown(connection)} has tables of revision {revision!r}; this version knows them up to {known[-1]!r}: "
            "use the reaseq that wrote it, or a newer one"
        )
    return revision


@contextmanager
def _unenforced_foreign_keys(connection: Connection) -> Iterator[None]:
    """Keep SQLite from cascading deletes while a revision rebuilds a table; to be set before the transaction."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise DatabaseUnreadable(f"{_shown(connection)}: a row of {broken[0]!r} belongs to nothing; left as it was")


def _shown(connection: Connection) -> str:
    return connection.engine.url.render_as_string(hide_password=True)


@contextmanager
def _named_errors(url: str) -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        named = _named(error, url)
        if named is None:
            raise
        raise named from error


def _named(error: DatabaseError, url: str) -> ReaseqError | None:
    """Return what the user can mend; None for a defect of the program, such as a broken constraint."""
    code = getattr(error.orig, "sqlite_errorname", "")
    said = str(error.orig)
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseBusy(f"{url} was held by another process for {BUSY_SECONDS} s; end it, or try again later")
    if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return DatabaseFull(f"{url} cannot be written: {said}; the last transaction was rolled back")
    if code.startswith("SQLITE_READONLY"):
        return DatabaseUnreadable(f"{url} is read-only; copy it to where you may write")
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_CANTOPEN")):
        return DatabaseUnreadable(f"{url} cannot be opened: {said}")
    return None
