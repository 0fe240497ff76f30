"""A knowledge base in SQLite: a file with one writer at a time, or memory."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.exc import DatabaseError, NoSuchModuleError
from sqlmodel import Session

from memory import database_errors
from memory.database_errors import DatabaseBusy, DatabaseFull, DatabaseMissing, DatabaseUnreadable
from memory.errors import ReaseqError

BEGIN = "begin_statement"  # the execution option that names how a transaction starts
READING: Mapping[str, Any] = {}
WRITING: Mapping[str, Any] = {BEGIN: "BEGIN IMMEDIATE"}
ALONE: Mapping[str, Any] = {BEGIN: None}  # each statement stands for itself


def engine_for(url: URL, durability: str) -> Engine:
    """Return the engine of a file or of memory; raises `DatabaseUnreadable` where the folder is missing."""
    options: dict[str, Any] = {"connect_args": {"timeout": database_errors.BUSY_SECONDS, "check_same_thread": False}}
    if is_in_memory(url):
        options["poolclass"] = StaticPool  # an in-memory database lives as long as its one connection
    elif is_plain_file(url):
        folder = Path(url.database or "").parent
        if not folder.is_dir():
            raise DatabaseUnreadable(f"{url.database!r} cannot be opened: the folder {str(folder)!r} does not exist")
    try:
        engine = create_engine(url, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseUnreadable(f"no driver for {url.drivername!r} is installed: {error}") from error
    event.listen(engine, "connect", partial(_prepare, durability))
    event.listen(engine, "begin", _begin)
    return engine


def is_plain_file(url: URL) -> bool:
    """Return whether the database is a file of that very name."""
    return not is_in_memory(url) and "uri" not in url.query


def is_in_memory(url: URL) -> bool:
    """Return whether the database is in memory."""
    return url.database in {None, "", ":memory:"}


def refuse_missing(url: URL) -> None:
    """Raise `DatabaseMissing` where there is no file."""
    if is_plain_file(url) and not Path(url.database or "").exists():
        raise DatabaseMissing(f"there is no knowledge base at {url.database!r} yet: enrich a catalog into it first")


def begin_writing(session: Session, *, beside: bool) -> str | None:
    """Do nothing: the transaction began with the write lock, and its commit tells for certain what came of it."""
    return None


def was_committed(_engine: Engine, _transaction: str) -> bool:
    """Never asked."""
    return False


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that no other process can write beside; foreign keys are checked at its end.

    They are not enforced meanwhile: SQLite would cascade deletes while a revision rebuilds a table.
    """
    writer = engine.execution_options(**WRITING)
    with writer.connect() as connection, _unenforced_foreign_keys(connection), connection.begin():
        yield connection
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            shown = engine.url.render_as_string(hide_password=True)
            raise DatabaseUnreadable(f"{shown}: a row of {broken[0]!r} belongs to nothing; left as it was")


def named(error: DatabaseError, url: str) -> ReaseqError | None:
    """Return what the user can mend; None for a defect of the program, such as a broken constraint."""
    code = getattr(error.orig, "sqlite_errorname", "")
    said = str(error.orig)
    if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        seconds = database_errors.BUSY_SECONDS
        return DatabaseBusy(f"{url} was held by another process for {seconds} s; end it, or try again later")
    if code.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return DatabaseFull(f"{url} cannot be written: {said}; the last transaction was rolled back")
    if code.startswith("SQLITE_READONLY"):
        return DatabaseUnreadable(f"{url} is read-only; copy it to where you may write")
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_CANTOPEN")):
        return DatabaseUnreadable(f"{url} cannot be opened: {said}")
    return None


def _prepare(durability: str, connection: sqlite3.Connection, _record: object) -> None:
    # The driver begins nothing by itself: `_begin` says when and how, for DDL too.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA synchronous = {durability.upper()}")
    _use_write_ahead_log(connection)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to WAL; SQLite gives up at once where another process is switching too, whatever the busy timeout."""
    deadline = time.monotonic() + database_errors.BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin(connection: Connection) -> None:
    statement = connection.get_execution_options().get(BEGIN, "BEGIN")
    if statement is not None:
        connection.exec_driver_sql(statement)


@contextmanager
def _unenforced_foreign_keys(connection: Connection) -> Iterator[None]:
    """Switch enforcement off; to be done before the transaction."""
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")
