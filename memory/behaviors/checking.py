"""How raw cells become behaviours, and why a row becomes none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import polars as pl

from memory.behaviors.kind_words import kinds
from memory.behaviors.raw_blocks import RawBlock
from memory.behaviors.schema import KINDS, SOURCES, Kind, Source
from memory.behaviors.times import milliseconds, whole_numbers
from memory.catalog_files.source import BadRow
from memory.text import printable

LONGEST_ID = 200  # characters, as of a catalog's items
_UNPRINTABLE = r"[\p{C}\p{Z}--\x20]"
_EXACT_FLOAT = 2**53  # up to here a float holds every whole number


@dataclass(frozen=True)
class CheckedBlock:
    """The good rows of a block (`COLUMNS`), how many others there were, and why, for the first of them."""

    frame: pl.DataFrame
    rejected: int
    reasons: tuple[BadRow, ...]


@dataclass(frozen=True)
class _Problem:
    """What is wrong with the cells of one role, and in which rows."""

    role: str
    what: str
    rows: pl.Series


def checked(block: RawBlock, kind: Kind, time_format: str | None, most_reasons: int) -> CheckedBlock:
    """Return the behaviours of a block; all are of one `kind` where its log has no column of kinds."""
    raw = block.frame
    values: dict[str, pl.Series] = {}
    problems: list[_Problem] = []
    for role, cells in ((name, raw[name]) for name in raw.columns if name != "line"):
        values[role], found = _checked_cells(role, cells, time_format)
        problems += [problem for problem in found if problem.rows.any()]
    frame = raw.select(
        user=values["user"],
        item=values["item"],
        time=values["time" if "time" in values else "order"],
        kind=values.get("kind", pl.lit(kind.value, KINDS)),
        source=pl.lit(Source.LOG.value, SOURCES),
        session=values.get("session", pl.lit(None, pl.String)),
    )
    if not problems:
        return CheckedBlock(frame, len(block.bad), block.bad[:most_reasons])
    bad = pl.select(pl.any_horizontal(*(problem.rows for problem in problems))).to_series()
    reasons = sorted(
        (*block.bad[:most_reasons], *islice(_reasons(raw, bad, problems), most_reasons)), key=lambda row: row.line
    )
    return CheckedBlock(frame.filter(~bad), len(block.bad) + len(bad.arg_true()), tuple(reasons[:most_reasons]))


def _checked_cells(role: str, cells: pl.Series, time_format: str | None) -> tuple[pl.Series, list[_Problem]]:
    if role == "time":
        return _with_problem(role, milliseconds(cells, time_format), cells, "is no time that can be read")
    if role == "order":
        return _with_problem(role, whole_numbers(cells), cells, "is no whole number")
    if role == "kind":
        return _with_problem(role, kinds(cells), cells, "is no kind of behaviour that is known")
    return _ids(role, cells)


def _with_problem(role: str, values: pl.Series, cells: pl.Series, what: str) -> tuple[pl.Series, list[_Problem]]:
    missing = cells.is_null() if cells.dtype != pl.String else cells.is_null() | (cells == "")
    return values, [_Problem(role, "", missing), _Problem(role, what, values.is_null())]


def _ids(role: str, cells: pl.Series) -> tuple[pl.Series, list[_Problem]]:
    """Return ids as catalogs have them: trimmed, in NFC, without control or invisible characters."""
    texts = _texts(cells).str.strip_chars()
    if (texts.str.len_bytes() != texts.str.len_chars()).any():
        texts = texts.str.normalize("NFC")
    empty = texts.is_null() | (texts == "")
    if role == "session":
        texts = pl.select(pl.when(~empty).then(texts)).to_series()
    wrong = [
        _Problem(role, f"is longer than {LONGEST_ID} characters", texts.str.len_chars() > LONGEST_ID),
        _Problem(role, "has control or invisible characters", texts.str.contains(_UNPRINTABLE)),
    ]
    return texts, wrong if role == "session" else [_Problem(role, "", empty), *wrong]


def _texts(cells: pl.Series) -> pl.Series:
    """Return cells as text; a whole number that came as a float, as pandas writes ids with gaps, has no decimals."""
    if not cells.dtype.is_float():
        return cells.cast(pl.String)
    whole = (cells == cells.floor()) & (cells.abs() <= _EXACT_FLOAT)
    finite = pl.when(cells.is_finite())
    texts = pl.when(whole).then(cells.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(cells.cast(pl.String))
    return pl.select(finite.then(texts)).to_series()


def _reasons(raw: pl.DataFrame, bad: pl.Series, problems: list[_Problem]) -> Iterator[BadRow]:
    for row in bad.arg_true():
        problem = next(problem for problem in problems if problem.rows[row])
        yield BadRow(raw["line"][row], _reason(problem, raw.row(row, named=True)))


def _reason(problem: _Problem, cells: Mapping[str, object]) -> str:
    if not problem.what:
        return f"has no {problem.role}"
    return f"its {problem.role} {problem.what}: '{printable(str(cells[problem.role]), 60)}'"
