"""How many items of each category have an accepted value of each attribute."""

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from memory.record import Record
from memory.schema import Decision
from memory.tables import ClaimRow, EnrichmentRow, ItemRow, VerdictRow
from memory.versions import known_in, lineage


class ValueCoverage(Record):
    """The enriched items of each category, and those with an accepted value of an attribute."""

    items: dict[str, int]  # category id → items
    covered: dict[tuple[str, str], int]  # (category id, attribute key) → items

    def of(self, category: str | None) -> "ValueCoverage":
        """Return the coverage of one category alone; of all where None is named."""
        if category is None:
            return self
        items = {of: number for of, number in self.items.items() if of == category}
        return ValueCoverage(items=items, covered={k: n for k, n in self.covered.items() if k[0] == category})


def value_coverage(session: Session, version_id: int | None = None) -> ValueCoverage:
    """Return the coverage of a version (the current one unless given)."""
    versions = lineage(session, version_id)
    sizes = (
        select(EnrichmentRow.category_id, func.count())
        .select_from(ItemRow)
        .join(EnrichmentRow, known_in(versions))
        .group_by(col(EnrichmentRow.category_id))
    )
    covered = (
        select(EnrichmentRow.category_id, ClaimRow.name, func.count(func.distinct(ClaimRow.item_id)))
        .select_from(ItemRow)
        .join(EnrichmentRow, known_in(versions))
        .join(ClaimRow, _of_enrichment())
        .join(VerdictRow, _of_claim())
        .where(VerdictRow.decision == Decision.ACCEPT.value)
        .group_by(col(EnrichmentRow.category_id), col(ClaimRow.name))
    )
    return ValueCoverage(
        items=dict(session.exec(sizes).all()),
        covered={(category_id, attribute): items for category_id, attribute, items in session.exec(covered)},
    )


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
