"""Which quantities a text states: numbers with their unit, chains such as "10 x 15 cm", ranges and multiples."""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from agents.values.numerals import NUMERAL, read_numeral
from agents.values.units import convert, dimension, grain, unit_of, unit_pattern
from agents.values.words import Language

_BY = re.compile(r" ?[x×*X] ?|[x×X]| by | mal ")
_TO = re.compile(r" ?(?:-|–|—|~|bis|to|und|and) ?")
_GIVE_OR_TAKE = re.compile(r" ?(?:±|\+ ?/ ?[-−–]|\+[-−]) ?")
_PAIRED = re.compile(f"{_TO.pattern}|{_GIVE_OR_TAKE.pattern}")
_SUFFIX = re.compile(r" ?\(?([LWHDBTØ])\b\)?")
_SIGNED = frozenset({"degree_Celsius", "degree_Fahrenheit", "diopter"})
_COMPOUND = frozenset({("foot", "inch"), ("pound", "ounce"), ("hour", "minute"), ("meter", "centimeter")})
# "3 in 1", "2 in stock": an inch stands before a break, a side's name or a following size
_INCH_GOES_ON = re.compile(
    r"\.|\s{0,2}(?:$|[,;:()/|x×\"&+–-](?!\d?-?in)|by\b|(?:wide|long|high|deep|tall|thick|dia|diameter|length|width|height|depth"
    r"|screen|display|[lwhd]\b))",
    re.IGNORECASE,
)
_NOT_A_SIZE = re.compile(r" ?[=/] ?(?:\d{1,6}[.,]?\d{0,4} ?)?[€$£]")
_AGES = re.compile(
    r"\b(?:ages?:?|aged|alter:?|ab) (\d{1,2})(?:\+| and up\b| and older\b|(?= ?[-–] ?\d{1,2}\b))"
    r"|(?:^|[-–,(|] ?)(\d{1,2})\+(?=$| ?[-–,)|])",
    re.IGNORECASE,
)
_KELVIN = (Decimal(1_000), Decimal(12_000))


class Part(StrEnum):
    """How a quantity stands in the text."""

    SINGLE = "single"
    SIDE = "side"  # of a chain of lengths: 10 x 15 cm
    LOW = "low"  # the two ends of a range: 3-6 years
    HIGH = "high"


class Quantity(NamedTuple):
    """A stated amount: its span [start, end), the number, pint's name of its unit, and how it stands."""

    start: int
    end: int
    amount: Decimal
    unit: str
    part: Part = Part.SINGLE
    side: str = ""  # the letter by a side: "30W x 20H"
    times: int = 1  # "6 x 330 ml" is 330 ml six times
    chain: int = -1  # where the chain of a SIDE starts


class _Number(NamedTuple):
    start: int
    end: int
    digits: str
    unit: str | None
    side: str


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    before = r"(?:(?<![\w.,/⁄])(?<![^\W\d_][-‑])|(?<=[\d\"'”″][xX])|(?<=[cm]m[xX])|(?<=[a-zA-Z\"]/))"
    sign = r"(?:(?<![\w\"'])[-−–](?=[\d.]))?"
    return re.compile(rf"{before}(?P<number>{sign}(?:{NUMERAL}))(?:\+?[ \-‑]?(?P<unit>{unit_pattern()}))?")


@lru_cache(maxsize=256)
def find_quantities(text: str, language: Language | None = None) -> tuple[Quantity, ...]:
    """Return every quantity of the text, and the ages that have no unit ("ages 8+"), each from left to right.

    `language` settles "1.500" (see `agents.values.numerals`).
    """
    numbers = _numbers(text)
    found: list[Quantity] = []
    position = 0
    while position < len(numbers):
        size = _chain_length(text, numbers, position)
        found.extend(_read_chain(text, numbers[position : position + size], language))
        position += size
    taken = {quantity.end for quantity in found}
    return (*found, *(age for age in _ages(text) if age.end not in taken))


def _ages(text: str) -> Iterator[Quantity]:
    for match in _AGES.finditer(text):
        group = match.lastindex or 1
        yield Quantity(match.start(group), match.end(), Decimal(int(match[group])), "year", Part.LOW)


@lru_cache(maxsize=256)
def chains(text: str, language: Language | None = None) -> dict[int, list[Quantity]]:
    """Return the sides of each chain of lengths in the text, by where the chain starts."""
    found: dict[int, list[Quantity]] = {}
    for quantity in find_quantities(text, language):
        if quantity.part is Part.SIDE:
            found.setdefault(quantity.chain, []).append(quantity)
    return found


def _numbers(text: str) -> list[_Number]:
    found: list[_Number] = []
    for match in _pattern().finditer(text):
        unit = unit_of(match["unit"]) if match["unit"] else None
        end = match.end()
        if unit == "inch" and match["unit"] == "in" and not _INCH_GOES_ON.match(text, end):
            unit, end = None, match.end("number")
        if unit is None and _goes_on_a_foot(found, match):
            unit = "inch"
        letter = _SUFFIX.match(text, end)
        found.append(_Number(match.start("number"), end, match["number"], unit, letter[1] if letter else ""))
    return found


def _goes_on_a_foot(found: Sequence[_Number], match: re.Match[str]) -> bool:
    """Say whether a number stands right behind a foot's sign: the 11 of 5'11."""
    left = found[-1] if found else None
    small = len(match["number"]) <= 2 and int(match["number"]) < 12 if match["number"].isdecimal() else False
    return small and left is not None and left.unit == "foot" and left.end == match.start()


def _gap(text: str, left: _Number, right: _Number) -> str:
    gap = text[left.end : right.start]
    letter = _SUFFIX.match(gap) if left.side else None
    return gap[letter.end() :] if letter else gap


def _chain_length(text: str, numbers: list[_Number], first: int) -> int:
    """Return how many numbers from `first` on belong together: 1, 2 of a range, or the sides of a chain."""
    size = 1
    while first + size < len(numbers) and size < 4:
        gap = _gap(text, numbers[first + size - 1], numbers[first + size])
        joined = _BY.fullmatch(gap) or (
            size == 1 and (_PAIRED.fullmatch(gap) or _adds_up(numbers[first], numbers[first + 1], gap))
        )
        if not joined:
            break
        size += 1
        if not _BY.fullmatch(gap):
            break
    return size


def _adds_up(left: _Number, right: _Number, gap: str) -> bool:
    return gap in ("", " ") and (left.unit or "", right.unit or "") in _COMPOUND


def _read_chain(text: str, chain: list[_Number], language: Language | None) -> list[Quantity]:
    unit = next((number.unit for number in reversed(chain) if number.unit), None)
    if unit is None:
        return []
    read = [_quantity(text, number, number.unit or unit, language) for number in chain]
    if len(chain) == 1:
        return [quantity for quantity in read if quantity]
    gap = _gap(text, chain[0], chain[1])
    if _adds_up(chain[0], chain[-1], gap):
        return _sum(read)
    if _GIVE_OR_TAKE.fullmatch(gap):
        return [read[0]._replace(end=chain[1].end)] if read[0] else []
    return _range(read, chain[0]) if _TO.fullmatch(gap) else _sides(read, chain, unit)


def _sides(read: list[Quantity | None], chain: list[_Number], unit: str) -> list[Quantity]:
    """Read "10 x 15 cm" as sides and "6 x 330 ml" as a multiple; a chain of unlike units says nothing."""
    first = chain[0]
    if len(chain) == 2 and dimension(unit) != dimension("meter"):
        if first.unit is None:
            return _multiple(first, read[1])
        if chain[1].unit is None:
            return [each._replace(chain=each.start, end=chain[1].end) for each in _multiple(chain[1], read[0])]
    if len({dimension(number.unit or unit) for number in chain}) > 1:
        return []
    return [q._replace(part=Part.SIDE, side=n.side, chain=first.start) for q, n in zip(read, chain, strict=True) if q]


def _quantity(text: str, number: _Number, unit: str, language: Language | None) -> Quantity | None:
    digits = number.digits.lstrip("-−–")
    amount = read_numeral(digits, language, grain(unit))
    if amount is None or _NOT_A_SIZE.match(text, number.end):
        return None
    if digits != number.digits:
        if unit not in _SIGNED:
            return None
        amount = -amount
    if unit == "kelvin" and not _KELVIN[0] <= amount <= _KELVIN[1]:
        return None
    return Quantity(number.start, number.end, amount, unit)


def _sum(read: list[Quantity | None]) -> list[Quantity]:
    """Read 5'11" as one length, in the smaller unit."""
    big, small = read
    if big is None or small is None:
        return []
    total = convert(big.amount, big.unit, small.unit) + small.amount
    return [Quantity(big.start, small.end, total, small.unit)]


def _range(read: list[Quantity | None], first: _Number) -> list[Quantity]:
    low, high = read
    if low is None or high is None:
        return [quantity for quantity in (low, high) if quantity]
    if dimension(low.unit) != dimension(high.unit):
        return [low, high] if first.unit else []
    if first.unit is None and low.amount >= high.amount:
        return [high]
    return [low._replace(part=Part.LOW), high._replace(part=Part.HIGH)]


def _multiple(times: _Number, each: Quantity | None) -> list[Quantity]:
    count = read_numeral(times.digits)
    if each is None or count is None or count != count.to_integral_value() or not 0 < count <= 10_000:
        return []
    return [each._replace(times=int(count), chain=times.start)]
