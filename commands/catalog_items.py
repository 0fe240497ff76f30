"""How a command finds the one item that it is asked about: in a catalog, or given on the command line."""

import unicodedata
from pathlib import Path
from typing import Annotated

import typer

from memory.catalog import RejectedRow, read_catalog
from memory.errors import ReaseqError
from memory.schema import CatalogItem
from memory.text import plain_text

SAMPLE_CATALOG = Path(__file__).parent.parent / "memory" / "sample" / "catalog.csv"
GIVEN_ID = "given"  # the id of an item that has only a title

Catalog = Annotated[Path | None, typer.Option("--catalog", help="The catalog; without it the sample.", metavar="FILE")]


class ItemNotFound(ReaseqError):
    """The catalog has no usable row of that id."""


def typed_id(text: str) -> str:
    """Return an id from the command line in the form in which ids are kept."""
    return unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode()).strip()


def find_item(catalog: Path | None, item_id: str, columns: dict[str, str] | None = None) -> CatalogItem:
    """Return the item of that id; `ItemNotFound` says why there is none."""
    path, item_id = catalog or SAMPLE_CATALOG, typed_id(item_id)
    for row in read_catalog(path, columns):
        if isinstance(row, RejectedRow):
            if row.item_id == item_id:
                raise ItemNotFound(f"{row.file}, line {row.line}: item {item_id!r} was rejected: {row.reason}")
        elif row.id == item_id:
            return row
    raise ItemNotFound(f"{path} has no item {item_id!r}")


def given_item(title: str, description: str) -> CatalogItem:
    """Return an item of a title and a description in the one normal form."""
    text = plain_text(title)
    if not text:
        raise ItemNotFound("the title is empty")
    return CatalogItem(id=GIVEN_ID, title=text, description=plain_text(description))
