"""What a column or a label states and no rule could read: taken for an allowed value, or kept as it is written."""

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, NamedTuple

from agents.reading.findings import CONFIDENCE, Finding, Producer, Rank, claims_of
from agents.reading.labelled_values import find_labels, names_of
from agents.reading.passages import Passage, Role, passages
from agents.reading.rules import in_column, is_named_like, says_nothing
from agents.values.normalization import Normalized
from agents.values.snapping import normalize_or_snap
from memory.category import AttributeSpec, AttributeType, CategoryTemplate
from memory.schema import CatalogItem, Claim

if TYPE_CHECKING:
    from memory.encoder import TextEncoder

LONGEST = 200  # code points of a column; longer ones are prose
LONGEST_LABELLED = 60
_OPEN = (AttributeType.TEXT, AttributeType.BOOLEAN)  # text is never unread; a boolean is said in too many ways
_COLON = re.compile(r"[:：=]")


class _Reading(NamedTuple):
    """What a span [start, end) of a passage says of an attribute, and how near it comes to an allowed value."""

    spec: AttributeSpec
    place: tuple[int, int]
    normal: Normalized
    score: float | None


def unread_values(
    item: CatalogItem, template: CategoryTemplate, encoder: "TextEncoder | None" = None, read: Collection[str] = ()
) -> list[Claim]:
    """Return one claim a column or labelled value that an attribute is named like and none could read, in their order.

    Its value is the allowed value that it is taken for, with the score; where it comes near none, it stays as it is
    written, so that the critic refuses it with a reason and it can be reported. Labels in running text ("Color: teal")
    count for attributes of a closed form alone, and for those that are not `read` elsewhere.
    """
    claims: list[Claim] = []
    for passage in passages(item):
        if passage.role is not Role.COLUMN:
            claims += _labelled(item, passage, template, encoder, {*read, *(claim.name for claim in claims)})
        elif passage.is_prose and len(passage.text) <= LONGEST:
            claims += _unread(item, passage, template, encoder)
    return claims


def _labelled(
    item: CatalogItem,
    passage: Passage,
    template: CategoryTemplate,
    encoder: "TextEncoder | None",
    read: Collection[str],
) -> Iterator[Claim]:
    """Yield the first unread labelled value of each attribute that nothing else tells."""
    for spec in template.attributes:
        if spec.type in _OPEN or spec.key in read or passage.stems.isdisjoint(names_of(spec)):
            continue
        for label in find_labels(passage.text, passage.words, spec):
            value = passage.text[label.value_start : label.value_end]
            marked = _COLON.search(passage.text, label.start, label.value_start)
            if marked and len(value) <= LONGEST_LABELLED and not says_nothing(value):
                place = (label.value_start, label.value_end)
                reading = _Reading(spec, place, *normalize_or_snap(value, spec, encoder))
                yield _claim(item, passage, reading, Rank.LABELLED)
                break


def _unread(
    item: CatalogItem, passage: Passage, template: CategoryTemplate, encoder: "TextEncoder | None"
) -> list[Claim]:
    named = [spec for spec in template.attributes if is_named_like(passage.field, spec)]
    if says_nothing(passage.text) or any(True for spec in named for _ in in_column(passage, spec)):
        return []
    whole = (0, len(passage.text))
    readings = [_Reading(spec, whole, *normalize_or_snap(passage.text, spec, encoder)) for spec in named]
    best = min(readings, key=lambda reading: -(reading.score or 0.0), default=None)
    return [] if best is None else [_claim(item, passage, best, Rank.COLUMN)]


def _claim(item: CatalogItem, passage: Passage, reading: _Reading, rank: Rank) -> Claim:
    producer: Producer = "field" if rank is Rank.COLUMN else "rule"
    normal, score = reading.normal, reading.score
    finding = Finding(rank, passage.field, *reading.place, normal.text, normal.unit, producer)
    (claim,) = claims_of(item, reading.spec, [finding])
    sure = CONFIDENCE[producer] * (1.0 if score is None else score)
    return claim.model_copy(update={"snapped": score, "confidence": sure})
