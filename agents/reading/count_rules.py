"""Which counts and plain numbers of an item belong to which attribute: only those with a cue."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from agents.reading.findings import Finding, rank_in
from agents.reading.labelled_values import names_of
from agents.reading.passages import Passage, Role, mask, spoken_for, within
from agents.values.counts import PACK_CUES, PIECE_CUES, find_counts
from agents.values.normalization import ValueProblem, normalize
from agents.values.numerals import NUMERAL
from agents.values.words import fold, word_set, words_around
from memory.category import AttributeSpec, AttributeType, CategoryTemplate

_NUMBER = re.compile(rf"(?<![\w.,/⁄-])(?:{NUMERAL})(?![\w%]|[.,]\d)")
_JOINED = re.compile(r"(?<![\w-])([^\W\d_]{2,8})([1-9]\d{0,3})(?![\w%]|[.,]\d)")  # SPF50
_RANGE = re.compile(r"(?<![\w.,/⁄-])(\d{1,4}) ?(?:-|–|bis|to) ?(\d{1,4})(?![\w%]|[.,]\d)")
_GENERIC = word_set(
    "number of anzahl der no total gesamtanzahl how many count die min max minimum maximum minimal maximal"
)
_SIZES = frozenset({"size", "gross", "grosse"})  # "EU size" is written "EU 42"
_PLURALS = re.compile(r"(?:en|es|s|e|n)$")


def counted(read: Sequence[Passage], spec: AttributeSpec, template: CategoryTemplate) -> Iterator[Finding]:
    """Yield the counts of the texts that the attribute's cues claim."""
    kind = _kind(spec)
    if kind is None:
        yield from _beside_a_name(read, spec)
        return
    others_take_pieces = any(_kind(other) == "pieces" for other in template.attributes if other.key != spec.key)
    for passage in read:
        spans = mask(len(passage.text), ((c.start, c.end) for c in find_counts(passage.text) if c.pieces))
        for count in find_counts(passage.text) if passage.is_prose else ():
            mine = (
                count.pieces if kind == "pieces" else not (others_take_pieces and within(count.start, count.end, spans))
            )
            elsewhere = within(count.start, count.end, passage.for_others) or within(*count[:2], passage.foreign)
            if mine and not elsewhere:
                rank = rank_in(passage, cued=passage.role is Role.TITLE)
                yield Finding(rank, passage.field, count.start, count.end, str(count.number), None, "rule")


def numbered(read: Sequence[Passage], spec: AttributeSpec) -> Iterator[Finding]:
    """Yield the plain numbers that stand right by one of the attribute's names: "EU 42", "SPF 30"."""
    yield from _beside_a_name(read, spec)
    names = {name[0] for name in _nouns(spec) if len(name) == 1}
    for passage in read:
        for match in _JOINED.finditer(passage.text) if passage.is_prose else ():
            if _stem(fold(match[1])) in names:
                start, end = match.span(2)
                rank = rank_in(passage, True)
                yield Finding(rank, passage.field, start, end, normalize(match[2], spec).text, None, "rule")


@lru_cache(maxsize=4_096)
def _kind(spec: AttributeSpec) -> str | None:
    """Say whether a count attribute counts the units of a pack, the pieces of a set, or something of its own name."""
    if spec.type is not AttributeType.COUNT:
        return None
    if any(cue in spec.key for cue in PIECE_CUES):
        return "pieces"
    return "pack" if set(spec.key.split("_")) & set(PACK_CUES) - {"count"} or spec.key == "count" else None


@lru_cache(maxsize=4_096)
def _nouns(spec: AttributeSpec) -> frozenset[tuple[str, ...]]:
    """Return the attribute's names without "number of", each word without its plural ending."""
    stripped = set()
    for names in names_of(spec).values():
        for name in names:
            noun = tuple(_stem(word) for word in name if word not in _GENERIC)
            noun = tuple(word for word in noun if word not in _SIZES) or noun
            if noun:
                stripped.add(noun)
    return frozenset(stripped)


def _stem(word: str) -> str:
    return _PLURALS.sub("", word) if len(word) > 4 else word


def _beside_a_name(read: Sequence[Passage], spec: AttributeSpec) -> Iterator[Finding]:
    for passage in read:
        if not passage.is_prose:
            continue
        yield from _range_end(passage, spec)
        measures = mask(len(passage.text), ((quantity.start, quantity.end) for quantity in passage.quantities))
        for match in _NUMBER.finditer(passage.text):
            start, end = match.span()
            elsewhere = not spoken_for(spec) and within(start, end, passage.for_others)
            taken = elsewhere or within(start, end, measures)
            if not taken and _is_beside(passage, start, end, spec):
                yield from _read(passage, match, spec)


def _range_end(passage: Passage, spec: AttributeSpec) -> Iterator[Finding]:
    """Yield the lower or upper end of a range of named things, for the least or the most: "2-6 players"."""
    ends = set(spec.key.split("_")) & {"min", "max"}
    for match in _RANGE.finditer(passage.text) if len(ends) == 1 else ():
        if _is_beside(passage, match.start(), match.end(), spec):
            start, end = match.span(1 if ends == {"min"} else 2)
            yield Finding(
                rank_in(passage, True), passage.field, start, end, str(int(passage.text[start:end])), None, "rule"
            )


def _read(passage: Passage, match: re.Match[str], spec: AttributeSpec) -> Iterator[Finding]:
    try:
        normal = normalize(match.group(), spec, passage.language)
    except ValueProblem:
        return
    yield Finding(rank_in(passage, True), passage.field, match.start(), match.end(), normal.text, None, "rule")


def _is_beside(passage: Passage, start: int, end: int, spec: AttributeSpec) -> bool:
    first, last = words_around(passage.words, start, end)
    before, after = passage.words[max(0, first - 3) : first], passage.words[last : last + 3]
    close_before = bool(before) and passage.text[before[-1].end : start] in (
        " ",
        ": ",
        ":",
        ". ",
        "-",
        ".",
        " - ",
        "= ",
    )
    close_after = bool(after) and passage.text[end : after[0].start] in (" ", "-", " x ", "x ")
    stems_before, stems_after = [_stem(w.folded) for w in before], [_stem(w.folded) for w in after]
    return any(
        (close_before and tuple(stems_before[-len(noun) :]) == noun)
        or (close_after and tuple(stems_after[: len(noun)]) == noun)
        for noun in _nouns(spec)
    )
