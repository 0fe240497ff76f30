"""What in the knowledge base does not hold together: contradictions, and facts that are stale."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby

from sqlmodel import Session, col, select

from memory.items import PAGE
from memory.record import Record
from memory.schema import Claim, ClaimSource, Decision, Enrichment, Producer, Provenance, Reason
from memory.staleness import NEVER_ENRICHED, TEXT, AgentNeeds, StaleResult, Wanted, stale
from memory.store import enrichments_of
from memory.tables import EnrichmentRow, ItemRow, VerdictRow, VersionRow
from memory.versions import current_version, is_known_in, lineage


class Said(Record):
    """A value, and who says so where."""

    value: str
    unit: str | None
    source: ClaimSource
    producer: Producer
    field: str | None  # of the item's text; None where it is world knowledge
    quote: str | None


class Contradiction(Record):
    """A value that was refused because another one stands."""

    item_id: str
    attribute: str
    refused: Said
    standing: tuple[Said, ...]
    note: str  # the critic's


class StaleFacts(Record):
    """An item whose results are older than its text, or than the configuration of the version that is read."""

    item_id: str
    why: tuple[str, ...]


def contradictions_in(enrichment: Enrichment) -> Iterator[Contradiction]:
    """Yield the contradictions that the critic found in one item, in the order of its claims."""
    for claim in enrichment.claims:
        verdict = enrichment.verdict_on(claim)
        if verdict.decision is not Decision.ACCEPT and verdict.reason is Reason.CONTRADICTION:
            standing = tuple(_said(other) for other in enrichment.accepted if other.name == claim.name)
            yield Contradiction(
                item_id=enrichment.item_id,
                attribute=claim.name,
                refused=_said(claim),
                standing=standing,
                note=verdict.note,
            )


def contradictions(session: Session) -> Iterator[Contradiction]:
    """Yield the contradictions of all items as the current version has them, in order of item id, a page at a time."""
    last, versions = "", lineage(session)
    others = [decision.value for decision in Decision if decision is not Decision.ACCEPT]
    items = (
        select(VerdictRow.item_id)
        .distinct()
        .where(col(VerdictRow.decision).in_(others), VerdictRow.reason == Reason.CONTRADICTION.value)
        .where(is_known_in(versions, col(VerdictRow.item_id), col(VerdictRow.version_id)))
        .order_by(col(VerdictRow.item_id))
        .limit(PAGE)
    )
    while page := session.exec(items.where(col(VerdictRow.item_id) > last)).all():
        for known in enrichments_of(session, page):
            yield from contradictions_in(known.enrichment)
        last = page[-1]


def stale_facts(
    session: Session, agents: Sequence[AgentNeeds], only: Collection[str] | None = None
) -> Iterator[StaleFacts]:
    """Yield what of all items, or of some, is stale, in order of item id, a page at a time.

    A text that changed hides all that was known of it. The configuration is that of the current version; where its
    results come from several configurations, only changed texts are told.
    """
    current = current_version(session)
    version = None if current is None else session.get(VersionRow, current)
    if version is None:
        return
    if version.provenance is None:
        yield from _of_changed_texts(session, only)
        return
    wanted = Wanted(provenance=Provenance.model_validate(version.provenance), agents=tuple(agents))
    for item_id, results in groupby(stale(session, wanted, only=only), key=lambda result: result.item_id):
        why = dict.fromkeys(_told(result) for result in results if NEVER_ENRICHED not in result.why)
        if why:
            yield StaleFacts(item_id=item_id, why=tuple(why))


def _of_changed_texts(session: Session, only: Collection[str] | None) -> Iterator[StaleFacts]:
    known = select(EnrichmentRow.item_id).where(
        col(EnrichmentRow.item_id) == col(ItemRow.id), col(EnrichmentRow.version_id).in_(lineage(session))
    )
    current = known.where(col(EnrichmentRow.content_hash) == col(ItemRow.content_hash))
    changed = select(ItemRow.id).where(known.exists(), ~current.exists()).order_by(col(ItemRow.id)).limit(PAGE)
    changed = changed if only is None else changed.where(col(ItemRow.id).in_(only))
    last = ""
    while page := session.exec(changed.where(ItemRow.id > last)).all():
        yield from (StaleFacts(item_id=item_id, why=(_TEXT_CHANGED,)) for item_id in page)
        last = page[-1]


_TEXT_CHANGED = "its text changed; what was known of the other text is hidden"


def _told(result: StaleResult) -> str:
    return _TEXT_CHANGED if TEXT in result.why else f"{result.agent}: {', '.join(result.why)}"


def _said(claim: Claim) -> Said:
    return Said(
        value=claim.normalized,
        unit=claim.unit,
        source=claim.source,
        producer=claim.producer,
        field=claim.evidence.field if claim.evidence else None,
        quote=claim.evidence.quote if claim.evidence else None,
    )
