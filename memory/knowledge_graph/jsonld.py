"""A neighbourhood as JSON-LD: schema.org's words where they fit, every edge with where it comes from."""

import hashlib
from collections.abc import Iterator
from typing import TypeAlias
from urllib.parse import quote

from memory.knowledge_graph.neighbourhood import Neighbourhood
from memory.knowledge_graph.nodes import (
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

Json: TypeAlias = str | bool | list["Json"] | dict[str, "Json"]

CONTEXT: dict[str, Json] = {
    "@vocab": "https://schema.org/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "reaseq": "urn:reaseq:vocabulary:",
}
LONGEST = 300  # characters of a name in an IRI; what is longer is named by its hash


def as_jsonld(found: Neighbourhood) -> dict[str, Json]:
    """Return the neighbourhood as one JSON-LD document.

    Each node is an object of the graph, and each edge an `rdf:Statement` with its origin. What schema.org has words
    for also stands on the product itself, but never world knowledge: a reader of schema.org alone would take it for
    what the shop says.
    """
    about = {node: _about(node, found.labels[node]) for node in found.distances}
    for edge in found.edges:
        for name, value in _in_schema_org(edge, found):
            held = about[edge.source].setdefault(name, [])
            if isinstance(held, list) and value not in held:
                held.append(value)
    return {"@context": CONTEXT, "@graph": [*about.values(), *(_statement(edge) for edge in found.edges)]}


def iri_of(node: Node) -> str:
    """Return a node's IRI: the same in every knowledge base, and without anything of this machine."""
    match node:
        case ItemNode():
            parts: tuple[str, ...] = (node.id,)
        case CategoryNode():
            parts = node.path
        case ValueNode():
            parts = (node.attribute, node.normalized, *([node.unit] if node.unit else []))
        case DemandNode():
            parts = (node.relation, node.text)
    quoted = ":".join(quote(part, safe="") for part in parts)
    if len(quoted) > LONGEST:
        quoted = f"sha256:{hashlib.sha256(quoted.encode()).hexdigest()}"
    return f"urn:reaseq:{node.kind}:{quoted}"


def _about(node: Node, label: str) -> dict[str, Json]:
    own: dict[str, Json] = {"@id": iri_of(node)}
    match node:
        case ItemNode():
            own |= {"@type": "Product", "identifier": node.id, "name": label}
        case CategoryNode():
            own |= {"@type": "CategoryCode", "name": label, "codeValue": " > ".join(node.path)}
        case ValueNode():
            own |= {"@type": "PropertyValue", "propertyID": node.attribute, "value": node.normalized}
            own |= {"unitText": node.unit} if node.unit else {}
        case DemandNode():
            own |= {"@type": "reaseq:Demand", "name": node.text, "reaseq:relation": node.relation}
    return own


def _in_schema_org(edge: Edge, found: Neighbourhood) -> Iterator[tuple[str, Json]]:
    """Yield (property of the source, value) where schema.org has a word for an edge."""
    target: dict[str, Json] = {"@id": iri_of(edge.target)}
    match edge.target:
        case CategoryNode() if edge.relation == IN_CATEGORY:
            yield "category", target
        case ValueNode() if edge.origin is Origin.CLAIM:
            yield "additionalProperty", target
        case ItemNode() if edge.relation == STANDS_IN_FOR:
            yield "isSimilarTo", target
        case DemandNode() if edge.relation == "used_with" and edge.positive:
            for other in found.edges:
                if (other.source, other.relation) == (edge.target, NAMES) and isinstance(other.target, ItemNode):
                    yield "isRelatedTo", {"@id": iri_of(other.target)}


def _statement(edge: Edge) -> dict[str, Json]:
    return {
        "@type": "rdf:Statement",
        "rdf:subject": {"@id": iri_of(edge.source)},
        "rdf:predicate": {"@id": f"urn:reaseq:vocabulary:{quote(edge.relation, safe='')}"},
        "rdf:object": {"@id": iri_of(edge.target)},
        "reaseq:origin": edge.origin.value,
        "reaseq:positive": edge.positive,
    }
