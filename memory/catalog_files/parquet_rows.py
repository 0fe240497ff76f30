"""The rows of a Parquet file, read in batches by DuckDB without network or extensions."""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from memory.catalog_files.source import CatalogError, ReadLimits, SourceTable, column_names, rows_of_cells
from memory.text import printable

_ROWS_A_BATCH = 500
_DUCKDB_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "1GB",
    "autoinstall_known_extensions": False,  # no network, whatever the file says
    "autoload_known_extensions": False,
}
_WHOLE = "SELECT * FROM read_parquet(?, hive_partitioning = false)"
_PART = """
SELECT * FROM read_parquet(?, hive_partitioning = false, file_row_number = true)
WHERE file_row_number >= ? AND file_row_number < ? ORDER BY file_row_number
"""


def parquet_table(path: Path, limits: ReadLimits) -> SourceTable:
    """Return the columns and rows of a Parquet file, read in batches."""
    rows = _parquet_rows(path)
    columns = column_names([str(name) for name in next(rows)])
    return SourceTable(columns, rows_of_cells(columns, enumerate(rows, start=1), limits))


def parquet_part(path: Path, start: int, end: int, limits: ReadLimits) -> SourceTable:
    """Return the columns of a Parquet file and its rows from `start` to before `end`, counted from 0."""
    rows = _parquet_rows(path, _PART, [start, end])
    *names, _ = next(rows)
    columns = column_names([str(name) for name in names])
    return SourceTable(columns, rows_of_cells(columns, ((int(str(row[-1])) + 1, row[:-1]) for row in rows), limits))


def parquet_size(path: Path) -> int:
    """Return how many rows a Parquet file has, by what it says itself."""
    rows = _parquet_rows(path, "SELECT sum(num_rows) AS rows FROM parquet_file_metadata(?)", [])
    next(rows)
    return int(str(next(rows)[0]))


def _parquet_rows(path: Path, query: str = _WHOLE, values: Sequence[int] = ()) -> Iterator[Sequence[object]]:
    """Yield the column names, then the rows."""
    source = glob.escape(str(path))
    try:
        with duckdb.connect(":memory:", config=_DUCKDB_SETTINGS) as connection:
            connection.execute(query, [source, *values])
            yield [name for name, *_ in connection.description or ()]
            while batch := connection.fetchmany(_ROWS_A_BATCH):
                yield from batch
    except duckdb.Error as error:
        raise CatalogError(f"{path} cannot be read as Parquet: {printable(str(error))}") from error
