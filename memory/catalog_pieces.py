"""A catalog in pieces that can be read apart: planned in one pass that keeps no row, each read like a file."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Literal

from memory.catalog import CatalogError, ReadLimits, RejectedRow, items_among, read_catalog
from memory.catalog_files.columns import ColumnRoles, column_roles
from memory.catalog_files.delimited_rows import delimited_lines, delimited_rows
from memory.catalog_files.formats import source_table
from memory.catalog_files.json_rows import json_rows, json_table
from memory.catalog_files.places import bytes_as_file, local_copy, name_of, opened_file
from memory.catalog_files.source import BadRow, SourceRow, SourceTable
from memory.catalog_files.text_lines import Line, is_wide, placed_lines
from memory.record import Record
from memory.schema import CatalogItem

ROWS = 64  # of a piece: what a batch leases in one transaction
BYTES = 4 << 20  # of a piece of text, unless one row has more

_LIMITS = ReadLimits()


class Layout(Record):
    """What the pieces of one file share."""

    file: str  # a path or a URL
    kind: Literal["delimited", "json", "parquet", "whole"]  # whole: cannot be read from its middle
    roles: ColumnRoles | None = None
    columns: tuple[str, ...] = ()
    delimiter: str = ","


class Piece(Record):
    """Some rows of one file: bytes of a text, rows of Parquet, or all of a file that cannot be parted."""

    number: int  # from 0, in the catalog's order
    layout: Layout
    start: int = 0
    end: int = 0
    lines_before: int = 0
    rows: int  # at most
    first_id: str = ""  # of the first row, as it is written there; a hint


@dataclass(frozen=True)
class _Bounds:
    """Where rows begin: the place, the lines before it, the row's id; and whether the file has a row there."""

    place: int
    lines_before: int
    first_id: str


def planned(files: list[str], columns: Mapping[str, str] | None = None, limit: int | None = None) -> Iterator[Piece]:
    """Yield the pieces of a catalog, in its order; `limit` counts rows. One row at a time is in memory.

    The reader that will read a piece has found its borders: a row is in one piece, whatever its quotes are.
    `CatalogError` for a file that cannot be read as a catalog.
    """
    numbers, left = count(), sys.maxsize if limit is None else limit
    for file in files:
        for piece in _pieces_of(file, columns):
            if left <= 0:
                return
            yield piece.model_copy(update={"number": next(numbers), "rows": min(piece.rows, left)})
            left -= piece.rows


def items_in(piece: Piece) -> Iterator[CatalogItem | RejectedRow]:
    """Yield the rows of a piece as items or rejected rows, as reading the file would; repeats are told within it."""
    layout = piece.layout
    if layout.kind == "whole" or layout.roles is None:
        yield from islice(read_catalog(local_copy(layout.file), _chosen(layout.roles)), piece.rows)
        return
    yield from islice(items_among(_rows_in(piece), layout.roles, layout.file), piece.rows)


def _pieces_of(file: str, columns: Mapping[str, str] | None) -> Iterator[Piece]:
    kind = _kind(file)
    if kind == "parquet":
        return _of_parquet(file, columns)
    return _whole(file, columns) if kind == "whole" else _of_text(file, kind, columns)


def _kind(file: str) -> Literal["delimited", "json", "parquet", "whole"]:
    name = name_of(file).lower()
    if name.endswith(".parquet"):
        return "parquet"
    if not name.endswith((".csv", ".tsv", ".jsonl")):
        return "whole"
    with opened_file(file) as binary:
        if is_wide(binary):
            return "whole"
    return "json" if name.endswith(".jsonl") else "delimited"


def _whole(file: str, columns: Mapping[str, str] | None) -> Iterator[Piece]:
    """Yield one piece; how many rows it has is not known before they are read."""
    table = source_table(local_copy(file), _LIMITS)
    yield Piece(number=0, layout=Layout(file=file, kind="whole", roles=_roles(table, file, columns)), rows=sys.maxsize)


def _of_parquet(file: str, columns: Mapping[str, str] | None) -> Iterator[Piece]:
    from memory.catalog_files.parquet_rows import parquet_part, parquet_size  # noqa: PLC0415 - DuckDB takes a while

    path = local_copy(file)
    table = parquet_part(path, 0, 0, _LIMITS)
    layout = Layout(file=file, kind="parquet", roles=_roles(table, file, columns), columns=table.columns)
    rows = parquet_size(path)
    for start in range(0, rows, ROWS):
        end = min(rows, start + ROWS)
        yield Piece(number=0, layout=layout, start=start, end=end, lines_before=start, rows=end - start)


def _of_text(file: str, kind: Literal["delimited", "json"], columns: Mapping[str, str] | None) -> Iterator[Piece]:
    with opened_file(file) as binary:
        places: dict[int, int] = {}
        lines = _noted(placed_lines(binary, Path(name_of(file)), _LIMITS), places)
        delimiter, table = _table(kind, lines, Path(name_of(file)))
        roles = _roles(table, file, columns)
        layout = Layout(file=file, kind=kind, roles=roles, columns=table.columns, delimiter=delimiter)
        begun: _Bounds | None = None
        rows = 0
        for row in table.rows:
            place = _taken(places, row.line)
            here = _Bounds(place, row.line - 1, _id_of(row, roles))
            if begun is None and place < 0:  # its lines end otherwise than with a line feed
                yield from _whole(file, columns)
                return
            if begun is None:
                begun = here
            elif place >= 0 and (rows >= ROWS or place - begun.place >= BYTES):
                yield _piece(layout, begun, place, rows)
                begun, rows = here, 0
            rows += 1
        if begun is not None:
            yield _piece(layout, begun, sys.maxsize, rows)


def _noted(lines: Iterator[tuple[int, Line]], places: dict[int, int]) -> Iterator[Line]:
    """Yield the lines, and note where each begins until its row has been seen."""
    for place, line in lines:
        places[line.number] = place
        yield line


def _taken(places: dict[int, int], line: int) -> int:
    """Return where a line begins, and forget the places before it."""
    for earlier in [number for number in places if number < line]:
        del places[earlier]
    return places[line]


def _piece(layout: Layout, begun: _Bounds, end: int, rows: int) -> Piece:
    return Piece(
        number=0,
        layout=layout,
        start=begun.place,
        end=end,
        lines_before=begun.lines_before,
        rows=rows,
        first_id=begun.first_id,
    )


def _table(kind: Literal["delimited", "json"], lines: Iterator[Line], path: Path) -> tuple[str, SourceTable]:
    if kind == "delimited":
        return delimited_lines(lines, path, _LIMITS)
    return "", json_table(json_rows(lines, _LIMITS), path)


def _id_of(row: SourceRow | BadRow, roles: ColumnRoles) -> str:
    return str(row.cells.get(roles.id, "")).strip() if isinstance(row, SourceRow) else ""


def _roles(table: SourceTable, file: str, columns: Mapping[str, str] | None) -> ColumnRoles:
    if len(table.columns) > _LIMITS.columns:
        raise CatalogError(f"{file} has {len(table.columns):,} columns; at most {_LIMITS.columns:,} are read")
    try:
        return column_roles(table.columns, columns)
    except CatalogError as error:
        raise CatalogError(f"{file}: {error}") from error


def _chosen(roles: ColumnRoles | None) -> dict[str, str] | None:
    if roles is None:
        return None
    return {name: column for name, column in vars(roles).items() if column is not None}


def _rows_in(piece: Piece) -> Iterator[SourceRow | BadRow]:
    layout = piece.layout
    if layout.kind == "parquet":
        from memory.catalog_files.parquet_rows import parquet_part  # noqa: PLC0415 - DuckDB takes a while

        return parquet_part(local_copy(layout.file), piece.start, piece.end, _LIMITS).rows
    with opened_file(layout.file) as binary:
        binary.seek(piece.start)
        content = binary.read(-1 if piece.end == sys.maxsize else piece.end - piece.start)
    placed = placed_lines(bytes_as_file(content), Path(name_of(layout.file)), _LIMITS, before=piece.lines_before)
    lines = (line for _, line in placed)
    if layout.kind == "json":
        return json_rows(lines, _LIMITS)
    return delimited_rows(lines, layout.delimiter, layout.columns, _LIMITS)


def line_of(piece: Piece, item_id: str) -> int:
    """Return the line, or the row's number, in which an item of a piece stands; it is read anew for that."""
    roles = piece.layout.roles
    rows = (
        _rows_in(piece) if piece.layout.kind != "whole" else source_table(local_copy(piece.layout.file), _LIMITS).rows
    )
    if roles is not None:
        for row in rows:
            found = next(items_among([row], roles, piece.layout.file))
            if isinstance(found, CatalogItem) and found.id == item_id:
                return row.line
    return 1
