"""Logs of behaviours in files: one behaviour a good row, one reason a bad one, in the order of the file."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from memory.behaviors.checking import CheckedBlock, checked
from memory.behaviors.columns import ColumnRoles, UnreadableLog, column_roles
from memory.behaviors.delimited_log import delimited_log
from memory.behaviors.parquet_log import parquet_log
from memory.behaviors.raw_blocks import RawLog
from memory.behaviors.schema import COLUMNS, Clock, Kind
from memory.catalog_files.source import BadRow, ReadLimits

MOST_REASONS = 100  # rejected rows whose reason is kept; all of them are counted
_DELIMITED = (".csv", ".tsv", ".inter")


@dataclass(frozen=True)
class BehaviorFile:
    """All of a log: its behaviours, how many rows are none, and why, for the first of those."""

    frame: pl.DataFrame
    rejected_rows: int
    rejected: tuple[BadRow, ...]
    roles: ColumnRoles


@dataclass(frozen=True)
class BehaviorLog:
    """A log that is read a block at a time."""

    path: Path
    roles: ColumnRoles
    kind: Kind
    time_format: str | None
    raw: RawLog

    @property
    def clock(self) -> Clock:
        """What the log is sorted by."""
        return Clock.TIME if self.roles.time else Clock.ORDER

    @property
    def content_hash(self) -> str:
        """What the file holds and how it is read; another hash, another import."""
        how = (self.roles.present(), self.kind if self.roles.kind is None else "", self.time_format)
        with self.path.open("rb") as file:
            digest = hashlib.file_digest(file, "blake2b")
        digest.update(repr(how).encode())
        return digest.hexdigest()[:64]

    def blocks(self) -> Iterator[CheckedBlock]:
        """Yield the behaviours, some hundred thousand rows at a time; `UnreadableLog` also in mid-file."""
        for block in self.raw.blocks(self.roles.present()):
            yield checked(block, self.kind, self.time_format, MOST_REASONS)


def open_log(
    path: Path,
    columns: Mapping[str, str] | None = None,
    kind: Kind = Kind.CLICK,
    *,
    time_format: str | None = None,
    limits: ReadLimits | None = None,
) -> BehaviorLog:
    """Return a .csv, .tsv, .inter (also .gz) or .parquet file, ready to be read.

    `columns` maps "user", "item", "time" or "order", "kind", "session" to the file's columns; the others are guessed by
    name. Where all it maps to are numbers, the file has no line of column names. `kind` is that of all rows where no
    column tells it. `UnreadableLog` for a file that cannot be read.
    """
    chosen = dict(columns or {})
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    if suffixes[-1:] == [".parquet"]:
        raw = parquet_log(path)
    elif suffixes and suffixes[-1] in _DELIMITED:
        numbered = bool(chosen) and all(column.isdecimal() for column in chosen.values())
        raw = delimited_log(path, limits or ReadLimits(), numbered=numbered)
    else:
        raise UnreadableLog(f"{path} is no log that can be read: .csv, .tsv, .inter (also .gz) or .parquet")
    try:
        return BehaviorLog(path, column_roles(raw.columns, chosen), kind, time_format, raw)
    except UnreadableLog as error:
        raise UnreadableLog(f"{path}: {error}") from error


def read_behaviors(
    path: Path, columns: Mapping[str, str] | None = None, kind: Kind = Kind.CLICK, *, as_of: int | None = None
) -> BehaviorFile:
    """Return all behaviours of a file at once, as `open_log` reads it; none that happened at `as_of` or later."""
    log = open_log(path, columns, kind)
    frames, rejected, reasons = [pl.DataFrame(schema=COLUMNS)], 0, list[BadRow]()
    for block in log.blocks():
        frames.append(block.frame if as_of is None else block.frame.filter(pl.col("time") < as_of))
        rejected += block.rejected
        reasons += block.reasons[: MOST_REASONS - len(reasons)]
    return BehaviorFile(pl.concat(frames), rejected, tuple(reasons), log.roles)


def shown_name(path: Path) -> str:
    """Return a file's name as text, whatever bytes it has."""
    return os.fsencode(path).decode("utf-8", "replace")
