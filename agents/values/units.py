"""The units of product texts: how shops spell them, what they measure, and conversion between them."""

import re
from decimal import Decimal
from functools import lru_cache

import pint

from agents.values.numerals import Grain

# pint's name -> (spellings whose case counts, spellings in any case)
_SPELLINGS: dict[str, tuple[str, str]] = {
    "milliliter": ("cc|ccm|cm³|cm3", "ml|milliliter|millilitre|milliliters|millilitres"),
    "centiliter": ("cl|cL", "centiliter|zentiliter|centilitre"),
    "deciliter": ("dl|dL", "deziliter|deciliter"),
    "liter": ("l|L", "ltr|ltr.|lt|lit.|liter|litre|liters|litres|litern"),
    "fluid_ounce": ("", "fl oz|fl. oz|fl.oz|fl oz.|fl. oz.|floz|fl-oz|fluid ounce|fluid ounces|fl. ounce|fl. ounces"),
    "gallon": ("", "gal|gal.|gallon|gallons|gallone|gallonen"),
    "quart": ("qt|qt.", "quart|quarts"),
    "pint": ("pt.", "pint|pints"),
    "gram": ("g|gr|gr.|Gr|GR", "gramm|gram|grams|gms|gramme|grammes"),
    "milligram": ("", "mg|milligramm|milligram|milligrams"),
    "microgram": ("µg|μg|mcg", "mikrogramm|microgram"),
    "kilogram": ("", "kg|kgs|kilo|kilos|kilogramm|kilogram|kilograms|kilogramme|kilogrammes"),
    "metric_ton": ("", "tonne|tonnes|tonnen"),
    "ounce": ("", "oz|oz.|ounce|ounces|unzen"),
    "pound": ("", "lb|lbs|lb.|lbs.|pound|pounds|pfund"),
    "inch": ("\"|''|″|”|′′|’’|in.|in", "inch|inches|zoll|inch."),
    "foot": ("'|′|’|ft|ft.|FT|Ft|Ft.", "feet|foot|fuß|fuss"),
    "yard": ("yd|yds|yd.|yds.", "yard|yards"),
    "micrometer": ("µm|μm", "micron|microns|mikron"),
    "millimeter": ("", "mm|millimeter|millimetre|millimeters|millimetres|milimeter"),
    "centimeter": ("", "cm|zentimeter|centimeter|centimetre|centimeters|centimetres"),
    "meter": ("m|mtr|mtr.", "meter|metre|meters|metres|metern"),
    "kilometer": ("km", "kilometer|kilometre|kilometers|kilometern"),
    "mile": ("mi", "mile|miles|meilen"),
    "meter ** 2": ("m²|m2|qm", "sq m|square meter|square meters|quadratmeter"),
    "foot ** 2": ("ft²|ft2", "sq ft|sq. ft.|sq. ft|square foot|square feet"),
    "millimeter ** 2": ("mm²|mm2", ""),
    "centimeter ** 2": ("cm²|cm2", ""),
    "gram / meter ** 2": ("g/m²|g/m2|g/qm|gsm|GSM", ""),
    "watt": ("W|w", "watt|watts"),
    "kilowatt": ("", "kw|kilowatt"),
    "milliwatt": ("mW", ""),
    "metric_horsepower": ("PS", ""),
    "horsepower": ("hp|HP", "horsepower"),
    "volt": ("V|v", "volt|volts|vdc|vac|v dc|v ac"),
    "kilovolt": ("kV", ""),
    "ampere": ("A", "ampere|amp|amps"),
    "milliampere": ("mA", ""),
    "milliampere_hour": ("", "mah|milliamperestunden"),
    "ampere_hour": ("Ah|AH", "amperestunden"),
    "watt_hour": ("Wh|WH", "wattstunden"),
    "kilowatt_hour": ("", "kwh"),
    "megabyte": ("MB", "megabyte"),
    "gigabyte": ("GB|Gb|gb|GByte", "gigabyte|gigabytes"),
    "terabyte": ("TB|Tb|tb|TByte", "terabyte|terabytes"),
    "second": ("s|sec|sec.|Sek.|Sek", "second|seconds|sekunde|sekunden"),
    "minute": ("min|min.|Min.|Min|mins", "minute|minutes|minuten"),
    "hour": ("h|hr|hrs|hr.|hrs.|H|Std|Std.|std.|std", "hour|hours|stunde|stunden"),
    "day": ("", "day|days|tag|tage|tagen"),
    "month": ("", "month|months|monat|monate|monaten|mon."),
    "year": ("yrs|yr", "year|years|jahr|jahre|jahren"),
    "lumen": ("lm|LM", "lumen|lumens"),
    "kelvin": ("K|k", "kelvin"),
    "degree_Celsius": ("°C|° C|ºC|℃|°c", "grad celsius|grad c|degrees celsius|celsius"),
    "degree_Fahrenheit": ("°F|° F|ºF|℉", "degrees fahrenheit|fahrenheit|grad fahrenheit"),
    "bar": ("Bar|BAR", "bar"),
    "psi": ("", "psi"),
    "hertz": ("Hz|hz|HZ", "hertz"),
    "kilohertz": ("kHz|KHz|khz", ""),
    "megahertz": ("MHz|mhz", ""),
    "gigahertz": ("GHz|Ghz|ghz", ""),
    "decibel": ("dB|db|dB(A)|dBA|DB", "dezibel|decibel"),
    "revolution / minute": ("U/min|U/Min|1/min|min-1", "rpm|u/min.|umdrehungen/min"),
    "newton * meter": ("Nm|NM", "newtonmeter"),
    "newton": ("N", ""),
    "denier": ("den|DEN|Den", "denier"),
    "megapixel": ("MP|Mp|mp", "megapixel|megapixels|mpx"),
    "liter / minute": ("", "l/min|liter/min"),
    "liter / hour": ("l/h|L/h", ""),
    "kilometer / hour": ("", "km/h|kmh"),
    "meter ** 3 / hour": ("m³/h|m3/h", ""),
    "british_thermal_unit": ("", "btu"),
    "megabit / second": ("", "mbps|mbit/s|mbit"),
    "gigabit / second": ("", "gbps|gbit/s|gbit"),
    "megabyte / second": ("", "mb/s|mbyte/s"),
    "gigabyte / second": ("", "gb/s"),
    "percent": ("%", "prozent|percent"),
    "diopter": ("dpt|dpt.", "dioptrien"),
}
_FINE = frozenset(
    {"gram", "milliliter", "milligram", "milliampere_hour", "lumen", "watt", "kelvin", "revolution / minute", "percent"}
)
_COARSE = frozenset(
    {"kilogram", "liter", "meter", "pound", "gallon", "kilometer", "kilowatt", "terabyte", "meter ** 2"}
)
# kelvin is the colour of light here and no warmth; the others have no dimension in pint or share a wrong one
_APART = frozenset({"kelvin", "decibel", "megapixel", "diopter", "revolution / minute", "percent", "lumen"})
_SEVERAL = frozenset({"ton", "tons"})  # who writes them may mean 907, 1000 or 1016 kg
_SYMBOLS = "%\"'″”′’"
# All that pint is given to read: it computes it, and a unit may be a model's word. "9**9**9" would never end.
_POWER = r"[^\W\d²³]\w{0,39}(?: ?\*\* ?[1-9])?"
_UNIT = re.compile(rf"{_POWER}(?: ?[*/] ?{_POWER}){{0,3}}")
_NAME = re.compile(r"[^\W\d_²³]{1,30}[²³]?(?:/[^\W\d_²³]{1,20}[²³]?)?")


def grain(unit: str | None) -> Grain | None:
    """Say whether thousandths of a unit are never written (fine), or thousands of it hardly ever (coarse)."""
    return "fine" if unit in _FINE else "coarse" if unit in _COARSE else None


def known_units() -> tuple[str, ...]:
    """Return pint's name of every unit of the trade."""
    return tuple(_SPELLINGS)


def known_spellings(unit: str) -> tuple[str, ...]:
    """Return how shops spell a unit of the trade."""
    return tuple(spelling for pair in _SPELLINGS[unit] for spelling in pair.split("|") if spelling)


@lru_cache(maxsize=1)
def unit_pattern() -> str:
    """Return a regular expression for every known spelling, the longest first, ending where a word ends."""
    exact, caseless = (
        sorted({s for pair in _SPELLINGS.values() for s in pair[i].split("|") if s}, key=len, reverse=True)
        for i in (0, 1)
    )
    symbols = [s for s in exact if s[0] in _SYMBOLS]
    letters = "|".join(re.escape(s) for s in exact if s[0] not in _SYMBOLS)
    words = "|".join(re.escape(s) for s in caseless)
    quotes = "|".join(re.escape(s) for s in symbols)
    ends = r"(?:(?=[xX]\d)|(?!\w|/(?:h|s|min|m|qm|kg|100)\b|-?in-))"
    return rf"(?:(?:(?i:{words})|{letters}){ends}|(?:{quotes})(?![^\W\dxX][^\W\d]))"


@lru_cache(maxsize=2_000)
def unit_of(spelling: str) -> str | None:
    """Return pint's name of the unit that a spelling means, be it that name itself, or None."""
    if spelling in _SPELLINGS:
        return spelling
    table = _exact()
    return table.get(spelling) or table.get(spelling.casefold()) or _caseless().get(spelling.casefold())


@lru_cache(maxsize=2_000)
def named_unit(spelling: str) -> str | None:
    """Return the unit that a spelling means, be it one of the trade or one that pint alone knows ("stone", "tbsp")."""
    if known := unit_of(spelling):
        return known
    if not _NAME.fullmatch(spelling) or not _is_plain(spelling) or spelling.casefold() in _SEVERAL:
        return None
    try:
        return str(_registry().parse_units(spelling))
    except (pint.UndefinedUnitError, ValueError):
        return None


def _is_plain(unit: str) -> bool:
    """Say whether all signs for numbers are digits or powers: pint stumbles over "¼", a letter to a pattern."""
    return not any(char.isnumeric() and not char.isdecimal() and char not in "²³" for char in unit)


@lru_cache(maxsize=1)
def _exact() -> dict[str, str]:
    return {spelling: unit for unit, (exact, _) in _SPELLINGS.items() for spelling in exact.split("|") if spelling}


@lru_cache(maxsize=1)
def _caseless() -> dict[str, str]:
    return {s.casefold(): unit for unit, (_, caseless) in _SPELLINGS.items() for s in caseless.split("|") if s}


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[Decimal]:
    return pint.UnitRegistry(non_int_type=Decimal, autoconvert_offset_to_baseunit=True)


@lru_cache(maxsize=2_000)
def dimension(unit: str) -> frozenset[tuple[str, str]]:
    """Return what a unit measures, for comparing; light colour, sound and frequencies stand apart from their like."""
    if unit in _APART:
        return frozenset({(unit, "")})
    if family := next((name for name in ("hertz", "byte /", "bit /", "byte") if name in unit), ""):
        return frozenset({(family, "")})
    if not _UNIT.fullmatch(unit) or not _is_plain(unit):
        return frozenset({(unit, "")})
    try:
        dimensions = _registry().get_dimensionality(unit)
    except (pint.UndefinedUnitError, ValueError):
        return frozenset({(unit, "")})
    return frozenset((str(base), str(power)) for base, power in dimensions.items())


def same_dimension(unit: str, other: str) -> bool:
    """Say whether an amount of `unit` can be converted to `other`."""
    return unit == other or dimension(unit) == dimension(other)


def convert(amount: Decimal, unit: str, target: str) -> Decimal:
    """Return the amount in the target unit; the dimensions must be the same (`same_dimension`)."""
    if unit == target:
        return amount
    if "degree" in unit:
        return Decimal(_registry().Quantity(amount, unit).to(target).magnitude)
    return amount * _factor(unit, target)


@lru_cache(maxsize=2_000)
def _factor(unit: str, target: str) -> Decimal:
    return Decimal(_registry().Quantity(Decimal(1), unit).to(target).magnitude)
