"""What people decided of an item's values, and what their decisions come to for its present text."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from memory.record import Record
from memory.schema import CatalogItem, Claim, ClaimSource, Decision, Evidence, Producer, Reason, Verdict
from memory.whole_spans import is_whole, whole_span


class RulingDecision(StrEnum):
    """What a person says of a value."""

    ACCEPT = "accept"
    CORRECT = "correct"  # it is wrong, or nobody stated one, and another is right
    REJECT = "reject"
    WITHDRAW = "withdraw"  # an earlier decision is taken back


class StatedValue(Record):
    """A value of an attribute: as written, its normal form, and its unit."""

    value: str = Field(min_length=1)
    normalized: str = Field(min_length=1)
    unit: str | None = None


class Quote(Record):
    """Where an item's text said something; offsets are in the text of that time."""

    field: str
    start: int = Field(ge=0)
    end: int = Field(gt=0)
    quote: str = Field(min_length=1)


class JudgedClaim(Record):
    """A claim as it was when a person judged its attribute, and whether it was right: what confidences learn from."""

    item_id: str = ""
    category_id: str = ""
    attribute: str
    value: str
    normalized: str
    unit: str | None = None
    right: bool
    producer: Producer
    confidence: float
    raw_confidence: float | None = None
    seconded_by: tuple[Producer, ...] = ()
    disputed: bool = False
    source: ClaimSource
    field: str | None = None  # of its evidence
    decision: Decision  # the critic's
    reason: Reason
    checked_by: str
    model: str = ""  # of the configuration that made it


class HumanRuling(Record):
    """One decision of a person about one value of an item; a later one about the same value goes before it."""

    id: int = 0  # 0 until it is stored
    item_id: str
    content_hash: str  # of the text that the person saw
    category_id: str
    attribute: str
    many: bool  # the attribute may have several values at once
    decision: RulingDecision
    judged: StatedValue | None  # None: nobody had stated a value
    right: StatedValue | None  # None where the value is rejected
    quote: Quote | None = None  # of what is right
    reviewer: str = ""
    note: str = ""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    claims: tuple[JudgedClaim, ...] = ()  # what the decision says of the claims of that time
    withdraws: int | None = None  # the id of the decision that is taken back


class Said(NamedTuple):
    """What a person says of one value for the item's present text."""

    attribute: str
    value: StatedValue
    right: bool
    many: bool
    evidence: Evidence | None  # None: the text does not say it, the person does


class Standing(NamedTuple):
    """What holds of a person's decisions, and the values that were right of another text but are not in this one."""

    holds: tuple[Said, ...]
    lapsed: tuple[tuple[str, StatedValue], ...]  # attribute, value


def in_force(rulings: Sequence[HumanRuling]) -> tuple[HumanRuling, ...]:
    """Return the rulings that nobody has taken back."""
    gone = {ruling.withdraws for ruling in rulings}
    return tuple(r for r in rulings if r.decision is not RulingDecision.WITHDRAW and r.id not in gone)


def standing_in(item: CatalogItem, rulings: Iterable[HumanRuling]) -> Standing:
    """Return what rulings in force, oldest first, come to for the item's present text.

    Of an attribute that has one value the last right one holds. What a text said holds while the text says it; what
    was rejected, and what a person knew without the text, holds for every text.
    """
    holds: list[Said] = []
    lapsed: list[tuple[str, StatedValue]] = []
    for (attribute, _, _), (ruling, value, right) in _latest(rulings).items():
        evidence = _present(item, ruling) if right and ruling.quote else None
        if right and ruling.quote and evidence is None:
            lapsed.append((attribute, value))
        else:
            holds.append(Said(attribute, value, right, ruling.many, evidence))
    return Standing(tuple(holds), tuple(lapsed))


def judged_claim(claim: Claim, verdict: Verdict, right: bool, category_id: str, model: str) -> JudgedClaim:
    """Return a claim as it is, and whether it is right."""
    shared = claim.model_dump(include=set(JudgedClaim.model_fields))
    field = claim.evidence.field if claim.evidence else None
    ruled = verdict.model_dump(include={"decision", "reason", "checked_by"})
    about = {"attribute": claim.name, "right": right, "category_id": category_id, "model": model, "field": field}
    return JudgedClaim.model_validate(shared | ruled | about)


def _latest(
    rulings: Iterable[HumanRuling],
) -> dict[tuple[str, str, str | None], tuple[HumanRuling, StatedValue, bool]]:
    """Return the last word on each value, and whether it is that the value is right, in order of the last words."""
    latest: dict[tuple[str, str, str | None], tuple[HumanRuling, StatedValue, bool]] = {}
    for ruling in rulings:
        for value, right in _words(ruling):
            key = (ruling.attribute, value.normalized, value.unit)
            if right and not ruling.many:
                rivals = [other for other, (_, _, so) in latest.items() if so and other[0] == ruling.attribute]
                for other in rivals:
                    del latest[other]
            latest.pop(key, None)
            latest[key] = (ruling, value, right)
    return latest


def _words(ruling: HumanRuling) -> Iterator[tuple[StatedValue, bool]]:
    if ruling.judged is not None and ruling.decision is not RulingDecision.ACCEPT:
        yield ruling.judged, False
    if ruling.right is not None:
        yield ruling.right, True


def _present(item: CatalogItem, ruling: HumanRuling) -> Evidence | None:
    """Return where the present text says what the text of that time said: at the same place, else anywhere."""
    quote = ruling.quote
    if quote is None or ruling.right is None:
        return None
    texts = dict(item.texts())
    text = texts.get(quote.field, "")
    if text[quote.start : quote.end] == quote.quote and (
        ruling.content_hash == item.content_hash or is_whole(text, quote.start, quote.end)
    ):
        return Evidence.at(item, quote.field, quote.start, quote.end)
    for words in (quote.quote, ruling.right.value):
        for field in sorted(texts, key=lambda name: name != quote.field):
            place = whole_span(texts[field], words)
            if place is not None:
                return Evidence.at(item, field, *place)
    return None
