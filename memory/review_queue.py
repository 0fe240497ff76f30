"""What a person is asked to decide, the most useful first."""

from collections.abc import Collection, Iterator
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from sqlalchemy import ColumnElement, Text, cast
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from memory.record import Record
from memory.reviews import rulings_of, rulings_of_changed_texts
from memory.rows import StoredKnowledge
from memory.rulings import HumanRuling, StatedValue, standing_in
from memory.schema import Claim, Decision, Reason
from memory.store import enrichment_of
from memory.tables import ClaimRow, EnrichmentRow, ItemRow, VerdictRow
from memory.versions import known_in, lineage


class QueueReason(StrEnum):
    """Why a value is in the queue, in the order of the queue."""

    TEXT_CHANGED = "text_changed"  # a person approved what the item's text does not say any more
    ABSTAINED = "abstained"  # nothing speaks against it, but it is not sure enough
    DISPUTED = "disputed"  # it was accepted, and another producer found another value
    CONTRADICTION = "contradiction"  # it lost against another value
    NOT_IN_VOCABULARY = "not_in_vocabulary"  # it is no allowed value, and the attribute has no other
    UNGROUNDED = "ungrounded"  # a model said so, the text does not, and the attribute has no other value
    LEAST_SURE = "least_sure"  # it was accepted; the least confident come first


Key = tuple[str, str, str, str | None]  # item id, attribute, normalized value, unit


class QueueFilter(Record):
    """Which values are wanted: of one attribute, one category, for some reasons; all unless said."""

    attribute: str | None = None
    category: str | None = None  # its id
    reasons: tuple[QueueReason, ...] = tuple(QueueReason)
    first: tuple[str, ...] = ()  # attributes whose values come before those of others, in this order


class QueueEntry(NamedTuple):
    """One value that waits for a person's word."""

    known: StoredKnowledge
    attribute: str
    value: StatedValue
    claim: Claim | None  # None: no claim says so
    reason: QueueReason

    @property
    def key(self) -> Key:
        """What tells the value from all others."""
        return self.known.item.id, self.attribute, self.value.normalized, self.value.unit


def queue(
    session: Session, wanted: QueueFilter, limit: int, passing: Collection[Key] = frozenset()
) -> list[QueueEntry]:
    """Return the first entries of the queue of the current version, without those to pass over.

    The order is that of `QueueReason`; with attributes to come `first`, all that is in doubt of these comes before what
    is in doubt of others, and what was accepted of these before what was accepted of others. Of claims that were not
    accepted the most confident come first, as the likeliest to be right; of accepted ones the least confident; then by
    item id. What a person has decided is in it no more.
    """
    seen = set(passing)
    found: list[QueueEntry] = []
    for reason, part in _turns(wanted):
        for entry in _entries(session, reason, part, limit + len(seen)):
            if entry.key not in seen:
                seen.add(entry.key)
                found.append(entry)
            if len(found) == limit:
                return found
    return found


def _turns(wanted: QueueFilter) -> Iterator[tuple[QueueReason, QueueFilter]]:
    """Yield the parts of the queue in order: each reason with what is wanted of it."""
    first = [attribute for attribute in wanted.first if wanted.attribute in (None, attribute)]
    in_doubt = [reason for reason in QueueReason if reason is not QueueReason.LEAST_SURE]
    for reasons in (in_doubt, [QueueReason.LEAST_SURE]):
        for attribute in (*first, wanted.attribute):
            part = wanted.model_copy(update={"attribute": attribute})
            yield from ((reason, part) for reason in reasons if reason in wanted.reasons)


def _entries(session: Session, reason: QueueReason, wanted: QueueFilter, limit: int) -> Iterator[QueueEntry]:
    match reason:
        case QueueReason.TEXT_CHANGED:
            return _of_changed_texts(session, wanted)
        case QueueReason.UNGROUNDED:
            return _ungrounded(session, wanted)
    return _claims(session, reason, wanted, limit)


def _claims(session: Session, reason: QueueReason, wanted: QueueFilter, limit: int) -> Iterator[QueueEntry]:
    sureness = col(ClaimRow.confidence)
    accepted = reason in (QueueReason.DISPUTED, QueueReason.LEAST_SURE)
    query = (
        select(ClaimRow.item_id, ClaimRow.claim_id)
        .select_from(ItemRow)
        .join(EnrichmentRow, known_in(lineage(session)))
        .join(ClaimRow, _of_enrichment())
        .join(VerdictRow, _ruled(ClaimRow, VerdictRow))
        .where(col(VerdictRow.checked_by) != "human", *_conditions(reason), *_wanted(wanted))
        .order_by(sureness if accepted else sureness.desc(), col(ClaimRow.item_id), col(ClaimRow.position))
        .limit(limit)
    )
    for item_id, claim_id in session.exec(query).all():
        known = enrichment_of(session, item_id)
        if known is not None:
            claim = next(claim for claim in known.enrichment.claims if claim.id == claim_id)
            yield _entry(known, claim, reason)


def _conditions(reason: QueueReason) -> tuple[ColumnElement[bool], ...]:
    decision, why, disputed = col(VerdictRow.decision), col(VerdictRow.reason), col(ClaimRow.disputed)
    match reason:
        case QueueReason.ABSTAINED:
            return (decision == Decision.ABSTAIN.value,)
        case QueueReason.DISPUTED:
            return (decision == Decision.ACCEPT.value, disputed.is_(True))
        case QueueReason.CONTRADICTION:
            return (decision == Decision.REJECT.value, why == Reason.CONTRADICTION.value)
        case QueueReason.NOT_IN_VOCABULARY:
            return (decision == Decision.REJECT.value, why == Reason.NOT_IN_VOCABULARY.value, ~_has_a_value())
    return (decision == Decision.ACCEPT.value, disputed.is_(False))


def _has_a_value() -> ColumnElement[bool]:
    """Return the condition on `ClaimRow` that its attribute has an accepted value."""
    other, ruling = aliased(ClaimRow), aliased(VerdictRow)
    return (
        select(other.claim_id)
        .join(ruling, _ruled(other, ruling))
        .where(col(other.item_id) == col(ClaimRow.item_id), col(other.version_id) == col(ClaimRow.version_id))
        .where(col(other.name) == col(ClaimRow.name), col(ruling.decision) == Decision.ACCEPT.value)
        .correlate(ClaimRow)
        .exists()
    )


def _wanted(wanted: QueueFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.attribute is not None:
        yield col(ClaimRow.name) == wanted.attribute
    if wanted.category is not None:
        yield col(EnrichmentRow.category_id) == wanted.category


def _of_enrichment() -> ColumnElement[bool]:
    return (col(ClaimRow.item_id) == col(EnrichmentRow.item_id)) & (
        col(ClaimRow.version_id) == col(EnrichmentRow.version_id)
    )


def _ruled(claim: type[ClaimRow], verdict: type[VerdictRow]) -> ColumnElement[bool]:
    return (
        (col(verdict.item_id) == col(claim.item_id))
        & (col(verdict.version_id) == col(claim.version_id))
        & (col(verdict.claim_id) == col(claim.claim_id))
    )


def _of_changed_texts(session: Session, wanted: QueueFilter) -> Iterator[QueueEntry]:
    """Yield what is claimed now of attributes whose approved value is not in the text any more, or that value."""
    for item, rulings in rulings_of_changed_texts(session):
        decided = {ruling.attribute for ruling in rulings if ruling.content_hash == item.content_hash}
        lapsed = [one for one in standing_in(item, rulings).lapsed if one[0] not in decided]
        known = enrichment_of(session, item.id) if lapsed else None
        for attribute, value in lapsed:
            if known is not None and _is_wanted(wanted, known, attribute):
                yield from _instead(known, attribute, value)


def _instead(known: StoredKnowledge, attribute: str, value: StatedValue) -> Iterator[QueueEntry]:
    enrichment, reason = known.enrichment, QueueReason.TEXT_CHANGED
    claims = [c for c in enrichment.claims if c.name == attribute and enrichment.verdict_on(c).checked_by != "human"]
    yield from (_entry(known, claim, reason) for claim in claims)
    if not claims:
        yield QueueEntry(known, attribute, value, None, reason)


def _ungrounded(session: Session, wanted: QueueFilter) -> Iterator[QueueEntry]:
    for item_id in _with_ungrounded(session):
        known = enrichment_of(session, item_id)
        if known is None:
            continue
        rulings = rulings_of(session, [item_id]).get(item_id, ())
        has_value = {claim.name for claim in known.enrichment.accepted}
        for proposal in known.enrichment.ungrounded:
            value = StatedValue(value=proposal.value, normalized=proposal.value)
            is_open = proposal.name not in has_value and not _is_judged(proposal.name, value, rulings)
            if is_open and _is_wanted(wanted, known, proposal.name):
                yield QueueEntry(known, proposal.name, value, None, QueueReason.UNGROUNDED)


def _with_ungrounded(session: Session) -> Iterator[str]:
    """Yield the ids of items with ungrounded proposals, in order; read in pages, for most of them are not looked at."""
    last, versions = "", lineage(session)
    while True:
        query = (
            select(ItemRow.id)
            .join(EnrichmentRow, known_in(versions))
            .where(cast(col(EnrichmentRow.ungrounded), Text) != "[]", col(ItemRow.id) > last)
            .order_by(col(ItemRow.id))
        )
        page = list(islice(session.exec(query.limit(100)), 100))
        yield from page
        if len(page) < 100:
            return
        last = page[-1]


def _is_judged(attribute: str, value: StatedValue, rulings: Collection[HumanRuling]) -> bool:
    return any(ruling.attribute == attribute and ruling.judged == value for ruling in rulings)


def _is_wanted(wanted: QueueFilter, known: StoredKnowledge, attribute: str) -> bool:
    return wanted.attribute in (None, attribute) and wanted.category in (
        None,
        known.enrichment.category.category_id,
    )


def _entry(known: StoredKnowledge, claim: Claim, reason: QueueReason) -> QueueEntry:
    value = StatedValue(value=claim.value, normalized=claim.normalized, unit=claim.unit)
    return QueueEntry(known, claim.name, value, claim, reason)
