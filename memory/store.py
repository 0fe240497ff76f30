"""What the knowledge base knows of items, version over version: session first, the caller commits."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, Insert, bindparam, delete, func, insert
from sqlmodel import Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from memory.demand_rows import demand_rows, demands_content, demands_of
from memory.demand_tables import DemandRow
from memory.items import PAGE, item_of, items, save_item, save_items, similar_ids
from memory.outcomes import (
    ItemFailure,
    failure_of,
    failures,
    forget_rejected_rows,
    rejected_rows,
    save_failure,
    save_rejected_row,
    settle,
    settle_leased,
)
from memory.record import Record
from memory.rows import (
    ClaimParts,
    Row,
    StoredKnowledge,
    claim_rows,
    enrichment_row,
    evidence_rows,
    knowledge_from,
    verdict_rows,
)
from memory.schema import CatalogItem, Claim, Decision, Enrichment
from memory.stored_templates import save_template, template_of
from memory.tables import (
    TABLES,
    ClaimRow,
    EnrichmentRow,
    EvidenceRow,
    ItemRow,
    ModelCallRow,
    RejectedRowRow,
    VerdictRow,
    WorkRow,
)
from memory.versions import ended_in, known_in, lineage

__all__ = [  # all that is stored of items, from one place
    "Counts",
    "ItemFailure",
    "MismatchedEnrichment",
    "amend_enrichment",
    "claims_of",
    "counts",
    "enrichment_of",
    "enrichments",
    "enrichments_of",
    "failure_of",
    "failures",
    "forget_rejected_rows",
    "item_of",
    "items",
    "rejected_rows",
    "replace_enrichment",
    "replace_enrichments",
    "save_enrichment",
    "save_failure",
    "save_item",
    "save_items",
    "save_rejected_row",
    "save_template",
    "similar_ids",
    "template_of",
]

Learnt = tuple[int, CatalogItem, Enrichment]  # by which version, of which item, what

# Put together once: that would take longer than running them.
_FORGET = delete(TABLES.tables["enrichment"]).where(
    col(EnrichmentRow.item_id) == bindparam("of_item"), col(EnrichmentRow.version_id) == bindparam("of_version")
)
_INSERTS: dict[type[SQLModel], Insert] = {
    table: insert(TABLES.tables[str(table.__tablename__)])
    for table in (EnrichmentRow, ClaimRow, EvidenceRow, VerdictRow, DemandRow)
}


class MismatchedEnrichment(ValueError):
    """An enrichment of another item, or of another text of this item."""


class Counts(Record):
    """How much is stored. An item that failed after it was enriched still counts as enriched."""

    items: int
    enriched: int
    failed: int
    rejected: int
    accepted_claims: int
    abstained_claims: int
    rejected_claims: int
    model_calls: int

    @property
    def waiting(self) -> int:
        """Items that are neither enriched nor failed yet."""
        return self.items - self.enriched - self.failed


def save_enrichment(session: Session, version_id: int, item: CatalogItem, enrichment: Enrichment) -> None:
    """Store what a version learnt of an item, in place of what it knew; its turn with the item has ended well."""
    _refuse_mismatch(item, enrichment)  # before anything is stored
    save_item(session, item)
    replace_enrichment(session, version_id, item, enrichment)


def replace_enrichment(session: Session, version_id: int, item: CatalogItem, enrichment: Enrichment) -> None:
    """Store what a version learnt of an item that is stored already; hidden, if it has another text by now."""
    _replace(session, [(version_id, item, enrichment)])
    settle(session, version_id, item, "enriched")


def amend_enrichment(session: Session, version_id: int, item: CatalogItem, enrichment: Enrichment) -> None:
    """Store a changed result in place of the one there is; turns and leases of the item stay as they are."""
    _replace(session, [(version_id, item, enrichment)])


def replace_enrichments(session: Session, learnt: Sequence[Learnt]) -> None:
    """Store what was learnt of different items that are on lease, as `replace_enrichment`: one statement a table."""
    _replace(session, learnt)
    settle_leased(session, [(version_id, item) for version_id, item, _ in learnt])


def enrichment_of(
    session: Session, item_id: str, version_id: int | None = None, *, own: bool = False
) -> StoredKnowledge | None:
    """Return the item and what a version (the current one unless given) knows of it; None where it knows nothing.

    `own`: only what it learnt itself, nothing of the versions below it. Every evidence is checked against the item's
    stored text again.
    """
    versions = lineage(session, version_id)
    return next(_known(session, versions[:1] if own else versions, col(ItemRow.id) == item_id), None)


def enrichments(session: Session, version_id: int | None = None) -> Iterator[StoredKnowledge]:
    """Yield (item, enrichment) as a version (the current one unless given) has it, in order of item id.

    It is read a page at a time, with three queries a page.
    """
    last, versions = "", lineage(session, version_id)
    while page := list(_known(session, versions, col(ItemRow.id) > last)):
        yield from page
        last = page[-1].item.id


def enrichments_of(
    session: Session, item_ids: Collection[str], version_id: int | None = None, *, own: bool = False
) -> Iterator[StoredKnowledge]:
    """Yield what a version (the current one unless given) knows of some items, in order of id; others are left out.

    `own`: only what it learnt itself, nothing of the versions below it.
    """
    ids, versions = sorted(set(item_ids)), lineage(session, version_id)
    versions = versions[:1] if own else versions
    for page in (ids[at : at + PAGE] for at in range(0, len(ids), PAGE)):
        yield from _known(session, versions, col(ItemRow.id).in_(page), only=page)


def known_ids(session: Session, version_id: int | None = None) -> list[str]:
    """Return the items of which a version (the current one unless given) knows something, in order of id."""
    known = select(ItemRow.id).join(EnrichmentRow, known_in(lineage(session, version_id)))
    return list(session.exec(known.order_by(col(ItemRow.id))))


def claims_of(session: Session, item_id: str, version_id: int | None = None) -> tuple[Claim, ...]:
    """Return the item's claims, accepted and rejected ones; empty where nothing is known."""
    known = enrichment_of(session, item_id, version_id)
    return () if known is None else known.enrichment.claims


def counts(session: Session, version_id: int | None = None) -> Counts:
    """Return how many of everything is stored, as a version (the current one unless given) has it."""
    versions = lineage(session, version_id)
    enriched = select(func.count()).select_from(ItemRow).join(EnrichmentRow, known_in(versions))
    by_decision = (
        select(VerdictRow.decision, func.count())
        .select_from(ItemRow)
        .join(EnrichmentRow, known_in(versions))
        .join(VerdictRow, _of_enrichment(VerdictRow))
        .group_by(col(VerdictRow.decision))
    )
    decided = dict(session.exec(by_decision).all())
    return Counts(
        items=_count(session, ItemRow),
        enriched=session.exec(enriched).one(),
        failed=session.exec(_failed_and_unknown(versions)).one(),
        rejected=_count(session, RejectedRowRow),
        accepted_claims=decided.get(Decision.ACCEPT, 0),
        abstained_claims=decided.get(Decision.ABSTAIN, 0),
        rejected_claims=decided.get(Decision.REJECT, 0),
        model_calls=_count(session, ModelCallRow),
    )


def _refuse_mismatch(item: CatalogItem, enrichment: Enrichment) -> None:
    if (enrichment.item_id, enrichment.content_hash) != (item.id, item.content_hash):
        raise MismatchedEnrichment(f"this enrichment of {enrichment.item_id!r} is not of the given text of {item.id!r}")


def _failed_and_unknown(versions: Collection[int]) -> SelectOfScalar[int]:
    failed = select(func.count()).select_from(ItemRow).join(WorkRow, ended_in(versions))
    return (
        failed.outerjoin(EnrichmentRow, known_in(versions))
        .where(WorkRow.state == "failed")
        .where(col(EnrichmentRow.item_id).is_(None))
    )


def _of_enrichment(part: type[ClaimRow | VerdictRow]) -> ColumnElement[bool]:
    return (col(part.item_id) == col(EnrichmentRow.item_id)) & (col(part.version_id) == col(EnrichmentRow.version_id))


def _replace(session: Session, learnt: Sequence[Learnt]) -> None:
    for _, item, enrichment in learnt:
        _refuse_mismatch(item, enrichment)
    forgotten = [{"of_item": item.id, "of_version": version_id} for version_id, item, _ in learnt]
    session.connection().execute(_FORGET, forgotten)
    _insert(session, EnrichmentRow, learnt, lambda enrichment: [enrichment_row(enrichment)])
    _insert(session, ClaimRow, learnt, claim_rows)
    _insert(session, EvidenceRow, learnt, evidence_rows)
    _insert(session, VerdictRow, learnt, verdict_rows)
    _insert(session, DemandRow, learnt, demand_rows)


def _insert(
    session: Session, table: type[SQLModel], learnt: Iterable[Learnt], rows_of: Callable[[Enrichment], list[Row]]
) -> None:
    rows = [row | {"version_id": version_id} for version_id, _, enrichment in learnt for row in rows_of(enrichment)]
    if rows:
        session.connection().execute(_INSERTS[table], rows)


def _count(session: Session, table: type[SQLModel]) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


def _known(
    session: Session, versions: Collection[int], condition: ColumnElement[bool], *, only: Collection[str] = ()
) -> Iterator[StoredKnowledge]:
    """Yield the first page of what a lineage knows of the items that meet a condition on their id.

    `only`: the ids, where they are scattered over the catalog.
    """
    pairs = select(ItemRow, EnrichmentRow).join(EnrichmentRow, known_in(versions))
    page = session.exec(pairs.where(condition).order_by(col(ItemRow.id)).limit(PAGE)).all()
    if not page:
        return
    first, last, read = page[0][0].id, page[-1][0].id, {row.version_id for _, row in page}
    columns = (col(ClaimRow.item_id), col(DemandRow.item_id))
    of_claims, of_demands = (ids.in_(only) if only else ids.between(first, last) for ids in columns)
    parts, demands = _claims(session, of_claims, read), demands_of(session, of_demands, read)
    session.expunge_all()
    for item, enrichment in page:
        key = item.id, enrichment.version_id
        yield knowledge_from(item, enrichment, parts[key], demands_content(demands[key]))


def _claims(
    session: Session, of_items: ColumnElement[bool], versions: Collection[int]
) -> dict[tuple[str, int], list[ClaimParts]]:
    """Return the claims of some items, with evidence and verdict, by item id and version."""
    query = (
        select(ClaimRow, EvidenceRow, VerdictRow)
        .outerjoin(EvidenceRow, _of_claim(EvidenceRow))
        .join(VerdictRow, _of_claim(VerdictRow))
        .where(of_items, col(ClaimRow.version_id).in_(versions))
    )
    parts: dict[tuple[str, int], list[ClaimParts]] = defaultdict(list)
    for claim, evidence, verdict in session.exec(query):
        parts[claim.item_id, claim.version_id].append((claim, evidence, verdict))
    return parts


def _of_claim(part: type[EvidenceRow | VerdictRow]) -> ColumnElement[bool]:
    return (
        (col(part.item_id) == col(ClaimRow.item_id))
        & (col(part.version_id) == col(ClaimRow.version_id))
        & (col(part.claim_id) == col(ClaimRow.claim_id))
    )
