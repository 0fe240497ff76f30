"""Catalog rows as items: one item a good row, one reason a bad one, in the order of the file."""

import hashlib
import os
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import Field

from memory.catalog_files.cell_text import cell_text
from memory.catalog_files.columns import ColumnRoles, column_roles
from memory.catalog_files.formats import source_table
from memory.catalog_files.source import BadRow, CatalogError, ReadLimits, SourceRow
from memory.record import Record
from memory.schema import CatalogItem, SourceField
from memory.text import plain_text, printable

__all__ = ["CatalogError", "ReadLimits", "RejectedRow", "items_among", "read_catalog"]

LONGEST_ID = 200  # characters
_TAKEN_NAMES = ("title", "description")  # evidence calls the item's own texts so


class RejectedRow(Record):
    """One row that did not become an item: where it stands and why."""

    file: str
    line: int = Field(ge=1)  # the row's first physical line; in Parquet and XLSX the row's number
    reason: str
    item_id: str | None = None  # where the row has a valid one


def read_catalog(
    path: Path, columns: Mapping[str, str] | None = None, limits: ReadLimits | None = None
) -> Iterator[CatalogItem | RejectedRow]:
    """Yield each row of a .csv, .tsv, .jsonl (also .gz), .parquet or .xlsx file as an item or as a rejected row.

    `columns` maps "id", "title", "description" to the file's columns; the others are guessed by name. Every other
    column becomes a source field. Rows are streamed; of those read, 32 bytes of digests are kept to find repeated ids.
    `CatalogError` (also in mid-file) for a catalog that cannot be read.
    """
    table = source_table(path, limits or ReadLimits())
    try:
        roles = column_roles(table.columns, columns)
    except CatalogError as error:
        raise CatalogError(f"{path}: {error}") from error
    yield from items_among(table.rows, roles, os.fsencode(path).decode("utf-8", "replace"))


def items_among(
    rows: Iterable[SourceRow | BadRow], roles: ColumnRoles, file: str
) -> Iterator[CatalogItem | RejectedRow]:
    """Yield each row of `file` as an item or as a rejected row; an id that a row before it has is told of."""
    seen = _SeenItems()
    for row in rows:
        item_id = None
        try:
            if isinstance(row, BadRow):
                raise _RowError(row.reason)
            item_id = _id(row.cells.get(roles.id))
            yield seen.checked(_item(item_id, row, roles), row.line)
        except _RowError as error:
            yield RejectedRow(file=file, line=row.line, reason=str(error), item_id=item_id)


class _RowError(ValueError):
    """Why one row is no item."""


class _SeenItems:
    """The ids read so far, each with its line and what its row said, as digests."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}

    def checked(self, item: CatalogItem, line: int) -> CatalogItem:
        """Return the item if its id is new."""
        key = hashlib.blake2b(item.id.encode(), digest_size=16).digest()
        content = bytes.fromhex(item.content_hash)[:16]
        earlier = self._rows.setdefault(key, content + line.to_bytes(8, "big"))
        earlier_line = int.from_bytes(earlier[16:], "big")
        if earlier_line == line:
            return item
        if earlier[:16] == content:
            raise _RowError(f"repeats line {earlier_line}")
        raise _RowError(f"line {line} has the id {printable(item.id)!r} of line {earlier_line} with other content")


def _id(cell: object) -> str:
    """Return a row's id: text as it is written, trimmed, in NFC; never by way of a float."""
    if isinstance(cell, list | tuple | dict):
        raise _RowError("its id is a list or an object, not one value")
    text = cell if isinstance(cell, str) else cell_text(cell)
    found = unicodedata.normalize("NFC", text[: 10 * LONGEST_ID].strip())
    if not found:
        raise _RowError("has no id")
    if len(found) > LONGEST_ID:
        raise _RowError(f"its id is longer than {LONGEST_ID} characters: {printable(found, 40)}")
    if not found.isprintable():
        raise _RowError(f"its id has control or invisible characters: {printable(found)}")
    return found


def _item(item_id: str, row: SourceRow, roles: ColumnRoles) -> CatalogItem:
    title = _text(row.cells.get(roles.title)).replace("\n", " ").replace("  ", " ")
    if not any(character.isprintable() and character != " " for character in title):
        raise _RowError("has no title")
    description = _text(row.cells.get(roles.description), "\n") if roles.description else ""
    own = (roles.id, roles.title, roles.description)
    extras = ((name, _text(cell)) for name, cell in row.cells.items() if name not in own)
    fields = tuple(SourceField(name=_field_name(name), text=text) for name, text in extras if text)
    return CatalogItem(id=item_id, title=title, description=description, fields=fields)


def _text(cell: object, joiner: str = "; ") -> str:
    return plain_text(cell_text(cell, joiner))


def _field_name(column: str) -> str:
    return f"{column} (column)" if column in _TAKEN_NAMES else column
