"""The rows of delimited text (CSV, TSV), read so that one broken row never takes others with it."""

import re
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from memory.catalog_files.source import BadRow, CatalogError, ReadLimits, SourceRow, SourceTable, column_names
from memory.catalog_files.text_lines import Line, text_lines

_DELIMITERS = (",", ";", "\t", "|")
_SPREADSHEET_HINT = re.compile(r"sep=(.)", re.IGNORECASE)  # a first line that spreadsheet programs understand
_QUOTED_CONTENT = re.compile(r'(?:[^"]++|"")*+')


def delimited_table(path: Path, limits: ReadLimits) -> SourceTable:
    """Return the header and the rows of a .csv or .tsv file, gzipped or not.

    The delimiter is the one of `, ; TAB |` that splits the header into most cells. Cells are quoted as in RFC 4180. A
    row that breaks these rules, and an opening quote that never closes, costs its own first line: reading goes on
    with the next. Blank lines are passed over.
    """
    _, table = delimited_lines(text_lines(path, limits), path, limits)
    return table


def delimited_lines(fresh: Iterator[Line], path: Path, limits: ReadLimits) -> tuple[str, SourceTable]:
    """Return the delimiter of a file's lines, its header and its rows."""
    lines = _Lines(fresh, limits.row_bytes)
    first = lines.next_filled()
    hint = _SPREADSHEET_HINT.fullmatch(first.text or "") if first else None
    first = lines.next_filled() if hint else first
    if first is None:
        raise CatalogError(f"{path} is empty: a catalog starts with a line of column names")
    try:
        delimiter = hint[1] if hint else _delimiter(first, lines)
        columns = column_names(lines.record(first, delimiter, limits.columns))
    except _MalformedError as error:
        raise CatalogError(f"{path}, line {first.number}: the line of column names {error}") from error
    return delimiter, SourceTable(columns, _rows(lines, delimiter, columns))


def delimited_rows(
    fresh: Iterator[Line], delimiter: str, columns: tuple[str, ...], limits: ReadLimits
) -> Iterator[SourceRow | BadRow]:
    """Yield the rows of lines without a header; the last record ends with them."""
    return _rows(_Lines(fresh, limits.row_bytes), delimiter, columns)


class _MalformedError(ValueError):
    """A row that breaks the rules of quoting or has not one cell a column."""


@dataclass
class _Lines:
    """Physical lines, of which some can be given back to be read again."""

    fresh: Iterator[Line]
    row_bytes: int
    returned: deque[Line] = field(default_factory=deque)

    def next_filled(self) -> Line | None:
        """Return the next line that is not blank."""
        while (line := self._next()) is not None:
            if line.text is None or line.text.strip():
                return line
        return None

    def record(self, first: Line, delimiter: str, most: int, least: int = 1) -> list[str]:
        """Return the cells of the record that `first` starts; where it is malformed, only `first` is used up."""
        taken: list[Line] = []
        try:
            if first.text is None:
                raise _MalformedError(f"is longer than {self.row_bytes:,} bytes")
            cells = _cells(first.text, self._continuation(taken, len(first.text)), delimiter, most)
            if len(cells) < least:
                raise _MalformedError(f"has {_counted(len(cells))}, but the header has {_counted(least)}")
        except _MalformedError:
            self.returned.extendleft(reversed(taken))
            raise
        return cells

    def header_size(self, first: Line, delimiter: str) -> int:
        """Return how many cells the record would have, 0 if none can be made; no line is used up."""
        taken: list[Line] = []
        try:
            return len(_cells(first.text or "", self._continuation(taken, 0), delimiter, sys.maxsize))
        except _MalformedError:
            return 0
        finally:
            self.returned.extendleft(reversed(taken))

    def _next(self) -> Line | None:
        return self.returned.popleft() if self.returned else next(self.fresh, None)

    def _continuation(self, taken: list[Line], length: int) -> Iterator[str]:
        while (line := self._next()) is not None:
            taken.append(line)
            length += len(line.text or "") + 1
            if line.text is None or length > self.row_bytes:
                break
            yield line.text
        raise _MalformedError("opens a quote that is never closed")


def _delimiter(first: Line, lines: _Lines) -> str:
    """Return the delimiter that splits the header into most cells; no line is used up."""
    return max(_DELIMITERS, key=lambda delimiter: lines.header_size(first, delimiter))


def _rows(lines: _Lines, delimiter: str, columns: tuple[str, ...]) -> Iterator[SourceRow | BadRow]:
    while (first := lines.next_filled()) is not None:
        try:
            cells = lines.record(first, delimiter, most=len(columns), least=len(columns))
        except _MalformedError as error:
            yield BadRow(first.number, str(error))
        else:
            yield SourceRow(first.number, dict(zip(columns, cells, strict=True)))


def _cells(text: str, continuation: Iterator[str], delimiter: str, most: int) -> list[str]:
    """Return the cells of a record; lines are taken from `continuation` while a quote is open."""
    cells: list[str] = []
    position = 0
    while len(cells) < most:
        if text.startswith('"', position):
            cell, text, position = _quoted(text, position + 1, continuation, delimiter)
        else:
            end = text.find(delimiter, position)
            end = len(text) if end < 0 else end
            cell, position = text[position:end], end
        cells.append(cell)
        if position == len(text):
            return cells
        position += 1
    raise _MalformedError(f"has more than {_counted(most)}, one for each column")


def _quoted(text: str, start: int, continuation: Iterator[str], delimiter: str) -> tuple[str, str, int]:
    """Return a quoted cell, the line in which it ends, and the position after its closing quote."""
    parts: list[str] = []
    while True:
        content = _QUOTED_CONTENT.match(text, start)
        parts.append(content[0] if content else "")
        end = content.end() if content else start
        if end < len(text):
            break
        text, start = next(continuation), 0
        parts.append("\n")
    if end + 1 < len(text) and text[end + 1] != delimiter:
        raise _MalformedError("has a quote inside a quoted cell: it has to be doubled")
    return "".join(parts).replace('""', '"'), text, end + 1


def _counted(cells: int) -> str:
    return f"{cells} cell" if cells == 1 else f"{cells} cells"
