"""What every catalog format is read into: named columns, numbered rows, and the errors and limits of reading."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from memory.errors import ReaseqError
from memory.text import plain_text

LONGEST_NAME = 200  # characters of a column's name


class CatalogError(ReaseqError):
    """A catalog that cannot be read at all; the text names the file and says what to do."""


@dataclass(frozen=True)
class ReadLimits:
    """How much one catalog may ask of the machine; generous, and there to stop bombs."""

    expanded_bytes: int = 2 << 30  # of a .gz or .xlsx, unpacked
    row_bytes: int = 64 << 20
    columns: int = 10_000


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row as the file has it: column name -> text, number, list ...; `line` is its first line, or row, from 1."""

    line: int
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class SourceTable:
    """A catalog being read: unique column names, and the rows as they come."""

    columns: tuple[str, ...]
    rows: Iterator[SourceRow | BadRow]


def column_name(raw: str) -> str:
    """Return a column's name as items carry it: plain text on one line of at most 200 characters."""
    return " ".join(plain_text(raw[: 4 * LONGEST_NAME]).split())[:LONGEST_NAME].strip()


def column_names(raw: Sequence[str]) -> tuple[str, ...]:
    """Return unique names for a header's cells: an empty one is "column 3", a repeated one "Name (2)"."""
    names: dict[str, None] = {}
    numbers: dict[str, int] = {}
    for position, cell in enumerate(raw, start=1):
        names[_unused(column_name(cell) or f"column {position}", names, numbers)] = None
    return tuple(names)


def rows_of_cells(
    columns: Sequence[str], numbered: Iterable[tuple[int, Sequence[object]]], limits: ReadLimits
) -> Iterator[SourceRow | BadRow]:
    """Yield rows of a format that has cells of its own; empty rows are skipped.

    Bad are rows with cells beyond the columns, and those longer than the limit: a packed file of kilobytes can hold
    cells of gigabytes.
    """
    for line, cells in numbered:
        filled = max((position for position, cell in enumerate(cells, start=1) if cell not in (None, "")), default=0)
        if filled > len(columns):
            yield BadRow(line, f"has a cell in column {filled}, but the header has {len(columns)} columns")
        elif sum(len(cell) for cell in cells if isinstance(cell, str | bytes)) > limits.row_bytes:
            yield BadRow(line, f"is longer than {limits.row_bytes:,} bytes")
        elif filled:
            yield SourceRow(line, dict(zip(columns, cells, strict=False)))


def _unused(name: str, taken: Mapping[str, None], numbers: dict[str, int]) -> str:
    """Return the name or the next of its numbered variants; `numbers` remembers how far each has come."""
    number, candidate = numbers.get(name, 1), name
    while candidate in taken:
        number += 1
        suffix = f" ({number})"
        candidate = name[: LONGEST_NAME - len(suffix)] + suffix
    numbers[name] = number
    return candidate
