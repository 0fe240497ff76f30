"""The graph as it is stored: the few SQL queries that a walk through it needs, each with a limit."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, exists, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from memory.items import PAGE
from memory.knowledge_graph.neighbourhood import LOOKED_AT, Member, Members, Shared
from memory.knowledge_graph.nodes import CategoryNode, DemandNode, Origin, ValueNode, demand_node, origin_of
from memory.knowledge_graph.stored_demands import demanding
from memory.rows import StoredKnowledge
from memory.schema import Decision
from memory.store import enrichments_of
from memory.tables import ClaimRow, EnrichmentRow, ItemRow, VerdictRow
from memory.versions import is_known_in, lineage


class StoredGraph:
    """What one version (the current one unless given) knows, as a walk asks for it; it remembers what it was asked."""

    def __init__(self, session: Session, version_id: int | None = None) -> None:
        self._session = session
        self._version_id = version_id
        self._lineage = lineage(session, version_id)
        self._members: dict[Shared, Members] = {}
        self._categories: dict[str, tuple[str, ...]] | None = None
        self._spellings: defaultdict[DemandNode, set[str]] = defaultdict(set)

    def knowledge(self, item_ids: Collection[str]) -> Mapping[str, StoredKnowledge]:
        """Return what is known of some items."""
        known = {found.item.id: found for found in enrichments_of(self._session, item_ids, self._version_id)}
        for found in known.values():
            for demand in found.enrichment.demands:
                self._spellings[demand_node(demand)].add(demand.text)
        return known

    def titles(self, item_ids: Collection[str]) -> Mapping[str, str]:
        """Return the titles of some items."""
        ids = sorted(item_ids)
        pages = (ids[at : at + PAGE] for at in range(0, len(ids), PAGE))
        queries = (select(ItemRow.id, ItemRow.title).where(col(ItemRow.id).in_(page)) for page in pages)
        return {item_id: title for query in queries for item_id, title in self._session.exec(query)}

    def members(self, shared: Shared) -> Members:
        """Return the items that have a value, a demand, or stand directly in a category."""
        if shared not in self._members:
            self._members[shared] = self._asked(shared)
        return self._members[shared]

    def categories(self) -> Collection[tuple[str, ...]]:
        """Return the paths of the categories that items were put in."""
        return set(self._paths().values())

    def _asked(self, shared: Shared) -> Members:
        match shared:
            case ValueNode():
                rows = self._session.connection().execute(_holders(shared, self._lineage)).all()
                found = [Member(row.item_id, origin_of(row.source)) for row in rows]
            case CategoryNode():
                ids = [category_id for category_id, path in self._paths().items() if path == shared.path]
                rows = self._session.connection().execute(_inside(ids, self._lineage)).all() if ids else []
                # An id may stand for other paths in other versions of the taxonomy.
                own = [row.item_id for row in rows if tuple(row.category_path) == shared.path]
                found = [Member(item_id, Origin.COMPUTED) for item_id in own]
            case DemandNode():
                found = demanding(self._session, shared, self._spellings[shared], self._lineage)
        return Members(tuple(found[:LOOKED_AT]), more=len(found) > LOOKED_AT)

    def _paths(self) -> dict[str, tuple[str, ...]]:
        """Return the path of each category id that has results."""
        if self._categories is None:
            rows = self._session.connection().execute(_categories())
            self._categories = {row.id: tuple(row.path) for row in rows}
        return self._categories


def _categories() -> Select[*tuple[Any, ...]]:
    """Return the query for the ids and paths of categories.

    It asks the index for one id after the other: it costs by the number of categories, never by that of items.
    """
    first = select_columns(func.min(col(EnrichmentRow.category_id)).label("id")).cte("ids", recursive=True)
    after = select_columns(func.min(col(EnrichmentRow.category_id))).where(col(EnrichmentRow.category_id) > first.c.id)
    ids = first.union_all(select_columns(after.scalar_subquery()).where(first.c.id.is_not(None)))
    path = select_columns(col(EnrichmentRow.category_path)).where(col(EnrichmentRow.category_id) == ids.c.id).limit(1)
    return select_columns(ids.c.id, path.scalar_subquery().label("path")).where(ids.c.id.is_not(None))


def _holders(value: ValueNode, versions: Collection[int]) -> Select[*tuple[Any, ...]]:
    """Return the query for the items that have a value, with the source of their claim.

    What else must hold is asked claim by claim, so that the walk goes along the index of values and ends at the limit.
    """
    accepted = exists().where(
        col(VerdictRow.item_id) == col(ClaimRow.item_id),
        col(VerdictRow.version_id) == col(ClaimRow.version_id),
        col(VerdictRow.claim_id) == col(ClaimRow.claim_id),
        col(VerdictRow.decision) == Decision.ACCEPT.value,
    )
    return (
        select_columns(col(ClaimRow.item_id), col(ClaimRow.source))
        .where(col(ClaimRow.name) == value.attribute, col(ClaimRow.normalized) == value.normalized)
        .where(col(ClaimRow.unit).is_(None) if value.unit is None else col(ClaimRow.unit) == value.unit)
        .where(accepted, is_known_in(versions, col(ClaimRow.item_id), col(ClaimRow.version_id)))
        .limit(LOOKED_AT + 1)
    )


def _inside(category_ids: Collection[str], versions: Collection[int]) -> Select[*tuple[Any, ...]]:
    known = is_known_in(versions, col(EnrichmentRow.item_id), col(EnrichmentRow.version_id))
    in_category = col(EnrichmentRow.category_id).in_(category_ids)
    columns = (col(EnrichmentRow.item_id), col(EnrichmentRow.category_path))
    return select_columns(*columns).where(in_category, known).limit(LOOKED_AT + 1)
