"""The file formats a catalog can be in, and which one a file is."""

from collections.abc import Callable
from pathlib import Path

from memory.catalog_files.delimited_rows import delimited_table
from memory.catalog_files.json_rows import json_lines_table
from memory.catalog_files.source import CatalogError, ReadLimits, SourceTable


def source_table(path: Path, limits: ReadLimits) -> SourceTable:
    """Return the columns and rows of the catalog at `path`; its suffix says the format.

    `CatalogError` for a file that is missing, empty, damaged, of no known format, or beyond the limits.
    """
    name = path.name.lower()
    read = next((reader for suffix, reader in _FORMATS.items() if name.endswith(suffix)), None)
    if read is None:
        raise CatalogError(f"{path} is of no known format; a catalog ends in {', '.join(_FORMATS)}")
    if not path.is_file():
        raise CatalogError(f"{path} is a folder, not a file" if path.is_dir() else f"there is no file {path}")
    if path.stat().st_size == 0:
        raise CatalogError(f"{path} is empty")
    table = read(path, limits)
    if len(table.columns) > limits.columns:
        raise CatalogError(f"{path} has {len(table.columns):,} columns; at most {limits.columns:,} are read")
    return table


def _parquet_table(path: Path, limits: ReadLimits) -> SourceTable:
    from memory.catalog_files.parquet_rows import parquet_table  # noqa: PLC0415 - DuckDB takes time to import

    return parquet_table(path, limits)


def _spreadsheet_table(path: Path, limits: ReadLimits) -> SourceTable:
    from memory.catalog_files.spreadsheet_rows import spreadsheet_table  # noqa: PLC0415 - openpyxl takes time to import

    return spreadsheet_table(path, limits)


_FORMATS: dict[str, Callable[[Path, ReadLimits], SourceTable]] = {
    ".csv": delimited_table,
    ".tsv": delimited_table,
    ".csv.gz": delimited_table,
    ".tsv.gz": delimited_table,
    ".jsonl": json_lines_table,
    ".jsonl.gz": json_lines_table,
    ".parquet": _parquet_table,
    ".xlsx": _spreadsheet_table,
}
