"""Writing rows that another transaction may be writing too, where the database has several writers at once."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Table, text
from sqlalchemy.dialects import sqlite
from sqlmodel import Session

from memory.rows import Row

_TURNS = 0x72656173  # the first number of the locks of turns: "reas"


def insert_new(session: Session, table: Table, rows: Sequence[Row]) -> set[tuple[Any, ...]]:
    """Insert rows whose keys nobody has; return the keys of those that were: others had theirs a moment before."""
    keys = [column.name for column in table.primary_key]
    if not _has_several_writers(session):
        session.connection().execute(table.insert(), rows)
        return {tuple(row[name] for name in keys) for row in rows}
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - for those who have one

    # In the order of keys: two that wait for each other's rows would wait for ever.
    ordered = sorted(rows, key=lambda row: tuple(row[name] for name in keys))
    statement = postgresql.insert(table).on_conflict_do_nothing().returning(*table.primary_key)
    return {tuple(row) for row in session.connection().execute(statement, ordered)}


def put(session: Session, table: Table, rows: Sequence[Row], key: Collection[str]) -> None:
    """Insert rows, or change those that have their `key`, whoever put them there."""
    if _has_several_writers(session):
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - for those who have one

        statement: Any = postgresql.insert(table)
    else:
        statement = sqlite.insert(table)
    names = [name for name in rows[0] if name not in key]
    changed = statement.on_conflict_do_update(
        index_elements=[*key], set_={name: statement.excluded[name] for name in names}
    )
    session.connection().execute(changed, rows)


def take_turn(session: Session, name: str) -> None:
    """Wait until nobody else has this turn, and keep it to the end of the transaction."""
    if _has_several_writers(session):
        lock = text("SELECT pg_advisory_xact_lock(CAST(:kind AS int), hashtext(CAST(:name AS text)))")
        session.connection().execute(lock, {"kind": _TURNS, "name": name})


def _has_several_writers(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
