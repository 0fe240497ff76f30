"""How well categories are known: the items of each, how many of them have each attribute, and how surely."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, case, func, literal
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from memory.record import Record
from memory.schema import Decision
from memory.tables import ClaimRow, EnrichmentRow, ItemRow, VerdictRow
from memory.versions import known_in, lineage

BINS = 10  # of confidence, from 0 to 1


class KnownCategory(Record):
    """A category that has items."""

    category_id: str
    path: tuple[str, ...]
    items: int


class KnownAttribute(Record):
    """What is claimed of one attribute in a category, or in all."""

    attribute: str
    items: int  # that have an accepted value of it
    accepted: int  # claims
    abstained: int
    rejected: int
    confidence: tuple[int, ...]  # accepted claims by confidence: `BINS` numbers


def known_categories(session: Session) -> list[KnownCategory]:
    """Return the categories that the current version has items of, by path: one look at each result."""
    nearest = _nearest(lineage(session)).subquery()
    of_it = (col(EnrichmentRow.item_id) == nearest.c.item_id) & (col(EnrichmentRow.version_id) == nearest.c.version_id)
    query = (
        select(EnrichmentRow.category_id, func.min(col(EnrichmentRow.item_id)), func.count())
        .join(nearest, of_it)
        .group_by(col(EnrichmentRow.category_id))
    )
    found = session.exec(query).all()
    paths = _paths(session, [item_id for _, item_id, _ in found])
    known = [
        KnownCategory(category_id=category_id, path=paths.get(category_id, (category_id,)), items=items)
        for category_id, _, items in found
    ]
    return sorted(known, key=lambda category: category.path)


def known_attributes(session: Session, category_id: str | None) -> list[KnownAttribute]:
    """Return what is claimed of each attribute of a category's items, or of all; those of most items come first."""
    of_category = () if category_id is None else (col(EnrichmentRow.category_id) == category_id,)
    place = _bin()
    query = (
        select_columns(
            col(ClaimRow.name),
            col(VerdictRow.decision),
            place,
            func.count(),
            func.count(func.distinct(col(ClaimRow.item_id))),
        )
        .select_from(EnrichmentRow)
        .join(ItemRow, known_in(lineage(session)))
        .join(ClaimRow, _of_enrichment())
        .join(VerdictRow, _of_claim())
        .where(*of_category)
        .group_by(col(ClaimRow.name), col(VerdictRow.decision), place)
    )
    rows: defaultdict[str, list[tuple[str, int, int, int]]] = defaultdict(list)
    for name, decision, number, claims, items in session.execute(query):
        rows[name].append((decision, number, claims, items))
    return sorted((_attribute(name, parts) for name, parts in rows.items()), key=lambda a: (-a.items, a.attribute))


def _nearest(versions: Collection[int]) -> Select[*tuple[Any, ...]]:
    """Return the query for what a lineage knows of all items: `known_in` asks item by item, this looks at all once."""
    version = func.max(col(EnrichmentRow.version_id)).label("version_id")  # a parent's id is the smaller one
    present = col(ItemRow.content_hash) == col(EnrichmentRow.content_hash)
    return (
        select_columns(col(EnrichmentRow.item_id).label("item_id"), version)
        .join(ItemRow, (col(ItemRow.id) == col(EnrichmentRow.item_id)) & present)
        .where(col(EnrichmentRow.version_id).in_(versions))
        .group_by(col(EnrichmentRow.item_id))
    )


def _attribute(name: str, parts: list[tuple[str, int, int, int]]) -> KnownAttribute:
    confidence, decided, items = [0] * BINS, defaultdict[str, int](int), 0
    for decision, number, claims, of_items in parts:
        decided[decision] += claims
        if decision == Decision.ACCEPT:
            confidence[number] += claims
            items += of_items  # an item with two values of different confidence counts twice here
    return KnownAttribute(
        attribute=name,
        items=items,
        accepted=decided[Decision.ACCEPT],
        abstained=decided[Decision.ABSTAIN],
        rejected=decided[Decision.REJECT],
        confidence=tuple(confidence),
    )


def _paths(session: Session, item_ids: list[str]) -> dict[str, tuple[str, ...]]:
    query = select(EnrichmentRow.category_id, EnrichmentRow.category_path)
    rows = session.exec(query.where(col(EnrichmentRow.item_id).in_(item_ids))).all()
    return {category_id: tuple(path) for category_id, path in rows}


def _bin() -> ColumnElement[int]:
    """Return which tenth a confidence is in, in a form that every database computes alike."""
    steps = [(col(ClaimRow.confidence) < (n + 1) / BINS, literal(n, Integer)) for n in range(BINS - 1)]
    return case(*steps, else_=literal(BINS - 1, Integer))


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
