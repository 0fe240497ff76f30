"""What differs from database to database, and which of them a URL names."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlmodel import Session

from memory import sqlite_engine
from memory.database_errors import DatabaseBusy, DatabaseUnreadable
from memory.errors import ReaseqError
from memory.shown_url import shown_url


class Dialect(Protocol):
    """What differs from database to database: a module each."""

    READING: Mapping[str, Any]  # execution options of sessions
    WRITING: Mapping[str, Any]
    ALONE: Mapping[str, Any]

    def engine_for(self, url: URL, durability: str) -> Engine:
        """Return an engine; raises `DatabaseUnreadable`."""

    def refuse_missing(self, url: URL) -> None:
        """Raise `DatabaseMissing` where it can be told from the URL."""

    def begin_writing(self, session: Session, *, beside: bool) -> str | None:
        """Take the lock of those who write; return what the transaction is asked after by."""

    def was_committed(self, _engine: Engine, _transaction: str) -> bool:
        """Return what came of a transaction whose commit was cut off."""

    def migrating(self, engine: Engine) -> AbstractContextManager[Connection]:
        """Yield a connection in a transaction that nobody writes beside."""

    def named(self, error: DatabaseError, url: str) -> ReaseqError | None:
        """Return what the user can mend."""


def dialect_of(url: URL) -> Dialect:
    """Return what a URL's database is like; raises `DatabaseUnreadable` for one that reaseq does not know."""
    name = url.drivername.partition("+")[0]
    if name == "sqlite":
        return sqlite_engine
    if name in {"postgres", "postgresql"}:
        from memory import postgres_engine  # noqa: PLC0415 - its driver is an extra, and takes a moment to import

        return postgres_engine
    raise DatabaseUnreadable(f"{url.drivername!r} is no database that reaseq knows: sqlite, postgresql+psycopg")


def shown(url: URL) -> str:
    """Return a URL without its secrets."""
    return shown_url(url.render_as_string(hide_password=True))


@contextmanager
def named_errors(dialect: Dialect, url: str) -> Iterator[None]:
    """Raise what the user can mend under its name."""
    try:
        yield
    except NoConnectionLeft as error:
        raise DatabaseBusy(f"{url}: all connections are in use ({error})") from error
    except DatabaseError as error:
        named = dialect.named(error, url)
        if named is None:
            raise
        raise named from error
