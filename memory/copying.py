"""A whole knowledge base copied into an empty one, of another database or the same kind, and verified row by row.

The copy is one transaction that is stored only when every row has been read back and found equal: whatever interrupts
it leaves the target as empty as it was.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row as StoredRow
from sqlalchemy import Table, select, text
from sqlalchemy.exc import DataError
from sqlmodel import Session

from memory.all_tables import TABLES
from memory.bulk_insert import insert_many
from memory.database import Database
from memory.errors import ReaseqError
from memory.record import Record
from memory.rows import Row

AT_ONCE = 500  # rows in memory
OF_SEGMENTS = 4  # of which each may be megabytes
EVERY = 10_000  # rows between two words of progress

Tell = Callable[[str, int], None]  # told how many rows of a table are copied


class CopyRefused(ReaseqError):
    """The target holds something already, or cannot hold what the source does."""


class CopiedTable(Record):
    """What was copied of one table, the same on both sides."""

    table: str
    rows: int
    digest: str  # of all rows in order of their keys, BLAKE2b, hexadecimal


def copy_knowledge(source: Database, target: Database, tell: Tell | None = None) -> list[CopiedTable]:
    """Copy all rows of all tables, and return what was copied; raises `CopyRefused`, and then nothing is stored."""
    with source.session() as reading, target.writing() as writing:
        for table in TABLES.sorted_tables:
            if _holds_something(writing, table):
                raise CopyRefused(f"{target.url} holds something already ({table.name}): copy into an empty one")
        copied = [_copied(reading, writing, table, tell) for table in TABLES.sorted_tables]
        for told in copied:
            _verify(writing, TABLES.tables[told.table], told, target.url)
        _set_sequences(writing)
    return copied


def canonical(values: Iterable[object]) -> bytes:
    """Return a row's values so that equal rows of two databases give the same bytes."""
    return json.dumps([_plain(value) for value in values], sort_keys=True).encode("ascii") + b"\n"


def _copied(reading: Session, writing: Session, table: Table, tell: Tell | None) -> CopiedTable:
    digest = hashlib.blake2b(digest_size=16)

    def rows() -> Iterator[Row]:
        for number, row in enumerate(_rows(reading, table)):
            digest.update(canonical(row))
            if tell and number % EVERY == 0:
                tell(table.name, number)
            yield dict(row._mapping)

    try:
        number = insert_many(writing, table, rows())
    except (DataError, UnicodeError) as error:
        raise CopyRefused(f"a row of {table.name} cannot be stored there: {error}") from error
    return CopiedTable(table=table.name, rows=number, digest=digest.hexdigest())


def _verify(writing: Session, table: Table, told: CopiedTable, target: str) -> None:
    digest, number = hashlib.blake2b(digest_size=16), 0
    for row in _rows(writing, table):
        digest.update(canonical(row))
        number += 1
    if (number, digest.hexdigest()) != (told.rows, told.digest):
        raise CopyRefused(f"{table.name} in {target} is not what was copied ({told.rows} rows): nothing is stored")


def _rows(session: Session, table: Table) -> Iterator[StoredRow[*tuple[Any, ...]]]:
    """Yield a table's rows in order of their keys, a few at a time in memory."""
    at_once = OF_SEGMENTS if table.name == "behavior_segment" else AT_ONCE
    query = select(table).order_by(*table.primary_key).execution_options(yield_per=at_once)
    yield from session.connection().execute(query)


def _holds_something(session: Session, table: Table) -> bool:
    return session.connection().execute(select(*table.primary_key).limit(1)).first() is not None


def _set_sequences(session: Session) -> None:
    """Let PostgreSQL number what comes next after what was copied; SQLite does so by itself."""
    if session.get_bind().dialect.name != "postgresql":
        return
    for table in TABLES.sorted_tables:
        column = table.autoincrement_column
        if column is not None and not column.foreign_keys:
            next_number = text(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), max({column.name}))"  # noqa: S608 - our own names
                f' FROM "{table.name}" HAVING max({column.name}) IS NOT NULL'
            )
            session.connection().execute(next_number)


def _plain(value: object) -> object:
    """Return a value as JSON has it; databases differ in zones, in zeros and in the order of keys."""
    match value:
        case float():
            return value + 0.0  # there is one zero
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case bool() | int() | str() | None:
            return value
    return _word(value)


def _word(value: object) -> str:
    match value:
        case bytes() | memoryview():
            return hashlib.blake2b(value, digest_size=16).hexdigest()
        case datetime():
            return value.astimezone(UTC).isoformat()
    return str(value)
