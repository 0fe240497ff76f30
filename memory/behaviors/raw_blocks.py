"""What every format of a log is read into: column names, and blocks of raw cells under the names of their roles."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from memory.catalog_files.source import BadRow


@dataclass(frozen=True)
class RawBlock:
    """Some rows of a log: `frame` has "line" and one column a role, `bad` the lines that are no rows."""

    frame: pl.DataFrame
    bad: tuple[BadRow, ...] = ()


@dataclass(frozen=True)
class RawLog:
    """A log before it is read: its columns, and how to read those that have a role (role -> column)."""

    columns: tuple[str, ...]
    blocks: Callable[[Mapping[str, str]], Iterator[RawBlock]]
