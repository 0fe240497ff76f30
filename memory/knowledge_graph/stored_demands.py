"""The demands of the graph as they are stored: who has one, and which are like some words."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Boolean, Select, String, inspect, or_
from sqlalchemy import column as named
from sqlalchemy import select as select_columns
from sqlalchemy import table as named_table
from sqlmodel import Session

from memory.column_types import AnyText
from memory.knowledge_graph.neighbourhood import LOOKED_AT, Member
from memory.knowledge_graph.nodes import DemandNode, Origin, folded, words_of
from memory.schema import Decision
from memory.versions import is_known_in

COMPARED = 5_000  # stored demands that are compared with what was asked for

_DEMAND = named_table(
    "demand",
    named("item_id", String),
    named("version_id"),
    named("relation", String),
    named("text", AnyText),
    named("positive", Boolean),
    named("decision", String),
)


def demanding(
    session: Session, demand: DemandNode, spellings: Iterable[str], versions: Collection[int]
) -> list[Member]:
    """Return at most one more than `LOOKED_AT` items that have a demand, in one of the spellings or a usual one."""
    texts = {*spellings, demand.text, demand.text.capitalize(), demand.text.title(), demand.text.upper()}
    query = _accepted(("item_id", "positive"), versions)
    query = query.where(_DEMAND.c.relation == demand.relation, _DEMAND.c.text.in_(sorted(texts)))
    rows = _rows(session, query.distinct().limit(LOOKED_AT + 1))
    return [Member(row.item_id, Origin.WORLD_KNOWLEDGE, row.positive) for row in rows]


def demands_like(session: Session, words: str, versions: Collection[int]) -> list[DemandNode]:
    """Return the demands nearest to some words: the same text in any relation, else those that share most words.

    Empty where none shares a word. `COMPARED` texts are looked at.
    """
    texts = {words, folded(words), folded(words).capitalize()}
    query = _accepted(("relation", "text"), versions).distinct().limit(COMPARED)
    same = _rows(session, query.where(_DEMAND.c.text.in_(sorted(texts))))
    wanted = set(words_of(words))
    if same or not wanted:
        return _nodes(same)
    having_one = or_(*(_DEMAND.c.text.icontains(word, autoescape=True) for word in sorted(wanted)))
    nodes = _nodes(_rows(session, query.where(having_one)))
    nearness = {node: _nearness(wanted, node) for node in nodes}
    best = max(nearness.values(), default=0.0)
    return [node for node in nodes if nearness[node] == best and best > 0]


def _nearness(wanted: set[str], node: DemandNode) -> float:
    said = set(words_of(node.text))
    return len(wanted & said) / len(wanted | said)


def _accepted(columns: Sequence[str], versions: Collection[int]) -> Select[*tuple[Any, ...]]:
    return select_columns(*(_DEMAND.c[name] for name in columns)).where(
        _DEMAND.c.decision == Decision.ACCEPT.value,
        is_known_in(versions, _DEMAND.c.item_id, _DEMAND.c.version_id),
    )


def _rows(session: Session, query: Select[*tuple[Any, ...]]) -> Sequence[Any]:
    """Return the rows; none where this knowledge base has no demands."""
    connection = session.connection()
    return connection.execute(query).all() if inspect(connection).has_table(_DEMAND.name) else []


def _nodes(rows: Iterable[Any]) -> list[DemandNode]:
    return sorted({DemandNode(row.relation, folded(row.text)) for row in rows})
