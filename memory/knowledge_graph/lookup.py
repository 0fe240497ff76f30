"""Which node of the graph a user means: an item's id, `attribute=value`, or the words of a demand."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from sqlalchemy import ColumnElement, func, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from memory.errors import ReaseqError
from memory.items import similar_ids
from memory.knowledge_graph.nodes import DemandNode, ItemNode, Node, ValueNode, label_of
from memory.knowledge_graph.stored import StoredGraph
from memory.knowledge_graph.stored_demands import demands_like
from memory.tables import ClaimRow, ItemRow
from memory.versions import lineage

COMPARED = 20_000  # claims of one attribute that are looked at where no value is written like the one that is asked for
CHOICES = 8


class NotInGraph(ReaseqError):
    """The graph has nothing of that name."""


class AmbiguousName(ReaseqError):
    """Several nodes could be meant; the text names them."""


def find_node(session: Session, what: str) -> Node:
    """Return the one node that is meant; raises `NotInGraph` and `AmbiguousName`, both with what there is.

    `item:`, `value:` and `demand:` in front say what it is; without, an item and a value are looked for, then a demand.
    """
    kind, _, rest = what.partition(":")
    found: list[Node] = []
    if kind in _FINDERS:
        found = [*_FINDERS[kind](session, rest.strip())]
    found = found or [*_items(session, what), *_values(session, what)] or [*_demands(session, what)]
    if not found:
        raise NotInGraph(f"the graph has nothing named {what!r}{_hint(session, what)}")
    if len(found) > 1:
        shown = ", ".join(spoken(node) for node in found[:CHOICES])
        more = f" and {len(found) - CHOICES} more" if len(found) > CHOICES else ""
        raise AmbiguousName(f"{what!r} may be any of {shown}{more}: name one of them")
    return found[0]


def spoken(node: Node) -> str:
    """Return how a user names a node so that nothing else is meant."""
    match node:
        case ValueNode():
            return f"value:{node.attribute}={label_of(node)}"
        case DemandNode():
            return f"demand:{node.relation}={node.text}"
    return f"{node.kind}:{node.id if isinstance(node, ItemNode) else ' > '.join(node.path)}"


def _items(session: Session, item_id: str) -> Iterable[Node]:
    if session.scalar(select(ItemRow.id).where(ItemRow.id == item_id)) is not None:
        yield ItemNode(item_id)


def _values(session: Session, text: str) -> Iterable[Node]:
    """Return the values that are written like that and that an item has; else those that differ in case."""
    attribute, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not value:
        return []
    names = {attribute, attribute.casefold().replace(" ", "_")}
    number, _, unit = value.partition(" ")
    normalized = col(ClaimRow.normalized)
    spellings = {value, value.casefold(), value.capitalize(), value.title(), value.upper()}
    exact = or_(normalized == value, (normalized == number) & (col(ClaimRow.unit) == unit.strip()))
    for condition in (exact, normalized.in_(sorted(spellings))):
        if found := _held(session, _distinct(session, names, condition)):
            return found
    said, looked_at = _unspaced(value), _looked_at(session, names)
    return _held(
        session, (node for node, written in looked_at if said in {_unspaced(label_of(node)), _unspaced(written)})
    )


def _unspaced(text: str) -> str:
    return "".join(text.casefold().split())


def _distinct(session: Session, names: Collection[str], condition: ColumnElement[bool]) -> list[ValueNode]:
    columns = (col(ClaimRow.name), col(ClaimRow.normalized), col(ClaimRow.unit))
    query = select_columns(*columns).distinct().where(columns[0].in_(sorted(names)), condition).limit(100)
    return [ValueNode(*row) for row in session.connection().execute(query)]


def _looked_at(session: Session, names: Collection[str]) -> Iterable[tuple[ValueNode, str]]:
    """Yield the values of an attribute as they stand in its first claims, with what the text said."""
    columns = (col(ClaimRow.name), col(ClaimRow.normalized), col(ClaimRow.unit), col(ClaimRow.value))
    query = select_columns(*columns).where(columns[0].in_(sorted(names))).limit(COMPARED)
    for name, normalized, unit, value in session.connection().execute(query):
        yield ValueNode(name, normalized, unit), value


def _held(session: Session, nodes: Iterable[ValueNode]) -> list[Node]:
    """Return the values that at least one item has."""
    graph = StoredGraph(session)
    return [node for node in sorted(set(nodes), key=label_of) if graph.members(node).members]


def _demands(session: Session, text: str) -> Iterable[Node]:
    relation, equals, words = text.partition("=")
    found = demands_like(session, words.strip() if equals else text, lineage(session))
    return [node for node in found if not equals or node.relation == relation.strip()]


def _hint(session: Session, what: str) -> str:
    """Return what there is instead."""
    if what.startswith("demand:"):
        return ": no demand shares a word with it"
    attribute, equals, value = (part.strip() for part in what.removeprefix("value:").partition("="))
    if not equals:
        near = similar_ids(session, what.removeprefix("item:"))
        return f"; there are the items {', '.join(near)}" if near else "; it is empty so far: reaseq enrich CATALOG"
    names = {attribute, attribute.casefold().replace(" ", "_")}
    values = {label_of(node): node for node, _ in _looked_at(session, names)}
    if values:
        near = get_close_matches(value, sorted(values), n=CHOICES, cutoff=0.0)
        held = [label_of(node) for node in _held(session, (values[label] for label in near))]
        return f"; values of {attribute} are {', '.join(held)}" if held else f"; no item has a value of {attribute}"
    known = _attributes(session)
    return f"; attributes are {', '.join(get_close_matches(attribute, known, n=CHOICES, cutoff=0.0))}" if known else ""


def _attributes(session: Session) -> list[str]:
    """Return the attributes that claims are about; the index is asked for one after the other."""
    found: list[str] = []
    first = session.scalar(select(func.min(col(ClaimRow.name))))
    while first is not None and len(found) < COMPARED:
        found.append(first)
        first = session.scalar(select(func.min(col(ClaimRow.name))).where(col(ClaimRow.name) > first))
    return found


_FINDERS = {"item": _items, "value": _values, "demand": _demands}
