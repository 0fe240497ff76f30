"""Which written values were approved: the accepted text claims of a version, counted by category and attribute."""

from collections import defaultdict

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from memory.schema import ClaimSource, Decision
from memory.tables import ClaimRow, EnrichmentRow, ItemRow, VerdictRow
from memory.versions import known_in, lineage


def approved_values(session: Session, version_id: int | None = None) -> dict[tuple[str, str], dict[str, int]]:
    """Return (category id, attribute key) → written value → number of items, in a version (the current unless given).

    A value is written as the item's text has it, so one meaning may be there in several spellings; values from world
    knowledge are left out. The most frequent value comes first, then by code points.
    """
    query = (
        select(EnrichmentRow.category_id, ClaimRow.name, ClaimRow.value, func.count(func.distinct(ClaimRow.item_id)))
        .select_from(ItemRow)
        .join(EnrichmentRow, known_in(lineage(session, version_id)))
        .join(ClaimRow, _of_enrichment())
        .join(VerdictRow, _of_claim())
        .where(VerdictRow.decision == Decision.ACCEPT.value, ClaimRow.source == ClaimSource.TEXT.value)
        .group_by(col(EnrichmentRow.category_id), col(ClaimRow.name), col(ClaimRow.value))
    )
    found: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    rows = sorted(session.exec(query).all(), key=lambda row: (row[0], row[1], -row[3], row[2]))
    for category_id, attribute, value, items in rows:
        found[category_id, attribute][value] = items
    return dict(found)


def _of_enrichment() -> ColumnElement[bool]:
    return (col(ClaimRow.item_id) == col(EnrichmentRow.item_id)) & (
        col(ClaimRow.version_id) == col(EnrichmentRow.version_id)
    )


def _of_claim() -> ColumnElement[bool]:
    return (
        (col(VerdictRow.item_id) == col(ClaimRow.item_id))
        & (col(VerdictRow.version_id) == col(ClaimRow.version_id))
        & (col(VerdictRow.claim_id) == col(ClaimRow.claim_id))
    )
