"""The knowledge base as a graph: items, the categories above them, the attribute values they share."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeAlias

import networkx as nx

from memory.atomic_file import written_whole
from memory.record import Record
from memory.schema import CatalogItem, Claim, Enrichment

# What XML 1.0 has no way to write: a file with one of these is refused by every reader.
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class ItemNode(NamedTuple):
    """An item, by its id."""

    id: str
    kind: str = "item"


class CategoryNode(NamedTuple):
    """One step of a category path, with all steps above it."""

    path: tuple[str, ...]
    kind: str = "category"


class ValueNode(NamedTuple):
    """One value of one attribute, as accepted claims have it."""

    attribute: str
    normalized: str
    unit: str | None
    kind: str = "value"


Node = ItemNode | CategoryNode | ValueNode
KnowledgeGraph: TypeAlias = "nx.DiGraph[Node]"  # edges: item -> category -> its parent, item -> value


class SharedValue(Record):
    """One value of an item, and how many other items of the graph have it."""

    attribute: str
    normalized: str
    unit: str | None
    others: int


class SimilarItem(Record):
    """Another item, and how many values it shares."""

    item_id: str
    title: str
    shared: int


class Surroundings(Record):
    """What stands around one item: its category, its values, the items that share them."""

    item_id: str
    title: str
    category: tuple[str, ...]
    values: tuple[SharedValue, ...]
    similar: tuple[SimilarItem, ...]


class UnknownItem(KeyError):
    """The graph has no such item."""


def graph_of(pairs: Iterable[tuple[CatalogItem, Enrichment]]) -> KnowledgeGraph:
    """Return the graph of items and what is known of them; rejected claims are left out."""
    graph: KnowledgeGraph = nx.DiGraph()
    for item, enrichment in pairs:
        node = ItemNode(item.id)
        graph.add_node(node, kind=node.kind, label=item.title)
        graph.add_edge(node, _add_category(graph, enrichment.category.path), relation="in_category")
        for claim in enrichment.accepted:
            graph.add_edge(node, _add_value(graph, claim), relation=claim.name)
    return graph


def neighbours(graph: KnowledgeGraph, node: Node, hops: int = 1) -> dict[Node, int]:
    """Return the nodes within `hops` edges of `node`, against or along their direction, with their distance."""
    found = nx.single_source_shortest_path_length(graph.to_undirected(as_view=True), node, cutoff=hops)
    return {other: distance for other, distance in found.items() if other != node}


def similar_items(graph: KnowledgeGraph, item_id: str, limit: int = 10) -> list[SimilarItem]:
    """Return the items that share most values with an item, most first, equals by id; `UnknownItem` if it is absent."""
    sharing = (other for value in _values(graph, item_id) for other in graph.predecessors(value))
    shared = Counter(other for other in sharing if isinstance(other, ItemNode))
    del shared[ItemNode(item_id)]
    ranked = sorted(shared.items(), key=lambda entry: (-entry[1], entry[0]))[:limit]
    return [SimilarItem(item_id=node.id, title=graph.nodes[node]["label"], shared=count) for node, count in ranked]


def surroundings(graph: KnowledgeGraph, item_id: str, limit: int = 10) -> Surroundings:
    """Return what stands around an item, ready to print; `UnknownItem` where the graph has no such item."""
    node = _item_node(graph, item_id)
    category = next(other for other in graph.successors(node) if isinstance(other, CategoryNode))
    return Surroundings(
        item_id=item_id,
        title=graph.nodes[node]["label"],
        category=category.path,
        values=tuple(
            SharedValue(
                attribute=value.attribute,
                normalized=value.normalized,
                unit=value.unit,
                others=graph.in_degree(value) - 1,
            )
            for value in _values(graph, item_id)
        ),
        similar=tuple(similar_items(graph, item_id, limit)),
    )


def write_graphml(graph: KnowledgeGraph, path: Path) -> None:
    """Write the graph as GraphML, whole or not at all; what XML cannot hold becomes U+FFFD."""
    plain: nx.DiGraph[str] = nx.DiGraph()
    names = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    for node, name in names.items():
        plain.add_node(name, **_graphml_attributes(node, graph.nodes[node]["label"]))
    for source, target, edge in graph.edges(data=True):
        plain.add_edge(names[source], names[target], relation=_xml_text(edge["relation"]))
    with written_whole(path) as unfinished:
        nx.write_graphml(plain, unfinished)


def _add_category(graph: KnowledgeGraph, path: tuple[str, ...]) -> CategoryNode:
    """Add the category and those above it; return it."""
    for depth in range(1, len(path) + 1):
        node = CategoryNode(path[:depth])
        graph.add_node(node, kind=node.kind, label=path[depth - 1])
        if depth > 1:
            graph.add_edge(node, CategoryNode(path[: depth - 1]), relation="below")
    return CategoryNode(path)


def _add_value(graph: KnowledgeGraph, claim: Claim) -> ValueNode:
    node = ValueNode(claim.name, claim.normalized, claim.unit)
    label = f"{claim.normalized} {claim.unit}" if claim.unit else claim.normalized
    graph.add_node(node, kind=node.kind, label=label)
    return node


def _item_node(graph: KnowledgeGraph, item_id: str) -> ItemNode:
    node = ItemNode(item_id)
    if node not in graph:
        raise UnknownItem(f"the graph has no item {item_id!r}")
    return node


def _values(graph: KnowledgeGraph, item_id: str) -> list[ValueNode]:
    node = _item_node(graph, item_id)
    return [value for value in graph.successors(node) if isinstance(value, ValueNode)]


def _graphml_attributes(node: Node, label: str) -> dict[str, str]:
    own = {"kind": node.kind, "label": label}
    match node:
        case ItemNode():
            own["item_id"] = node.id
        case CategoryNode():
            own["path"] = " > ".join(node.path)
        case ValueNode():
            own |= {"attribute": node.attribute, "normalized": node.normalized, "unit": node.unit or ""}
    return {name: _xml_text(text) for name, text in own.items()}


def _xml_text(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
