"""The rows of a Parquet file, some hundred thousand at a time."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import polars as pl

from memory.behaviors.columns import UnreadableLog
from memory.behaviors.raw_blocks import RawBlock, RawLog
from memory.text import printable

BLOCK_ROWS = 250_000


def parquet_log(path: Path) -> RawLog:
    """Return the columns of a Parquet file and the way to read it; a row's line is its number, from 1.

    The file is opened here and given to polars open: a name is never taken for a pattern or a place on the network.
    """
    try:
        with path.open("rb") as file:
            schema = pl.read_parquet_schema(file)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise _unreadable(path, error) from error

    def blocks(roles: Mapping[str, str]) -> Iterator[RawBlock]:
        for column in roles.values():
            if schema[column].is_nested() or schema[column] in (pl.Binary, pl.Object):
                raise UnreadableLog(f"{path}: the column {printable(column)!r} holds {schema[column]}, not one value")
        try:
            with path.open("rb") as file:
                yield from _slices(file, roles)
        except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            raise _unreadable(path, error) from error

    return RawLog(tuple(schema), blocks)


def _slices(file: BinaryIO, roles: Mapping[str, str]) -> Iterator[RawBlock]:
    log = pl.scan_parquet(file, hive_partitioning=False)
    log = log.select(pl.col(column).alias(role) for role, column in roles.items())
    start = 0
    while rows := len(frame := log.slice(start, BLOCK_ROWS).collect()):
        yield RawBlock(frame.with_columns(line=pl.int_range(start + 1, start + rows + 1, dtype=pl.Int64)))
        start += rows


def _unreadable(path: Path, error: Exception) -> UnreadableLog:
    return UnreadableLog(f"{path} cannot be read as Parquet: {printable(str(error))}")
