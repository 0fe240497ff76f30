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


def parquet_table(path: Path, limits: ReadLimits) -> SourceTable:
    """Return the columns and rows of a Parquet file, read in batches."""
    rows = _parquet_rows(path)
    columns = column_names([str(name) for name in next(rows)])
    return SourceTable(columns, rows_of_cells(columns, enumerate(rows, start=1), limits))


def _parquet_rows(path: Path) -> Iterator[Sequence[object]]:
    """Yield the column names, then the rows."""
    source = glob.escape(str(path))
    try:
        with duckdb.connect(":memory:", config=_DUCKDB_SETTINGS) as connection:
            connection.execute("SELECT * FROM read_parquet(?, hive_partitioning = false)", [source])
            yield [name for name, *_ in connection.description or ()]
            while batch := connection.fetchmany(_ROWS_A_BATCH):
                yield from batch
    except duckdb.Error as error:
        raise CatalogError(f"{path} cannot be read as Parquet: {printable(str(error))}") from error
