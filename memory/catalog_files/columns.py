"""Which columns of a catalog hold an item's id, title and description."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from memory.catalog_files.source import CatalogError
from memory.text import printable

_KNOWN_NAMES = {
    "id": (
        "id item_id itemno item_number product_id product_code product_number sku variant_sku product_sku asin"
        " parent_asin article_id article_number article_no article Artikelnummer Artikel_Nr ArtNr Art_Nr Artikel_ID"
        " Artikel_Code Produkt_ID Produktnummer Bestellnummer stock_code part_number mpn gtin gtin13 ean ean13 upc"
        " isbn barcode handle uid uuid reference ref"
    ),
    "title": (
        "title product_title item_title product_name item_name name display_name Titel Produkttitel Artikeltitel"
        " Bezeichnung Artikelbezeichnung Produktbezeichnung Produktname Artikelname headline label short_description"
        " Kurzbezeichnung Kurzbeschreibung"
    ),
    "description": (
        "description body_html body product_description item_description long_description full_description desc"
        " Beschreibung Produktbeschreibung Artikelbeschreibung Langbeschreibung Langtext Artikeltext details"
        " short_description Kurzbeschreibung"
    ),
}
_NEEDED = ("id", "title")
_SHOWN = 40  # columns named in an error


@dataclass(frozen=True)
class ColumnRoles:
    """The columns that hold the id, the title and, where there is one, the description."""

    id: str
    title: str
    description: str | None


def column_roles(columns: Iterable[str], chosen: Mapping[str, str] | None = None) -> ColumnRoles:
    """Return the roles of a catalog's columns: those `chosen` ("title" -> column), the others guessed by name.

    Case, blanks, underscores and signs do not matter. `CatalogError` for a role or column that does not exist, and
    where no column looks like the id or the title.
    """
    found = tuple(columns)
    roles = {role: _chosen(role, column, found) for role, column in (chosen or {}).items()}
    for role in _KNOWN_NAMES:
        if role not in roles:
            guess = _guessed(role, [column for column in found if column not in roles.values()])
            if guess is None and role in _NEEDED:
                raise CatalogError(
                    f"no column looks like the {role}; there are {_listed(found)}. Say which it is: --map {role}=COLUMN"
                )
            roles.update({role: guess} if guess else {})
    return ColumnRoles(roles["id"], roles["title"], roles.get("description"))


def _chosen(role: str, column: str, found: tuple[str, ...]) -> str:
    if role not in _KNOWN_NAMES:
        raise CatalogError(f"{printable(role)!r} is no role of a column: map {', '.join(_KNOWN_NAMES)}")
    alike = [name for name in found if name == column] or [name for name in found if _folded(name) == _folded(column)]
    if len(alike) != 1:
        raise CatalogError(f"there is no column {printable(column)!r} for the {role}; there are {_listed(found)}")
    return alike[0]


def _guessed(role: str, columns: list[str]) -> str | None:
    by_name = {_folded(column): column for column in reversed(columns)}  # the first of two alike is taken
    known = (_folded(name) for name in _KNOWN_NAMES[role].split())
    return next((by_name[name] for name in known if name in by_name), None)


def _folded(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _listed(columns: tuple[str, ...]) -> str:
    names = ", ".join(repr(printable(column, 60)) for column in columns[:_SHOWN])
    return f"{names} and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else names
