"""The rules that read attribute values from an item's text without a model."""

import re
from collections.abc import Iterator
from functools import lru_cache

from agents.reading.count_rules import counted, numbered
from agents.reading.findings import Finding, Producer, Rank, chosen, claims_of, rank_in
from agents.reading.labelled_values import Label, find_introduced, find_labels, names_of
from agents.reading.passages import Passage, Role, passages, spoken_for, within
from agents.reading.quantity_rules import measured
from agents.reading.vocabulary import find_values, value_at, vocabulary
from agents.values.counts import find_counts
from agents.values.normalization import ValueProblem, in_unit, normalize
from agents.values.numerals import NUMERAL
from agents.values.quantities import Part, find_quantities
from agents.values.whole_values import whole_quantity
from agents.values.words import fold, spellings, word_set, words, words_around
from memory.category import AttributeSpec, AttributeType, CategoryTemplate
from memory.schema import CatalogItem, Claim

_CHOSEN = (AttributeType.ENUM, AttributeType.BOOLEAN)
_NOTHING = re.compile(
    r"n/a|na|none|null|nan|unknown|unbekannt|-+|\?+|k\. ?a\.?|keine angabe|not (?:applicable|specified)|tbd"
    r"|unbranded|no brand|generic|no ?name|ohne(?: marke)?|keine|nicht zutreffend|see description|siehe beschreibung"
    r"|various|diverse|other|sonstige"
)
_LONGEST_TEXT = 60
_NUMBER = re.compile(rf"(?<![\w.,/⁄-])(?:{NUMERAL})(?![\w%]|[.,]\d)")
# "zinc plated", "leather look": the word before them is not what the product is made of
_SURFACES = word_set(
    "plated coated look optik style effect finish tone colored coloured beschichtet optic farben friday scented"
)
# Colours in prose are mostly those of other things; right ones stand in the title, a column or by a label.
_COLOR = re.compile(r"colou?r|farbe")
_MADE_OF = re.compile(r"material|fabric|metal|colou?r")


def rule_claims(
    item: CatalogItem, template: CategoryTemplate, refused: frozenset[tuple[str, str]] = frozenset()
) -> list[Claim]:
    """Return what rules read of the template's attributes, as claims with evidence, in the template's order.

    `refused` holds (attribute key, normalized value) pairs that are not offered again: the next best is. Of a field
    the first `LONGEST_READ` code points are read, of an item `MOST_READ` (`agents.reading.passages`); time is linear in
    their number.
    """
    read = [passage for passage in passages(item) if passage.is_prose or _is_named_like_any(passage, template)]
    measures = measured(read, template)
    rivals = _rivals(template)
    claims: list[Claim] = []
    for spec in template.attributes:
        findings = [finding for passage in read for finding in _stated(passage, spec, rivals[spec.key])]
        findings += measures.get(spec.key, [])
        if spec.type is AttributeType.COUNT:
            findings += counted(read, spec, template)
        if spec.type is AttributeType.NUMBER:
            findings += numbered(read, spec)
        claims += claims_of(item, spec, chosen(findings, spec, refused))
    return claims


def _stated(passage: Passage, spec: AttributeSpec, rivals: frozenset[str]) -> Iterator[Finding]:
    """Yield what a column, a label or an allowed word of the passage says of the attribute."""
    if passage.role is Role.COLUMN and is_named_like(passage.field, spec):
        yield from in_column(passage, spec)
        return
    if not passage.stems.isdisjoint(names_of(spec)):  # most passages name few attributes
        yield from _named_and_valued(passage, spec)
    if spec.type in _CHOSEN and passage.is_prose and not passage.stems.isdisjoint(vocabulary(spec).entries):
        yield from _worded(passage, spec, rivals)


def in_column(passage: Passage, spec: AttributeSpec) -> Iterator[Finding]:
    """Yield what a whole column says of the attribute that it is named like."""
    return _valued(passage, spec, Label(0, 0, len(passage.text)), Rank.COLUMN)


def _named_and_valued(passage: Passage, spec: AttributeSpec) -> Iterator[Finding]:
    """Yield what stands by the attribute's name."""
    for label in find_labels(passage.text, passage.words, spec):
        yield from _valued(passage, spec, label, Rank.LABELLED)
    if spec.type is AttributeType.TEXT and passage.is_prose:
        for label in find_introduced(passage.text, passage.words, spec):
            yield from _valued(passage, spec, label, Rank.TITLE_CUED if passage.role is Role.TITLE else Rank.CUED)
    if spec.type in _CHOSEN and passage.is_prose:
        yield from _named(passage, spec)


def is_named_like(field: str, spec: AttributeSpec) -> bool:
    """Say whether a column's name is one of the attribute's names."""
    mine = _joined_names(spec)
    return any("".join(sequence) in mine for sequence in spellings(field.replace("_", " ")[:80]))


def says_nothing(value: str) -> bool:
    """Say whether a value is there for want of one: "n/a", "unbekannt"."""
    return _NOTHING.fullmatch(fold(value.strip(" ."))) is not None


@lru_cache(maxsize=4_096)
def _joined_names(spec: AttributeSpec) -> frozenset[str]:
    return frozenset("".join(name) for names in names_of(spec).values() for name in names)


def _is_named_like_any(passage: Passage, template: CategoryTemplate) -> bool:
    return any(is_named_like(passage.field, spec) for spec in template.attributes)


def _valued(passage: Passage, spec: AttributeSpec, label: Label, rank: Rank) -> Iterator[Finding]:
    """Yield the value or values that stand in a labelled span or a whole column."""
    value = passage.text[label.value_start : label.value_end]
    if says_nothing(value):
        return
    producer: Producer = "field" if rank is Rank.COLUMN else "rule"
    spans = _parts(value, passage, spec, rank)
    for start, end in spans:
        try:
            normal = normalize(value[start:end], spec, passage.language)
        except ValueProblem:
            continue
        place = label.value_start
        yield Finding(rank, passage.field, place + start, place + end, normal.text, normal.unit, producer)


def _parts(value: str, passage: Passage, spec: AttributeSpec, rank: Rank) -> list[tuple[int, int]]:
    """Return the spans of a stated value that may be values of their own."""
    if spec.type in _CHOSEN:
        found = words(value)
        first = value_at(value, found, 0, spec) if found else None
        hits = [first] if first else []
        hits += [
            hit for hit in find_values(value, found, spec, passage.language) if not first or hit.start >= first.end
        ]
        spans = [(hit.start, hit.end) for hit in hits if not hit.negated]
        whole = [(0, len(value))] if spec.type is AttributeType.BOOLEAN or not spans else []
        return [*whole, *spans]
    if spec.type is AttributeType.TEXT:
        return _text_parts(value, spec, rank)
    return _number_parts(value, passage, spec)


def _number_parts(value: str, passage: Passage, spec: AttributeSpec) -> list[tuple[int, int]]:
    """Return the span of the first quantity, count or number that fits the attribute, or none."""
    if spec.type is AttributeType.QUANTITY:
        whole = whole_quantity(value, passage.language)
        if whole and in_unit(whole, spec.unit or "") is not None:
            return [(0, len(value))]
        stated = find_quantities(value, passage.language)
        fitting = [q for q in stated if in_unit(q, spec.unit or "") is not None]
        return [(q.start, q.end) for q in fitting[:1] if q.part is Part.SINGLE]
    counts = find_counts(value) if spec.type is AttributeType.COUNT else ()
    if counts:
        return [(counts[0].start, counts[0].end)]
    return [match.span() for match in _NUMBER.finditer(value)][:1]


def _text_parts(value: str, spec: AttributeSpec, rank: Rank) -> list[tuple[int, int]]:
    pieces = list(re.finditer(r"[^,/]+" if rank is Rank.COLUMN and spec.many else r"[^,]+", value))
    if rank is Rank.COLUMN and not spec.many:
        pieces = list(re.finditer(r".+", value))
    spans = []
    for piece in pieces if spec.many else pieces[:1]:
        text = piece.group()
        start = piece.start() + len(text) - len(text.lstrip(" \"'"))
        end = piece.end() - (len(text) - len(text.rstrip(" .\"'")))
        if start < end and (rank is Rank.COLUMN or end - start <= _LONGEST_TEXT):
            spans.append((start, end))
    return spans


def _named(passage: Passage, spec: AttributeSpec) -> Iterator[Finding]:
    """Yield the allowed word that directly follows the attribute's name: "Gr. M", "made of cotton"."""
    names = names_of(spec)
    for position, word in enumerate(passage.words):
        for name in names.get(word.folded, ()):
            after = position + len(name)
            if tuple(w.folded for w in passage.words[position:after]) != name or after >= len(passage.words):
                continue
            gap = passage.text[passage.words[after - 1].end : passage.words[after].start]
            hit = value_at(passage.text, passage.words, after, spec) if gap in (" ", ". ", ".") else None
            if hit and not hit.negated and spec.type is AttributeType.ENUM:
                yield Finding(Rank.LABELLED, passage.field, hit.start, hit.end, hit.value, None, "rule")
                break


def _worded(passage: Passage, spec: AttributeSpec, rivals: frozenset[str]) -> Iterator[Finding]:
    """Yield the allowed words of running text that speak of this product, and of this attribute of it."""
    if passage.role is not Role.TITLE and _COLOR.fullmatch(spec.key):
        return
    for hit in find_values(passage.text, passage.words, spec, passage.language):
        denied = hit.negated and spec.type is AttributeType.ENUM
        elsewhere = not spoken_for(spec) and within(hit.start, hit.end, passage.for_others)
        if denied or elsewhere or within(hit.start, hit.end, passage.foreign):
            continue
        _, last = words_around(passage.words, hit.start, hit.end)
        following = passage.words[last].folded if last < len(passage.words) else ""
        surface = following in _SURFACES and _MADE_OF.search(spec.key)
        if not surface and following not in rivals:
            yield Finding(rank_in(passage, False), passage.field, hit.start, hit.end, hit.value, None, "vocabulary")


@lru_cache(maxsize=512)
def _rivals(template: CategoryTemplate) -> dict[str, frozenset[str]]:
    """Return the words that make a value another attribute's, by key: "ink" where it has color and ink_color."""
    kept = {spec.key for spec in template.attributes}
    longer = {key: {other.removesuffix(f"_{key}") for other in kept} - kept for key in kept}
    return {key: frozenset(word for other in others for word in other.split("_")) for key, others in longer.items()}
