"""Inserting very many rows: by COPY into PostgreSQL, by one prepared statement into SQLite."""

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

from sqlalchemy import Column, Dialect, Table
from sqlmodel import Session

from memory.rows import Row

ROWS = 500  # in one statement


def insert_many(session: Session, table: Table, rows: Iterable[Row]) -> int:
    """Insert rows, all with the same columns, and return how many; they are taken as they come, never all at once."""
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        return 0
    columns = [table.columns[name] for name in first]
    if session.get_bind().dialect.name == "postgresql":
        return _copied(session, table, columns, first, waiting)
    number, chunk = 0, [first, *islice(waiting, ROWS - 1)]
    while chunk:
        session.connection().execute(table.insert(), chunk)
        number += len(chunk)
        chunk = list(islice(waiting, ROWS))
    return number


def _copied(session: Session, table: Table, columns: Sequence[Column[Any]], first: Row, others: Iterable[Row]) -> int:
    connection = session.connection()
    names = ", ".join(f'"{column.name}"' for column in columns)
    to_database = [_to_database(column, connection.dialect) for column in columns]
    driver: Any = connection.connection.driver_connection
    number = 0
    with driver.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in chain([first], others):
            copy.write_row([change(row[column.name]) for change, column in zip(to_database, columns, strict=True)])
            number += 1
    return number


def _to_database(column: Column[Any], dialect: Dialect) -> Any:
    """Return what gives a value as the driver takes it."""
    processor = column.type.dialect_impl(dialect).bind_processor(dialect)
    return processor or (lambda value: value)
