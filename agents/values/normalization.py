"""The normal form of attribute values: what is stored, checked and compared."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple

from agents.reading.vocabulary import find_values, whole_value
from agents.values.brands import without_legal_form
from agents.values.counts import read_whole
from agents.values.numerals import NUMERAL, VULGAR, plain, read_numeral
from agents.values.quantities import Part, Quantity, find_quantities
from agents.values.sizes import foreign_system, jeans_number, sides
from agents.values.units import convert, dimension, same_dimension
from agents.values.whole_values import whole_quantity
from agents.values.words import Language, fold, words
from memory.category import AttributeSpec, AttributeType, TitlePosition
from memory.schema import Reason

_CANONICAL = re.compile(r"-?\d{1,12}(?:\.\d*[1-9])?")
_BARE = re.compile(rf"[^\d{VULGAR}]{{0,12}}?({NUMERAL})[^\d{VULGAR}]{{0,12}}")
_LARGEST = Decimal(10) ** 12
_TOLERANCE = Decimal("1e-6")
_SAID = {"yes": "yes", "ja": "yes", "true": "yes", "y": "yes", "no": "no", "nein": "no", "false": "no", "n": "no"}


class Normalized(NamedTuple):
    """A value in its normal form, and the unit of a quantity."""

    text: str
    unit: str | None = None


class ValueProblem(ValueError):
    """A value does not fit its attribute; `reason` says why."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def normalize(value: str, spec: AttributeSpec, language: Language | None = None) -> Normalized:
    """Return the normal form of a value of the attribute, or raise `ValueProblem`.

    Text: NFC, outer blanks off, inner ones single; a brand without the maker's legal form, sides as "90 x 200 cm"; what
    the taxonomy lists as a value in its spelling there.
    Enum, boolean: the allowed value. Count: a whole number. Number: a decimal. Quantity: a decimal in the attribute's
    unit, which it carries. Decimals have no exponent and no closing zeros.
    `language` settles "1.500" as `agents.values.numerals` says. A normal form, written with its unit, is its own
    normal form.
    """
    text = unicodedata.normalize("NFC", " ".join(value.split()))
    if not text:
        raise ValueProblem(Reason.WRONG_TYPE, f"{spec.key}: an empty value")
    match spec.type:
        case AttributeType.TEXT:
            return Normalized(_text(text, spec))
        case AttributeType.ENUM | AttributeType.BOOLEAN:
            return Normalized(_allowed(text, spec))
        case AttributeType.COUNT:
            return Normalized(_count(text, spec))
        case AttributeType.NUMBER:
            return Normalized(_number(text, spec, language))
        case AttributeType.QUANTITY:
            return Normalized(_quantity(text, spec, language), spec.unit)


def same_value(one: str, other: str, spec: AttributeSpec) -> bool:
    """Say whether two values, normalized or as written, mean the same."""
    if spec.type is AttributeType.TEXT:
        return bare_text(_text(one, spec)) == bare_text(_text(other, spec))
    left, right = _normal_or_plain(one, spec), _normal_or_plain(other, spec)
    try:
        first, second = Decimal(left), Decimal(right)
    except InvalidOperation:
        return fold(left) == fold(right)
    return abs(first - second) <= _TOLERANCE * max(abs(first), abs(second))


def bare_text(text: str) -> str:
    """Return what tells one open value from another: its letters and digits without case and accents, "+" and "/"."""
    return "".join(char for char in fold(unicodedata.normalize("NFKC", text)) if char.isalnum() or char in "+/")


def in_unit(quantity: Quantity, unit: str) -> Decimal | None:
    """Return a stated quantity's amount in `unit`, or None where it measures something else."""
    if quantity.unit == "ounce" and dimension(unit) == dimension("fluid_ounce"):
        quantity = quantity._replace(unit="fluid_ounce")
    return convert(quantity.amount, quantity.unit, unit) if same_dimension(quantity.unit, unit) else None


def _text(text: str, spec: AttributeSpec) -> str:
    if spec.title_position is TitlePosition.START:
        text = without_legal_form(text)
    elif spec.title_position is None:
        text = sides(text) or text
    return _listed(spec).get(bare_text(text), text) if spec.values else text


@lru_cache(maxsize=1_024)
def _listed(spec: AttributeSpec) -> dict[str, str]:
    """Return the spelling that a taxonomy wants of an open attribute's listed values, by their bare texts."""
    return {bare_text(word): allowed.value for allowed in spec.values for word in (*allowed.aliases, allowed.value)}


def _allowed(text: str, spec: AttributeSpec) -> str:
    if spec.type is AttributeType.BOOLEAN and (said := _SAID.get(fold(text))):
        return said
    exact = next((allowed.value for allowed in spec.values if fold(allowed.value) == fold(text)), None)
    found = words(text)
    value = exact or whole_value(text, found, spec)
    if value is None and spec.type is AttributeType.BOOLEAN:
        hits = {hit.value for hit in find_values(text, found, spec, None)}
        value = hits.pop() if len(hits) == 1 else None
    if value is None:
        raise ValueProblem(Reason.NOT_IN_VOCABULARY, f"{spec.key}: {text[:80]!r} is no allowed value")
    return value


def _count(text: str, spec: AttributeSpec) -> str:
    number = read_whole(text[:200])
    if number is None:
        raise ValueProblem(Reason.WRONG_TYPE, f"{spec.key}: {text[:80]!r} is no whole number")
    return plain(_in_range(Decimal(number), spec))


def _number(text: str, spec: AttributeSpec, language: Language | None) -> str:
    if _CANONICAL.fullmatch(text):
        return plain(_in_range(Decimal(text), spec))
    if system := foreign_system(text, spec):
        raise ValueProblem(Reason.WRONG_UNIT, f"{spec.key}: {text[:80]!r} is a size of {system}")
    match = _BARE.fullmatch(jeans_number(text, spec) or text)
    number = read_numeral(match[1], language) if match else None
    if number is None:
        raise ValueProblem(Reason.WRONG_TYPE, f"{spec.key}: {text[:80]!r} is no single number")
    return plain(_in_range(number, spec))


def _quantity(text: str, spec: AttributeSpec, language: Language | None) -> str:
    unit = spec.unit or ""
    number = text.removesuffix(unit).rstrip()
    if number != text and _CANONICAL.fullmatch(number):
        return plain(_in_range(Decimal(number), spec))
    whole = whole_quantity(text, language)
    found = (whole,) if whole else find_quantities(text[:200], language)
    if not found and not re.search(r"[\d½¼¾]", text):
        raise ValueProblem(Reason.WRONG_TYPE, f"{spec.key}: {text[:80]!r} is no quantity")
    amounts = [amount for quantity in found if (amount := in_unit(quantity, unit)) is not None]
    if not amounts:
        raise ValueProblem(Reason.WRONG_UNIT, f"{spec.key}: {text[:80]!r} has no unit like {unit}")
    written = {plain(amount) for amount in amounts}
    if len(written) > 1 or any(quantity.part is not Part.SINGLE for quantity in found):
        raise ValueProblem(Reason.WRONG_TYPE, f"{spec.key}: {text[:80]!r} states several quantities")
    return plain(_in_range(amounts[0], spec))


def _in_range(number: Decimal, spec: AttributeSpec) -> Decimal:
    if abs(number) > _LARGEST or (number <= 0 and "degree" not in (spec.unit or "")):
        raise ValueProblem(Reason.OUT_OF_RANGE, f"{spec.key}: {number} is out of range")
    return number


def _normal_or_plain(value: str, spec: AttributeSpec) -> str:
    if spec.type is AttributeType.QUANTITY and _CANONICAL.fullmatch(value.strip()):
        return value.strip()
    try:
        return normalize(value, spec).text
    except ValueProblem:
        return value
