"""The demands of the graph as they are stored: who has one, and which are like some words."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Select, or_
from sqlalchemy import select as select_columns
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

from memory.demand_tables import DemandRow
from memory.knowledge_graph.neighbourhood import LOOKED_AT, Member
from memory.knowledge_graph.nodes import DemandNode, Origin, folded, words_of
from memory.schema import Decision
from memory.versions import is_known_in

COMPARED = 5_000  # stored demands that are compared with what was asked for


def demanding(
    session: Session, demand: DemandNode, spellings: Iterable[str], versions: Collection[int]
) -> list[Member]:
    """Return at most one more than `LOOKED_AT` items that have a demand, in one of the spellings or a usual one."""
    texts = {*spellings, demand.text, demand.text.capitalize(), demand.text.title(), demand.text.upper()}
    query = _accepted((col(DemandRow.item_id), col(DemandRow.positive)), versions)
    query = query.where(col(DemandRow.relation) == demand.relation, col(DemandRow.text).in_(sorted(texts)))
    rows = session.connection().execute(query.distinct().limit(LOOKED_AT + 1)).all()
    return [Member(row.item_id, Origin.WORLD_KNOWLEDGE, row.positive) for row in rows]


def demands_like(session: Session, words: str, versions: Collection[int]) -> list[DemandNode]:
    """Return the demands nearest to some words: the same text in any relation, else those that share most words.

    Empty where none shares a word. `COMPARED` texts are looked at.
    """
    texts = {words, folded(words), folded(words).capitalize()}
    query = _accepted((col(DemandRow.relation), col(DemandRow.text)), versions).distinct().limit(COMPARED)
    same = session.connection().execute(query.where(col(DemandRow.text).in_(sorted(texts)))).all()
    wanted = set(words_of(words))
    if same or not wanted:
        return _nodes(same)
    having_one = or_(*(col(DemandRow.text).icontains(word, autoescape=True) for word in sorted(wanted)))
    nodes = _nodes(session.connection().execute(query.where(having_one)))
    nearness = {node: _nearness(wanted, node) for node in nodes}
    best = max(nearness.values(), default=0.0)
    return [node for node in nodes if nearness[node] == best and best > 0]


def _nearness(wanted: set[str], node: DemandNode) -> float:
    said = set(words_of(node.text))
    return len(wanted & said) / len(wanted | said)


def _accepted(columns: Sequence[Mapped[Any]], versions: Collection[int]) -> Select[*tuple[Any, ...]]:
    return select_columns(*columns).where(
        col(DemandRow.decision) == Decision.ACCEPT.value,
        is_known_in(versions, col(DemandRow.item_id), col(DemandRow.version_id)),
    )


def _nodes(rows: Iterable[Any]) -> list[DemandNode]:
    return sorted({DemandNode(row.relation, folded(row.text)) for row in rows})
