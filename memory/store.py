"""What the knowledge base keeps of items: saving and reading, session first, the caller commits."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from sqlalchemy import ColumnElement, delete, func, insert, or_, update
from sqlmodel import Session, SQLModel, col, select

from memory.catalog import RejectedRow
from memory.category import CategoryTemplate
from memory.record import Record
from memory.rows import (
    ClaimParts,
    Row,
    StoredKnowledge,
    claim_rows,
    enrichment_row,
    evidence_rows,
    item_from,
    item_row,
    knowledge_from,
    now,
    verdict_rows,
)
from memory.schema import CatalogItem, Claim, Decision, Enrichment
from memory.tables import (
    ClaimRow,
    EnrichmentRow,
    EvidenceRow,
    ItemFailureRow,
    ItemRow,
    ModelCallRow,
    RejectedRowRow,
    TemplateRow,
    VerdictRow,
)

PAGE = 500  # items read at a time: what streaming holds in memory


class MismatchedEnrichment(ValueError):
    """An enrichment of another item, or of another text of this item."""


class ItemFailure(Record):
    """Why the last attempt at an item gave nothing."""

    item_id: str
    reason: str
    detail: str = ""


class Counts(Record):
    """How much is stored. An item that failed after it was enriched still counts as enriched."""

    items: int
    enriched: int
    failed: int
    rejected: int
    accepted_claims: int
    revised_claims: int
    rejected_claims: int
    model_calls: int

    @property
    def waiting(self) -> int:
        """Items that are neither enriched nor failed yet."""
        return self.items - self.enriched - self.failed


def save_item(session: Session, item: CatalogItem, *, catalog: str | None = None, line: int | None = None) -> None:
    """Store an item, or replace its text; what was known of another text of it is dropped with its evidence."""
    row: Row = item_row(item) | {"updated_at": now()}
    if catalog is not None:
        row |= {"catalog": catalog, "line": line}
    stored_hash = session.scalar(select(ItemRow.content_hash).where(ItemRow.id == item.id))
    if stored_hash is None:
        session.execute(insert(ItemRow).values(id=item.id, created_at=row["updated_at"], **row))
        return
    if stored_hash != item.content_hash:
        session.execute(delete(EnrichmentRow).where(col(EnrichmentRow.item_id) == item.id))
        session.execute(delete(ItemFailureRow).where(col(ItemFailureRow.item_id) == item.id))
    session.execute(update(ItemRow).where(col(ItemRow.id) == item.id).values(**row))


def item_of(session: Session, item_id: str) -> CatalogItem | None:
    """Return the stored item, or None."""
    row = session.get(ItemRow, item_id)
    return None if row is None else item_from(row)


def items(session: Session) -> Iterator[CatalogItem]:
    """Yield all stored items in order of id, a page at a time."""
    last = ""
    while page := session.exec(select(ItemRow).where(ItemRow.id > last).order_by(col(ItemRow.id)).limit(PAGE)).all():
        yield from map(item_from, page)
        last = page[-1].id
        session.expunge_all()


def save_template(session: Session, template: CategoryTemplate) -> None:
    """Store a category's template, replacing the one of the same taxonomy version and completing model."""
    key = (template.category_id, template.taxonomy_version, template.completed_by or "")
    category_id, taxonomy_version, completed_by = key
    content = template.model_dump(mode="json")
    session.merge(
        TemplateRow(
            category_id=category_id, taxonomy_version=taxonomy_version, completed_by=completed_by, content=content
        )
    )
    session.flush()


def template_of(
    session: Session, category_id: str, taxonomy_version: str, completed_by: str | None = None
) -> CategoryTemplate | None:
    """Return a category's template in one taxonomy version, as completed by that model (or by none), or None."""
    row = session.get(TemplateRow, (category_id, taxonomy_version, completed_by or ""))
    return None if row is None else CategoryTemplate.model_validate(row.content)


def save_enrichment(session: Session, item: CatalogItem, enrichment: Enrichment) -> None:
    """Store what was learnt of an item: the item, the whole enrichment in place of the old one; its failure is over."""
    if (enrichment.item_id, enrichment.content_hash) != (item.id, item.content_hash):
        raise MismatchedEnrichment(f"this enrichment of {enrichment.item_id!r} is not of the given text of {item.id!r}")
    save_item(session, item)
    session.execute(delete(EnrichmentRow).where(col(EnrichmentRow.item_id) == item.id))
    session.execute(delete(ItemFailureRow).where(col(ItemFailureRow.item_id) == item.id))
    _insert(session, EnrichmentRow, [enrichment_row(enrichment)])
    _insert(session, ClaimRow, claim_rows(enrichment))
    _insert(session, EvidenceRow, evidence_rows(enrichment))
    _insert(session, VerdictRow, verdict_rows(enrichment))


def enrichment_of(session: Session, item_id: str) -> StoredKnowledge | None:
    """Return the item and what is known of it, every evidence checked again; None where nothing is known."""
    return next(_known(session, col(ItemRow.id) == item_id), None)


def enrichments(session: Session) -> Iterator[StoredKnowledge]:
    """Yield (item, enrichment) in order of item id, a page at a time: two queries a page."""
    last = ""
    while page := list(_known(session, col(ItemRow.id) > last)):
        yield from page
        last = page[-1].item.id


def claims_of(session: Session, item_id: str) -> tuple[Claim, ...]:
    """Return the item's claims, accepted and rejected ones; empty where nothing is known."""
    known = enrichment_of(session, item_id)
    return () if known is None else known.enrichment.claims


def save_failure(session: Session, item: CatalogItem, reason: str, detail: str = "") -> None:
    """Store the item and why the last attempt at it gave nothing; what was known of the same text stays."""
    save_item(session, item)
    session.execute(delete(ItemFailureRow).where(col(ItemFailureRow.item_id) == item.id))
    _insert(session, ItemFailureRow, [{"item_id": item.id, "reason": reason, "detail": detail, "at": now()}])


def failures(session: Session) -> list[ItemFailure]:
    """Return why items failed, in order of item id."""
    rows = session.exec(select(ItemFailureRow).order_by(col(ItemFailureRow.item_id))).all()
    return [ItemFailure(item_id=row.item_id, reason=row.reason, detail=row.detail) for row in rows]


def failure_of(session: Session, item_id: str) -> ItemFailure | None:
    """Return why the last attempt at an item gave nothing, or None."""
    row = session.get(ItemFailureRow, item_id)
    return None if row is None else ItemFailure(item_id=row.item_id, reason=row.reason, detail=row.detail)


def save_rejected_row(session: Session, catalog: str, line: int, reason: str, item_id: str | None = None) -> None:
    """Store why a catalog row is no item, in place of what was said of the same line before."""
    at_line = (col(RejectedRowRow.catalog) == catalog, col(RejectedRowRow.line) == line)
    session.execute(delete(RejectedRowRow).where(*at_line))
    _insert(session, RejectedRowRow, [{"catalog": catalog, "line": line, "reason": reason, "item_id": item_id}])


def forget_rejected_rows(session: Session, catalog: str) -> None:
    """Drop what was said of a catalog's rows, before it is read anew."""
    session.execute(delete(RejectedRowRow).where(col(RejectedRowRow.catalog) == catalog))


def rejected_rows(session: Session) -> list[RejectedRow]:
    """Return the refused catalog rows, in order of catalog and line."""
    order = (col(RejectedRowRow.catalog), col(RejectedRowRow.line))
    rows = session.exec(select(RejectedRowRow).order_by(*order)).all()
    return [RejectedRow(file=r.catalog, line=r.line, reason=r.reason, item_id=r.item_id) for r in rows]


def counts(session: Session) -> Counts:
    """Return how many of everything is stored."""
    unknown = (
        select(func.count())
        .select_from(ItemFailureRow)
        .outerjoin(EnrichmentRow, col(EnrichmentRow.item_id) == col(ItemFailureRow.item_id))
    )
    by_decision = select(VerdictRow.decision, func.count()).group_by(col(VerdictRow.decision))
    decided = dict(session.exec(by_decision).all())
    return Counts(
        items=_count(session, ItemRow),
        enriched=_count(session, EnrichmentRow),
        failed=session.exec(unknown.where(col(EnrichmentRow.item_id).is_(None))).one(),
        rejected=_count(session, RejectedRowRow),
        accepted_claims=decided.get(Decision.ACCEPT, 0),
        revised_claims=decided.get(Decision.REVISE, 0),
        rejected_claims=decided.get(Decision.REJECT, 0),
        model_calls=_count(session, ModelCallRow),
    )


def search_items(session: Session, text: str, limit: int = 20) -> list[CatalogItem]:
    """Return at most `limit` items, in order of id, that have every word of `text` in id, title or description."""
    query = select(ItemRow).order_by(col(ItemRow.id)).limit(limit)
    for word in text.split():
        columns = (col(ItemRow.id), col(ItemRow.title), col(ItemRow.description))
        query = query.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    return [item_from(row) for row in session.exec(query).all()]


def similar_ids(session: Session, item_id: str, limit: int = 5) -> list[str]:
    """Return at most `limit` stored ids that are most like one that is not, best first; empty where nothing is stored.

    Looked at are the ids that contain it and those before and after it in order, never all of a large catalog.
    """
    column = col(ItemRow.id)
    nearby = (
        select(column).where(column.icontains(item_id, autoescape=True)).order_by(column),
        select(column).where(column >= item_id).order_by(column),
        select(column).where(column < item_id).order_by(column.desc()),
    )
    found = dict.fromkeys(stored for query in nearby for stored in session.exec(query.limit(50)))
    return get_close_matches(item_id, found, n=limit, cutoff=0.0)


def _insert(session: Session, table: type[SQLModel], rows: Sequence[Row]) -> None:
    if rows:
        session.execute(insert(table), rows)


def _count(session: Session, table: type[SQLModel]) -> int:
    return session.exec(select(func.count()).select_from(table)).one()


def _known(session: Session, condition: ColumnElement[bool]) -> Iterator[StoredKnowledge]:
    """Yield the first page of enriched items that meet a condition on their id."""
    pairs = select(ItemRow, EnrichmentRow).join(EnrichmentRow, col(EnrichmentRow.item_id) == col(ItemRow.id))
    page = session.exec(pairs.where(condition).order_by(col(ItemRow.id)).limit(PAGE)).all()
    if not page:
        return
    parts = _claims_between(session, page[0][0].id, page[-1][0].id)
    session.expunge_all()
    for item, enrichment in page:
        yield knowledge_from(item, enrichment, parts[item.id])


def _claims_between(session: Session, first: str, last: str) -> dict[str, list[ClaimParts]]:
    """Return the claims of the items from `first` to `last`, with evidence and verdict, by item id."""
    query = (
        select(ClaimRow, EvidenceRow, VerdictRow)
        .outerjoin(
            EvidenceRow,
            (col(EvidenceRow.item_id) == col(ClaimRow.item_id)) & (col(EvidenceRow.claim_id) == col(ClaimRow.claim_id)),
        )
        .join(
            VerdictRow,
            (col(VerdictRow.item_id) == col(ClaimRow.item_id)) & (col(VerdictRow.claim_id) == col(ClaimRow.claim_id)),
        )
        .where(col(ClaimRow.item_id).between(first, last))
    )
    parts: dict[str, list[ClaimParts]] = defaultdict(list)
    for claim, evidence, verdict in session.exec(query):
        parts[claim.item_id].append((claim, evidence, verdict))
    return parts
