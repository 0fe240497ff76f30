"""Which of an item's quantities belongs to which attribute of its template: by unit, cue words and place."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from agents.reading.findings import Finding, Rank, rank_in
from agents.reading.labelled_values import names_of
from agents.reading.passages import Passage, Role, spoken_for, within
from agents.values.normalization import in_unit
from agents.values.numerals import plain
from agents.values.quantities import Part, Quantity, chains
from agents.values.units import convert, dimension
from agents.values.words import fold, word_set, words_around
from memory.category import AttributeSpec, AttributeType, CategoryTemplate

_CLAUSE_END = re.compile(r"[,;|•()\n/]|[.!?] | ?[-–—] ")
_BEFORE, _AFTER = 4, 3  # how many words of the clause may hold a cue
# These follow what they qualify: "5 m long"; in "5 m long 3 m wide" the 3 m is not long.
_FOLLOWING = word_set("long wide high deep thick tall lang breit hoch tief dick")
# What stands by these words is hardly ever a plain property of the product itself.
_FOREIGN = word_set(
    "shipping versandgewicht versand gross brutto package parcel warranty guarantee garantie gewahrleistung "
    "load traglast belastbar belastbarkeit tragkraft capacity max maximum maximal mindestens minimum minimal "
    "range reichweite distance entfernung replaces replacement ersetzt equivalent entspricht charge charging "
    "ladezeit geladen delivery lieferung protection return ruckgabe depth tauchtiefe wasserdicht waterproof holding "
    "pull haftkraft strength standby drying trocknung fall drop survives"
)
_FOREIGN_BEFORE = word_set("per pro je up bis over uber under unter within innerhalb than als every alle try matching")
# Parts that a description measures by the way; in a title they are the product.
_PARTS = word_set("cable kabel cord kabellange adapter usb input output eingang ausgang pocket boden bottle bottles")
_LETTERS = {"L": "length", "W": "width", "B": "width", "H": "height", "D": "depth", "T": "depth", "Ø": "diameter"}
_ORDER = re.compile(r"\b([LWBHDT]) ?[x×*/] ?([LWBHDT])(?: ?[x×*/] ?([LWBHDT]))?\b")
_IMPERIAL = frozenset({"ounce", "pound", "fluid_ounce", "gallon", "quart", "pint", "inch", "foot", "yard"})
_FALLING = ("length", "width", "thickness")
_NATURAL = 300
_ODD = Decimal("0.1")
_APART = Decimal(30)
_SAME = Decimal("0.025")  # "12 oz (340 g)" says one thing twice


class _Sighting(NamedTuple):
    passage: Passage
    quantity: Quantity
    amount: Decimal  # in the attribute's unit
    cued: bool


def measured(read: Sequence[Passage], template: CategoryTemplate) -> dict[str, list[Finding]]:
    """Return the quantities found for each quantity attribute of the template, by its key.

    A quantity goes to the attribute of its dimension whose name stands nearest in its clause. Without such a name it
    is taken when one attribute of the template has that dimension (or one alone a unit of that scale), and the text
    states one such quantity: the title, or where it is silent the description. Of "6 x 330 ml" the 330 ml is meant.
    """
    specs = [spec for spec in template.attributes if spec.type is AttributeType.QUANTITY]
    sightings: dict[str, list[_Sighting]] = {}
    for passage in read if specs else ():
        for quantity in passage.quantities if passage.is_prose else ():
            for spec in _owners(passage, quantity, specs):
                amount = in_unit(quantity, spec.unit or "")
                if amount is not None and (amount > 0 or "degree" in (spec.unit or "")):
                    cued = _cue(passage, quantity, spec) > 0
                    sightings.setdefault(spec.key, []).append(_Sighting(passage, quantity, amount, cued))
    return {spec.key: _findings(sightings.get(spec.key, []), spec) for spec in specs}


def _owners(passage: Passage, quantity: Quantity, specs: Sequence[AttributeSpec]) -> list[AttributeSpec]:
    """Return the attribute that a quantity belongs to, in a list, or an empty one."""
    if within(quantity.start, quantity.end, passage.foreign):
        return []
    elsewhere = within(quantity.start, quantity.end, passage.for_others)
    fitting = [s for s in specs if _measures(quantity, s, specs) and (not elsewhere or spoken_for(s))]
    if quantity.part is Part.SIDE:
        side = _side(passage, quantity) or _side_by_size(passage, quantity, fitting)
        return [spec for spec in fitting if side in (spec.key, fold(spec.name))]
    if quantity.part is not Part.SINGLE:
        fitting = [spec for spec in fitting if quantity.part is _end_meant(spec)]
    scores = {spec.key: _cue(passage, quantity, spec) for spec in fitting}
    best = max(scores.values(), default=0)
    if best > 0:
        top = [spec for spec in fitting if scores[spec.key] == best]
        return top if len(top) == 1 else []
    if len(fitting) > 1:
        fitting = [spec for spec in fitting if _is_natural(quantity, spec) and _stands_apart(spec, fitting)]
    return fitting if len(fitting) == 1 and _is_plain(passage, quantity, fitting[0]) else []


def _is_plain(passage: Passage, quantity: Quantity, spec: AttributeSpec) -> bool:
    """Say whether a quantity without a cue may be the product's: prose gives lengths and odd scales of other things."""
    if passage.role is not Role.TITLE:
        amount = in_unit(quantity, spec.unit or "") or Decimal(0)
        if dimension(spec.unit or "") == dimension("meter") or amount < _ODD:
            return False
    return not _is_foreign(passage, quantity, spec)


def _stands_apart(spec: AttributeSpec, others: Sequence[AttributeSpec]) -> bool:
    """Say whether all the others are measured in units of another scale, or in inches where this one is not."""
    factors = [convert(Decimal(1), spec.unit or "", other.unit or "") for other in others if other is not spec]
    return all(factor >= _APART or factor <= 1 / _APART or spec.unit == "inch" for factor in factors)


def _is_natural(quantity: Quantity, spec: AttributeSpec) -> bool:
    """Say whether one would state the quantity in the attribute's unit: 20 m of hose in metres, not in millimetres."""
    if "inch" in (quantity.unit, spec.unit):
        return quantity.unit == spec.unit
    amount = in_unit(quantity, spec.unit or "")
    return amount is not None and 1 <= amount <= _NATURAL


def _measures(quantity: Quantity, spec: AttributeSpec, specs: Sequence[AttributeSpec]) -> bool:
    if in_unit(quantity, spec.unit or "") is None:
        return False
    if quantity.unit != "ounce" or dimension(spec.unit or "") == dimension("gram"):
        return True
    return not any(dimension(other.unit or "") == dimension("gram") for other in specs)


def _end_meant(spec: AttributeSpec) -> Part | None:
    name = set(re.split(r"[_\W]", spec.key))
    return Part.LOW if name & {"min", "minimum", "from"} else Part.HIGH if name & {"max", "maximum"} else None


def _side(passage: Passage, quantity: Quantity) -> str:
    """Return which side of a chain the quantity is, by its letter or an order such as "LxWxH" just before or after."""
    if quantity.side:
        return _LETTERS.get(quantity.side, "")
    chain = chains(passage.text, passage.language)[quantity.chain]
    around = (
        passage.text[max(0, quantity.chain - 25) : quantity.chain],
        passage.text[chain[-1].end : chain[-1].end + 20],
    )
    order = _ORDER.search(around[0]) or _ORDER.search(around[1])
    letters = [letter for letter in order.groups() if letter] if order else []
    return _LETTERS[letters[chain.index(quantity)]] if len(letters) == len(chain) else ""


def _side_by_size(passage: Passage, quantity: Quantity, fitting: Sequence[AttributeSpec]) -> str:
    """Return the side where falling sizes leave no doubt: "183 x 61 x 0.6 cm" of length, width and thickness."""
    chain = chains(passage.text, passage.language)[quantity.chain]
    sizes = [convert(side.amount, side.unit, "meter") for side in chain]
    asked = [side for side in _FALLING if side in {spec.key for spec in fitting}]
    sides = {"height", "depth", "diameter"} & {spec.key for spec in fitting}
    falls = all(larger > smaller for larger, smaller in pairwise(sizes))
    clear = falls and not sides and len(asked) == len(chain) == 3
    return asked[chain.index(quantity)] if clear else ""


def _cue(passage: Passage, quantity: Quantity, spec: AttributeSpec) -> int:
    """Return how near one of the attribute's names stands in the quantity's clause; 0 where none does."""
    before, after = _clause(passage, quantity)
    best = 0
    for name in _cues(spec):
        size = len(name)
        for distance in range(len(before) - size + 1):
            piece = before[len(before) - size - distance : len(before) - distance]
            if piece == name and not set(name) <= _FOLLOWING:
                best = max(best, 10 * (_BEFORE + 1 - distance) + size)
        for distance in range(len(after) - size + 1):
            if after[distance : distance + size] == name:
                bonus = 10 if set(name) <= _FOLLOWING else -5
                best = max(best, 10 * (_AFTER + 1 - distance) + size + bonus)
    return best


@lru_cache(maxsize=4_096)
def _cues(spec: AttributeSpec) -> frozenset[tuple[str, ...]]:
    return frozenset(name for names in names_of(spec).values() for name in names)


def _clause(passage: Passage, quantity: Quantity) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folded words of the clause that stand right before and right after the quantity."""
    first, last = words_around(passage.words, quantity.start, quantity.end)
    head = passage.words[max(0, first - _BEFORE) : first]
    tail = passage.words[last : last + _AFTER]
    before: list[str] = []
    edge = quantity.start
    for word in reversed(head):
        if _CLAUSE_END.search(passage.text[word.end : edge]):
            break
        before.insert(0, word.folded)
        edge = word.start
    after: list[str] = []
    edge = quantity.end
    for word in tail:
        if _CLAUSE_END.search(passage.text[edge : word.start]):
            break
        after.append(word.folded)
        edge = word.end
    return tuple(before), tuple(after)


def _is_foreign(passage: Passage, quantity: Quantity, spec: AttributeSpec) -> bool:
    """Say whether words by the quantity tell that it is not the product's own property, or another way to put one."""
    if passage.text[max(0, quantity.start - 3) : quantity.start].rstrip().endswith(("=", "≙", "≈", "±", "/-")):
        return True
    before, after = _clause(passage, quantity)
    around = set(before[-3:]) | set(after[:2])
    foreign = (around & _FOREIGN) | (set(before[-2:]) & _FOREIGN_BEFORE)
    if passage.role is not Role.TITLE:
        foreign |= around & _PARTS
    own = [word for name in _cues(spec) for word in name]
    return not all(any(word.startswith(strange) for word in own) for strange in foreign)


def _findings(sightings: list[_Sighting], spec: AttributeSpec) -> list[Finding]:
    """Return findings of the sightings; uncued ones that contradict each other are dropped."""
    totals = {s.amount * s.quantity.times for s in sightings if s.quantity.times > 1}
    sightings = [s for s in sightings if s.quantity.times > 1 or s.amount not in totals]
    for role in (Role.COLUMN, Role.DESCRIPTION, Role.TITLE):
        uncued = [s.amount for s in sightings if _is_uncued(s) and s.passage.role <= role]
        if uncued and any(abs(amount - uncued[0]) > _SAME * abs(uncued[0]) for amount in uncued):
            sightings = [s for s in sightings if not (_is_uncued(s) and s.passage.role >= role)]
    told_best_first = sorted(sightings, key=lambda s: (s.quantity.unit != spec.unit, s.quantity.unit in _IMPERIAL))
    return [
        Finding(_rank(s), s.passage.field, s.quantity.start, s.quantity.end, plain(s.amount), spec.unit, "rule")
        for s in told_best_first
    ]


def _is_uncued(sighting: _Sighting) -> bool:
    return not sighting.cued and sighting.quantity.part is Part.SINGLE


def _rank(sighting: _Sighting) -> Rank:
    return rank_in(sighting.passage, sighting.cued)
