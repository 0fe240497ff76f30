"""Ways to write a quantity that are sure only where they are the whole value: "5'11", "1 500 g", "1:30 h"."""

import re
from decimal import Decimal
from functools import lru_cache

from agents.values.numerals import NUMERAL, read_numeral
from agents.values.quantities import Quantity
from agents.values.units import convert, grain, named_unit, unit_of
from agents.values.words import Language

_LONGEST = 60
_APPROXIMATE = r"(?:(?:ca\.?|approx\.?|about|circa|etwa|~|≈) ?)?"
_UNIT = r"(?P<unit>[^\W\d_]{1,30}\.?[²³]?(?:/[^\W\d_]{1,20}[²³]?)?|[\"'″′”’]{1,2}|%)"
_GROUPED = re.compile(rf"{_APPROXIMATE}(?P<number>\d{{1,3}}(?:[\s'’]\d{{3}})+(?:[.,]\d{{1,6}})?) ?{_UNIT}")
_FEET = re.compile(rf"(?P<feet>\d{{1,3}}) ?(?:['′’]|ft\.?|feet|foot|fuß) ?(?P<inches>{NUMERAL})", re.IGNORECASE)
_CLOCK = re.compile(rf"(?P<large>\d{{1,4}}):(?P<small>[0-5]\d)(?::(?P<smallest>[0-5]\d))? ?{_UNIT}")
_METRES = re.compile(r"(?P<metres>\d{1,2}) ?m ?(?P<centimetres>\d{2})")
_NAMED = re.compile(rf"{_APPROXIMATE}(?P<number>{NUMERAL}) ?{_UNIT}")
_BELOW = {"hour": "minute", "minute": "second"}
_FEWER = Decimal(12)  # inches than a foot has


@lru_cache(maxsize=2_000)
def whole_quantity(text: str, language: Language | None = None) -> Quantity | None:
    """Return the quantity that the whole text is, in one of these ways of writing; None where it is in none of them.

    A unit beyond the trade's spellings is one that pint knows by name: "10 stone", "2 tbsp", "0.5 t".
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    amount = _grouped(text) or _feet_and_inches(text) or _clock(text) or _metres(text) or _named(text, language)
    return Quantity(0, len(text), *amount) if amount else None


def _grouped(text: str) -> tuple[Decimal, str] | None:
    match = _GROUPED.fullmatch(text)
    unit = named_unit(match["unit"]) if match else None
    if match is None or unit is None:
        return None
    whole, sign, part = re.sub(r"[\s'’]", "", match["number"]).replace(",", ".").partition(".")
    return Decimal(f"{whole}{sign}{part}"), unit


def _feet_and_inches(text: str) -> tuple[Decimal, str] | None:
    """Read a length whose inches lack their sign; feet alone, or twelve inches and more, are something else."""
    match = _FEET.fullmatch(text)
    inches = read_numeral(match["inches"]) if match else None
    if match is None or inches is None or inches >= _FEWER:
        return None
    return convert(Decimal(match["feet"]), "foot", "inch") + inches, "inch"


def _clock(text: str) -> tuple[Decimal, str] | None:
    match = _CLOCK.fullmatch(text)
    unit = unit_of(match["unit"]) if match else None
    if match is None or unit not in _BELOW or (match["smallest"] and unit != "hour"):
        return None
    below = _BELOW[unit]
    amount = Decimal(match["large"]) + convert(Decimal(match["small"]), below, unit)
    return amount + convert(Decimal(match["smallest"] or 0), "second", unit), unit


def _metres(text: str) -> tuple[Decimal, str] | None:
    match = _METRES.fullmatch(text)
    return (Decimal(f"{match['metres']}{match['centimetres']}"), "centimeter") if match else None


def _named(text: str, language: Language | None) -> tuple[Decimal, str] | None:
    """Read a number with a unit that the trade's spellings do not have; those are for `find_quantities`."""
    match = _NAMED.fullmatch(text)
    if match is None or unit_of(match["unit"]) is not None:
        return None
    unit = named_unit(match["unit"])
    amount = read_numeral(match["number"], language, grain(unit))
    return (amount, unit) if unit is not None and amount is not None else None
