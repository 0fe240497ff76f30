"""A neighbourhood as commands show it: what is said of its nodes and edges, in words and as one document."""

from typing import NamedTuple

from agents.phrasing import phrase_path
from memory.discrepancies import Contradiction, Said, StaleFacts
from memory.knowledge_graph.jsonld import iri_of
from memory.knowledge_graph.neighbourhood import Cut, Neighbourhood
from memory.knowledge_graph.nodes import (
    BELOW,
    IN_CATEGORY,
    NAMES,
    STANDS_IN_FOR,
    CategoryNode,
    DemandNode,
    Edge,
    ItemNode,
    Node,
    Origin,
    ValueNode,
)

GROUPS = {  # one, many
    "value": ("value", "values"),
    "demand": ("demand", "demands"),
    "item": ("item", "items"),
    "category": ("category", "categories"),
    "substitute": ("substitute", "substitutes"),
}


class GraphView(NamedTuple):
    """A neighbourhood, and what does not hold together of its items."""

    found: Neighbourhood
    contradictions: tuple[Contradiction, ...]
    stale: tuple[StaleFacts, ...]


def phrase_node(node: Node, label: str) -> str:
    """Return a node in a few words."""
    match node:
        case ItemNode():
            return node.id if label == node.id else f"{node.id}  {label}"
        case CategoryNode():
            return phrase_path(node.path)
        case ValueNode():
            return f"{node.attribute} = {label}"
        case DemandNode():
            return f"{_words(node.relation)} {label}"


def phrase_step(edge: Edge, seen_from: Node, label: str) -> str:
    """Return the other end of an edge, and how it relates to the end that it is seen from."""
    other = edge.target if edge.source == seen_from else edge.source
    told = phrase_node(other, label)
    if edge.relation == STANDS_IN_FOR:
        told = f"could be replaced by {told}"
    elif edge.relation == IN_CATEGORY and other == edge.target:
        told = f"in category {told}"
    elif edge.relation == BELOW:
        told = f"{'below' if other == edge.target else 'above'} {told}"
    elif edge.relation == NAMES:
        told = f"{'names' if other == edge.target else 'is named by'} {told}"
    if not edge.positive:
        told = f"not: {told}"
    return told if edge.origin is Origin.CLAIM or edge.relation in {IN_CATEGORY, BELOW} else f"{told}  ({origin(edge)})"


def origin(edge: Edge) -> str:
    """Return where an edge comes from, in words."""
    return _words(edge.origin.value)


def phrase_cut(cut: Cut) -> str:
    """Return what was cut: "and 4,211 more items"."""
    one, many = GROUPS[cut.group]
    return f"and {'more than ' if cut.at_least else ''}{cut.more:,} more {one if cut.more == 1 else many}"


def phrase_contradiction(found: Contradiction) -> str:
    """Return a contradiction on one line: which value was refused, and against which."""
    against = " and ".join(_said(said) for said in found.standing) or "nothing that still stands"
    return f"{found.attribute}: {_said(found.refused)} was refused against {against}"


def document_of(view: GraphView) -> dict[str, object]:
    """Return the view as one JSON document."""
    found = view.found
    return {
        "start": iri_of(found.start),
        "hops": found.hops,
        "nodes": [_node(node, found) for node in found.distances],
        "edges": [
            {
                "source": iri_of(edge.source),
                "target": iri_of(edge.target),
                "relation": edge.relation,
                "origin": edge.origin.value,
                "positive": edge.positive,
            }
            for edge in found.edges
        ],
        "contradictions": [one.model_dump(mode="json") for one in view.contradictions],
        "stale": [one.model_dump(mode="json") for one in view.stale],
    }


def _node(node: Node, found: Neighbourhood) -> dict[str, object]:
    cut = [one.model_dump(mode="json") for one in found.cut.get(node, [])]
    about: dict[str, object] = {"id": iri_of(node), "hop": found.distances[node], "label": found.labels[node]}
    match node:
        case ItemNode():
            about |= {"kind": node.kind, "item_id": node.id}
        case _:
            about |= node._asdict()
    return about | {"cut": cut}


def _said(said: Said) -> str:
    value = f"{said.value} {said.unit}" if said.unit else said.value
    return f"{value} ({said.field}: «{said.quote}»)" if said.quote else f"{value} (world knowledge)"


def _words(name: str) -> str:
    return name.replace("_", " ")
