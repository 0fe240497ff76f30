"""The graph as networkx has it, and as a GraphML file."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import networkx as nx

from memory.atomic_file import written_whole
from memory.knowledge_graph.nodes import (
    CategoryNode,
    DemandNode,
    Edge,
    ItemNode,
    Node,
    ValueNode,
    facts_of,
    label_of,
    steps_above,
)
from memory.schema import CatalogItem, Enrichment

# What XML 1.0 has no way to write: a file with one of these is refused by every reader.
_NOT_IN_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# An item leads to its category, its values and its demands, a category to the one above it.
KnowledgeGraph: TypeAlias = "nx.MultiDiGraph[Node]"


def graph_of(pairs: Iterable[tuple[CatalogItem, Enrichment]]) -> KnowledgeGraph:
    """Return the graph of items and what is accepted of them, without what could be computed from it."""
    graph: KnowledgeGraph = nx.MultiDiGraph()
    for item, enrichment in pairs:
        graph.add_node(ItemNode(item.id), label=item.title)
        for edge in facts_of(enrichment):
            _add(graph, edge)
            if isinstance(edge.target, CategoryNode):
                for step in steps_above(edge.target):
                    _add(graph, step)
    return graph


def graph_of_edges(edges: Iterable[Edge], labels: Mapping[Node, str]) -> KnowledgeGraph:
    """Return the graph of some nodes, by their labels, and the edges between them."""
    graph: KnowledgeGraph = nx.MultiDiGraph()
    for node, label in labels.items():
        graph.add_node(node, label=label)
    for edge in edges:
        _add(graph, edge)
    return graph


def write_graphml(graph: KnowledgeGraph, path: Path) -> None:
    """Write the graph as GraphML, whole or not at all; what XML cannot hold becomes U+FFFD."""
    plain: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    names = {node: f"n{number}" for number, node in enumerate(graph.nodes)}
    for node, name in names.items():
        plain.add_node(name, **_graphml_attributes(node, graph.nodes[node]["label"]))
    for number, (source, target, edge) in enumerate(graph.edges(data=True)):
        about = {"relation": _xml_text(edge["relation"]), "origin": edge["origin"], "positive": edge["positive"]}
        plain.add_edge(names[source], names[target], key=f"e{number}", **about)
    with written_whole(path) as unfinished:
        nx.write_graphml(plain, unfinished)


def _add(graph: KnowledgeGraph, edge: Edge) -> None:
    """Add an edge once, and its ends where they are new."""
    for node in (edge.source, edge.target):
        if node not in graph:
            graph.add_node(node, label=label_of(node))
    key = (edge.relation, edge.positive)
    graph.add_edge(
        edge.source, edge.target, key=key, relation=edge.relation, origin=edge.origin.value, positive=edge.positive
    )


def _graphml_attributes(node: Node, label: str) -> dict[str, str]:
    own = {"kind": node.kind, "label": label}
    match node:
        case ItemNode():
            own["item_id"] = node.id
        case CategoryNode():
            own["path"] = " > ".join(node.path)
        case ValueNode():
            own |= {"attribute": node.attribute, "normalized": node.normalized, "unit": node.unit or ""}
        case DemandNode():
            own |= {"relation": node.relation, "text": node.text}
    return {name: _xml_text(text) for name, text in own.items()}


def _xml_text(text: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text)
