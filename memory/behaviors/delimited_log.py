"""The rows of delimited text (CSV, TSV, RecBole's .inter), a block at a time.

A log's row is one line, so that one broken row never takes others with it. A block is parsed by polars with one cell
more at the end of each line: where that cell does not come back as the last one of every line, something is wrong
with a row; it is looked for in halves of the block, and the lines around it are read one by one.
"""

import codecs
import csv
import io
import re
import zlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from memory.behaviors.columns import UnreadableLog
from memory.behaviors.raw_blocks import RawBlock, RawLog
from memory.catalog_files.source import BadRow, ReadLimits, column_names
from memory.catalog_files.text_lines import opened

BLOCK_BYTES = 8 << 20
LINE_BY_LINE_BYTES = 64 << 10
_DELIMITERS = (",", ";", "\t", "|")
_LAST_CELL = "."
_FIELD_TYPE = re.compile(r":(?:token|float)(?:_seq)?$")  # RecBole writes "user_id:token"
_FALLBACK = "cp1252"  # of a line that is not valid UTF-8, as in catalogs


@dataclass(frozen=True)
class _Shape:
    """How a file's lines are cut into cells."""

    columns: tuple[str, ...]
    delimiter: str
    rows_from: int  # the line number of the first row


def delimited_log(path: Path, limits: ReadLimits, *, numbered: bool = False) -> RawLog:
    """Return the columns of a .csv, .tsv or .inter file, gzipped or not, and the way to read it.

    The delimiter is the one of `, ; TAB |` that splits the first line into most cells. `numbered`: the file has no line
    of column names, and its columns are called "1", "2", ….
    """
    shape = _shape(path, limits, numbered)

    def blocks(roles: Mapping[str, str]) -> Iterator[RawBlock]:
        line = 1
        for block in _blocks(path, limits):
            yield _raw_block(block, line, shape, roles)
            line += block.count(b"\n")

    return RawLog(shape.columns, blocks)


def _shape(path: Path, limits: ReadLimits, numbered: bool) -> _Shape:
    with closing(_blocks(path, limits)) as blocks:
        lines = next(blocks, b"").split(b"\n")
    number, first = next(((n, line) for n, line in enumerate(lines, start=1) if line.strip()), (0, b""))
    if not first:
        raise UnreadableLog(f"{path} is empty: a log starts with a line of column names")
    text = _decoded(first)
    try:
        cells = {delimiter: _cells(text, delimiter) for delimiter in _DELIMITERS}
    except csv.Error as error:
        raise UnreadableLog(f"{path}, line {number}: the line of column names: {error}") from error
    delimiter = max(_DELIMITERS, key=lambda one: len(cells[one]))
    names = cells[delimiter]
    if len(names) > limits.columns:
        raise UnreadableLog(f"{path} has {len(names):,} columns, more than {limits.columns:,}")
    if numbered:
        return _Shape(tuple(str(n) for n in range(1, len(names) + 1)), delimiter, number)
    if ".inter" in path.suffixes:
        names = [_FIELD_TYPE.sub("", name) for name in names]
    return _Shape(column_names(names), delimiter, number + 1)


def _blocks(path: Path, limits: ReadLimits) -> Generator[bytes]:
    r"""Yield the file as UTF-8 in pieces of whole lines; each line ends with "\n"."""
    rest = b""
    try:
        with opened(path, limits) as binary:
            for piece in _pieces(binary):
                rest += piece
                end = rest.rfind(b"\n") + 1
                if end:
                    yield _with_plain_line_ends(rest[:end])
                    rest = rest[end:]
                elif len(rest) > limits.row_bytes:
                    raise UnreadableLog(f"{path} has a line of more than {limits.row_bytes:,} bytes")
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableLog(f"{path} cannot be read: {error}") from error
    if rest:
        yield _with_plain_line_ends(rest + b"\n")


def _pieces(binary: io.BufferedReader) -> Iterator[bytes]:
    mark = binary.peek(4)[:4]
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        wide = io.TextIOWrapper(binary, "utf-16", errors="replace", newline="")
        while text := wide.read(BLOCK_BYTES):
            yield text.encode()
        return
    if mark.startswith(codecs.BOM_UTF8):
        binary.read(len(codecs.BOM_UTF8))
    while piece := binary.read(BLOCK_BYTES):
        yield piece


def _with_plain_line_ends(block: bytes) -> bytes:
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in block else block


def _raw_block(block: bytes, line: int, shape: _Shape, roles: Mapping[str, str]) -> RawBlock:
    if line < shape.rows_from:
        lines = block.split(b"\n", shape.rows_from - line)
        block, line = lines[-1], shape.rows_from
    return _read(block, line, shape, {role: shape.columns.index(column) for role, column in roles.items()})


def _read(block: bytes, line: int, shape: _Shape, at: Mapping[str, int]) -> RawBlock:
    """Return the rows of a block; where something is wrong with one, it is looked for in ever smaller halves."""
    frame = _parsed(block, shape, at)
    if frame is not None:
        return RawBlock(frame.with_columns(line=pl.int_range(line, line + pl.len(), dtype=pl.Int64)))
    middle = block.rfind(b"\n", 0, len(block) // 2) + 1
    if len(block) < LINE_BY_LINE_BYTES or not middle:
        return _read_line_by_line(block, line, shape, at)
    first, second = block[:middle], block[middle:]
    halves = (_read(first, line, shape, at), _read(second, line + first.count(b"\n"), shape, at))
    columns = ("line", *at)
    return RawBlock(pl.concat(half.frame.select(columns) for half in halves), halves[0].bad + halves[1].bad)


def _parsed(block: bytes, shape: _Shape, at: Mapping[str, int]) -> pl.DataFrame | None:
    """Return the cells of each role; None where not every line is a row of as many cells as there are columns."""
    if not block:
        return pl.DataFrame(schema=dict.fromkeys(at, pl.String))
    last = len(shape.columns)
    marked = block.replace(b"\n", f"{shape.delimiter}{_LAST_CELL}\n".encode())
    try:
        frame = pl.read_csv(
            marked,
            has_header=False,
            schema={f"column_{number}": pl.String for number in range(1, last + 2)},
            columns=sorted({*at.values(), last}),
            separator=shape.delimiter,
            quote_char='"' if b'"' in block else None,
        )
    except pl.exceptions.PolarsError:
        return None
    ends = frame[f"column_{last + 1}"]
    if len(ends) != block.count(b"\n") or not (ends == _LAST_CELL).fill_null(value=False).all():
        return None
    return frame.select(pl.col(f"column_{place + 1}").alias(role) for role, place in at.items())


def _read_line_by_line(block: bytes, line: int, shape: _Shape, at: Mapping[str, int]) -> RawBlock:
    rows: list[tuple[int | str, ...]] = []
    bad: list[BadRow] = []
    for number, raw in enumerate(block.removesuffix(b"\n").split(b"\n"), start=line):
        if not raw.strip():
            continue
        try:
            cells = _cells(_decoded(raw), shape.delimiter)
        except csv.Error as error:
            bad.append(BadRow(number, f"has a quotation mark out of place: {error}"))
            continue
        if len(cells) != len(shape.columns):
            bad.append(BadRow(number, f"has {_counted(len(cells))}, but the header has {len(shape.columns)}"))
        else:
            rows.append((number, *(cells[place] for place in at.values())))
    schema = {"line": pl.Int64, **dict.fromkeys(at, pl.String)}
    return RawBlock(pl.DataFrame(rows, schema=schema, orient="row"), tuple(bad))


def _cells(text: str, delimiter: str) -> list[str]:
    return next(csv.reader([text], delimiter=delimiter, strict=True))


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(_FALLBACK, "replace")


def _counted(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"
