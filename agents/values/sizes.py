"""How sizes are written: sides ("90x200cm"), numbers of a system ("UK 8"), waist with inseam ("W32/L34")."""

import re

from agents.values.numerals import plain, read_numeral
from agents.values.units import unit_of
from memory.category import AttributeSpec

_NUMBER = r"\d{1,5}(?:[.,]\d{1,3})?"
_UNIT = r"[a-zA-Z\"”″]{1,12}"
_NEXT = rf" ?[x×*] ?({_NUMBER}) ?({_UNIT})?"
_SIDES = re.compile(rf"({_NUMBER}) ?({_UNIT})?{_NEXT}(?:{_NEXT})?")
_PAIR = re.compile(r"W? ?(\d{2}) ?[/x×] ?L? ?(\d{2})|W ?(\d{2}) L ?(\d{2})", re.IGNORECASE)
_SYSTEM = re.compile(r"\b(?:(EU|EUR|DE)|(US|USA)|(UK|GB)|(FR)|(IT)|(JP))\b")
_SYSTEMS = ("EU", "US", "UK", "FR", "IT", "JP")


def sides(text: str) -> str | None:
    """Return the one way to write sides, where a text is nothing else: "90×200cm" and "90 cm x 200 cm" are one."""
    match = _SIDES.fullmatch(text)
    if match is None:
        return None
    numbers = [plain(number) for group in match.groups()[::2] if group and (number := read_numeral(group)) is not None]
    units = {unit for unit in match.groups()[1::2] if unit}
    if len({unit_of(unit) for unit in units}) > 1 or not all(unit_of(unit) for unit in units):
        return None
    return " ".join([" x ".join(numbers), *sorted(units)[:1]])


def jeans_number(text: str, spec: AttributeSpec) -> str | None:
    """Return the number of "W32/L34" or "32x34" that the attribute asks for: the waist's or the inseam's."""
    match = _PAIR.fullmatch(text)
    if match is None or not {"W", "L"} & set(spec.aliases):
        return None
    waist, inseam = (group for group in match.groups() if group)
    return waist if "W" in spec.aliases else inseam


def foreign_system(text: str, spec: AttributeSpec) -> str | None:
    """Return the system of sizes that a text names where the attribute is of another one, or None."""
    stated, asked = _systems(text), _systems(" ".join((spec.name, *spec.aliases)))
    return min(stated) if stated and asked and not stated & asked else None


def _systems(text: str) -> set[str]:
    return {_SYSTEMS[(match.lastindex or 1) - 1] for match in _SYSTEM.finditer(text)}
