"""The rows of JSON lines: one object a line, its names as columns, its numbers as they are written."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import NoReturn

from memory.catalog_files.source import BadRow, CatalogError, ReadLimits, SourceRow, SourceTable, column_name
from memory.catalog_files.text_lines import Line, text_lines
from memory.text import printable

_ROWS_LOOKED_AT = 50  # to learn the columns


def json_lines_table(path: Path, limits: ReadLimits) -> SourceTable:
    """Return the objects of a .jsonl file; the columns are the names that occur in its first rows."""
    return json_table(json_rows(text_lines(path, limits), limits), path)


def json_table(rows: Iterator[SourceRow | BadRow], path: Path) -> SourceTable:
    """Return rows with the columns that occur in the first of them."""
    first = list(islice(rows, _ROWS_LOOKED_AT))
    if not first:
        raise CatalogError(f"{path} is empty")
    columns = dict.fromkeys(name for row in first if isinstance(row, SourceRow) for name in row.cells)
    if not columns:
        raise CatalogError(f"{path} starts with {len(first)} rows that are no JSON objects: {_problem(first[0])}")
    return SourceTable(tuple(columns), chain(first, rows))


def json_rows(lines: Iterable[Line], limits: ReadLimits) -> Iterator[SourceRow | BadRow]:
    """Yield the row of each line that is not blank."""
    for line in lines:
        if line.text is None:
            yield BadRow(line.number, f"is longer than {limits.row_bytes:,} bytes")
        elif line.text.strip():
            yield _json_row(line.number, line.text, limits.columns)


def _json_row(number: int, text: str, most: int) -> SourceRow | BadRow:
    try:
        cells = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        return BadRow(number, f"is not valid JSON: {printable(str(error))}")
    if not isinstance(cells, dict):
        return BadRow(number, 'is not a JSON object, such as {"id": "1", "title": "..."}')
    if len(cells) > most:
        return BadRow(number, f"has {len(cells):,} columns; at most {most:,} are read")
    names = [column_name(name) for name in cells]
    if len(set(names)) < len(names) or "" in names:
        return BadRow(number, "has two columns of one name, or one without a name")
    return SourceRow(number, dict(zip(names, cells.values(), strict=True)))


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"the name {twice!r} occurs twice")
    return entries


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


# Numbers stay as they are written: an id such as 1e5 or 12345678901234567890 never passes through a float.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=str, parse_int=str, parse_constant=_refuse_constant)


def _problem(row: SourceRow | BadRow) -> str:
    return f"line {row.line} {row.reason}" if isinstance(row, BadRow) else f"line {row.line} is empty"
