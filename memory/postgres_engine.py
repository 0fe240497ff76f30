"""A knowledge base in PostgreSQL: a server with many writers, which may be restarted while it is in use.

Who writes as on SQLite, alone, takes one advisory lock; who writes beside others (`GroupWriter`) shares it, so that
neither ever meets a half of the other's work. What writes beside others is written so that it may.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, DBAPIError, NoSuchModuleError, OperationalError
from sqlmodel import Session

from memory import database_errors
from memory.database_errors import (
    DatabaseBusy,
    DatabaseFull,
    DatabaseInterrupted,
    DatabaseUnreadable,
)
from memory.errors import ReaseqError
from memory.postgres_json import json_text, json_value
from memory.shown_url import shown_url

DRIVER = "postgresql+psycopg"
READING: Mapping[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
WRITING: Mapping[str, Any] = {"isolation_level": "READ COMMITTED", "postgresql_readonly": False}
ALONE: Mapping[str, Any] = {"isolation_level": "AUTOCOMMIT", "postgresql_readonly": False}

CONNECTIONS = 5  # kept open; threads that want more at once get them
MORE_CONNECTIONS = 25
LOOK_SECONDS = 0.1  # between two tries to reach a server
WRITERS = 0x72656173_65710001  # the advisory lock of all who write: "reaseq", 1
NEEDED = 130000  # the version in which a transaction can be asked after
_SESSION = {
    "lock_timeout": "{busy}s",
    "TimeZone": "UTC",
    "jit": "off",  # what is asked here is short: compiling it would take longer
    "tcp_keepalives_idle": "30",  # so that a machine that has gone holds no lock for longer than a minute
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
_LOST = ("08", "57P0", "25P03")  # connection failures, a server that shuts down or starts up, a transaction timed out
_UNDONE = ("40",)  # a deadlock, of which the server chose this side


def engine_for(url: URL, durability: str) -> Engine:
    """Return the engine of a server's database; `DatabaseUnreadable` where the driver is missing, or the name."""
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername=DRIVER)
    if not url.database:
        raise DatabaseUnreadable(f"{_shown(url)} names no database; write it as {DRIVER}://user@host:5432/name")
    try:
        engine = create_engine(
            url,
            pool_pre_ping=True,
            pool_size=CONNECTIONS,
            max_overflow=MORE_CONNECTIONS,
            pool_timeout=database_errors.BUSY_SECONDS,
            json_serializer=json_text,
            json_deserializer=json_value,
            connect_args={"connect_timeout": 10, "client_encoding": "utf8", "application_name": "reaseq"},
        )
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise DatabaseUnreadable(
            f"no driver for {url.drivername!r} is installed ({error}): pip install 'reaseq[postgres]'"
        ) from error
    patience = _Patience()
    event.listen(engine, "do_connect", patience.connected)
    event.listen(engine, "connect", lambda connection, _: _prepare(connection, durability))
    _refuse_unfit(engine)
    patience.seconds = database_errors.BUSY_SECONDS
    return engine


def refuse_missing(url: URL) -> None:
    """Raise nothing: a database that is not there cannot be opened, and one without tables is told by them."""


def begin_writing(session: Session | Connection, *, beside: bool) -> str | None:
    """Take the lock of all who write, alone or `beside` others that do so too; return the transaction's number."""
    lock = "pg_advisory_xact_lock_shared" if beside else "pg_advisory_xact_lock"
    row = session.execute(text(f"SELECT {lock}({WRITERS}), CAST(pg_current_xact_id() AS text)")).one()
    return str(row[1])


def was_committed(engine: Engine, transaction: str) -> bool:
    """Return what came of a transaction whose connection was lost while it was committed; waits for the server.

    Raises `DatabaseBusy` where nobody can say any more.
    """
    asked = text("SELECT pg_xact_status(CAST(CAST(:transaction AS text) AS xid8))")
    while True:
        try:
            with engine.execution_options(**ALONE).connect() as connection:
                status = connection.execute(asked, {"transaction": transaction}).scalar_one()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == "22023":  # a number that the server never came to write down
                return False
            raise
        if status in {"committed", "aborted"}:
            return bool(status == "committed")
        if status is None:
            raise DatabaseBusy(f"{_shown(engine.url)} cannot say whether its last transaction is stored")
        time.sleep(LOOK_SECONDS)  # the server has not noticed yet that the connection was cut


@contextmanager
def migrating(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that no other process writes beside."""
    with engine.execution_options(**WRITING).connect() as connection, connection.begin():
        begin_writing(connection, beside=False)
        yield connection


def named(error: DatabaseError, url: str) -> ReaseqError | None:
    """Return what the user can mend; None for a defect of the program, such as a broken constraint."""
    code = str(getattr(error.orig, "sqlstate", None) or "")
    said = " ".join(str(error.orig).split())
    if code.startswith(_UNDONE):
        return DatabaseInterrupted(f"{url}: two transactions were in each other's way ({said})")
    if error.connection_invalidated or code.startswith(_LOST):
        return DatabaseInterrupted(f"{url}: the connection was cut ({said}); the last transaction was rolled back")
    if not code and isinstance(error, OperationalError):
        return _unreached(said, url)
    return _refusal(code, said, url)


def _refusal(code: str, said: str, url: str) -> ReaseqError | None:
    if code in {"55P03", "57014"}:
        seconds = database_errors.BUSY_SECONDS
        return DatabaseBusy(f"{url} was held by another process for {seconds} s; end it, or try again later ({said})")
    if code in {"53100", "58030"}:
        return DatabaseFull(f"{url} cannot be written: {said}; the last transaction was rolled back")
    if code.startswith("53"):
        return DatabaseBusy(f"{url}: the server is short of something ({said}); try again later")
    if code in {"25006", "42501"}:
        return DatabaseUnreadable(f"{url} is read-only for this user ({said})")
    if code.startswith(("58", "XX")):
        return DatabaseUnreadable(f"{url} cannot be used: {said}")
    return None


def _unreached(said: str, url: str) -> ReaseqError:
    if "waited" in said:
        return DatabaseBusy(f"{url}: {said}")
    hint = "; make it with createdb" if "does not exist" in said and "database" in said else ""
    return DatabaseUnreadable(f"{url} cannot be reached: {said}{hint}")


class _Patience:
    """Whoever wants a connection while the server is being restarted gets one when it is back."""

    def __init__(self) -> None:
        self.seconds = 0.0  # to wait; none before the server was reached a first time

    def connected(self, dialect: Dialect, _record: object, arguments: list[Any], options: dict[str, Any]) -> object:
        deadline = time.monotonic() + self.seconds
        while True:
            try:
                return dialect.connect(*arguments, **options)
            except dialect.loaded_dbapi.OperationalError as error:
                if not self.seconds:
                    raise
                if time.monotonic() > deadline:
                    waited = f"waited {self.seconds:.0f} s for the server to come back: {error}"
                    raise dialect.loaded_dbapi.OperationalError(waited) from error
            time.sleep(LOOK_SECONDS)


def _prepare(connection: Any, durability: str) -> None:
    settings = {name: value.format(busy=database_errors.BUSY_SECONDS) for name, value in _SESSION.items()}
    if durability == "full":
        settings["synchronous_commit"] = "on"  # whatever the server's own setting is
    connection.autocommit = True  # else a rollback would take the settings back
    connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in settings.items()))
    connection.autocommit = False


def _refuse_unfit(engine: Engine) -> None:
    shown = _shown(engine.url)
    try:
        with engine.execution_options(**ALONE).connect() as connection:
            found = connection.execute(
                text("SELECT current_setting('server_version_num')::int, current_setting('server_encoding')")
            ).one()
    except DatabaseError as error:
        engine.dispose()
        raise named(error, shown) or error from error
    version, encoding = found
    if version < NEEDED or encoding != "UTF8":
        engine.dispose()
        raise DatabaseUnreadable(
            f"{shown}: PostgreSQL 13 or newer and UTF8 are needed; this is {version // 10_000}, {encoding}"
        )


def _shown(url: URL) -> str:
    return shown_url(url.render_as_string(hide_password=True))
