"""JSON-LD: what is read back is the graph that was written, and schema.org is told nothing that nobody says."""

from typing import Any

import orjson
import pytest

from memory.knowledge_graph.jsonld import as_jsonld, iri_of
from memory.knowledge_graph.neighbourhood import Neighbourhood, neighbourhood
from memory.knowledge_graph.nodes import CategoryNode, DemandNode, ItemNode, Node, ValueNode
from tests.memory.knowledge_graph.graph_samples import BITS, GraphInMemory, demand, pair
from tests.memory.knowledge_samples import DRILLS, drill, enriched, known


def written(found: Neighbourhood) -> list[dict[str, Any]]:
    """Return the objects of the document, as a reader of the file has them."""
    objects: list[dict[str, Any]] = orjson.loads(orjson.dumps(as_jsonld(found)))["@graph"]
    return objects


def about(found: Neighbourhood, node: Node) -> dict[str, Any]:
    return next(one for one in written(found) if one.get("@id") == iri_of(node))


@pytest.fixture
def found() -> Neighbourhood:
    wanted = [demand(1, "used_with", "drill bits"), demand(2, "used_for", "cooking", positive=False)]
    return neighbourhood(
        GraphInMemory(
            [
                pair("a", "brand=Acme", "color=red", demands=wanted),
                pair("b", "brand=Acme", "color=red"),
                pair("bits", title="Ten drill bits", path=BITS),
            ]
        ),
        ItemNode("a"),
        hops=3,
    )


def test_every_node_and_every_edge_is_read_back(found: Neighbourhood) -> None:
    objects = written(found)

    statements = [one for one in objects if one["@type"] == "rdf:Statement"]
    assert [one["@id"] for one in objects if "@id" in one] == [iri_of(node) for node in found.distances]
    assert [
        (
            one["rdf:subject"]["@id"],
            one["rdf:predicate"]["@id"],
            one["rdf:object"]["@id"],
            one["reaseq:origin"],
            one["reaseq:positive"],
        )
        for one in statements
    ] == [
        (
            iri_of(edge.source),
            f"urn:reaseq:vocabulary:{edge.relation}",
            iri_of(edge.target),
            edge.origin.value,
            edge.positive,
        )
        for edge in found.edges
    ]


def test_a_product_says_in_the_words_of_schema_org_what_its_text_says(found: Neighbourhood) -> None:
    product = about(found, ItemNode("a"))

    assert product["@type"] == "Product"
    assert product["category"] == [{"@id": iri_of(CategoryNode(DRILLS))}]
    assert product["additionalProperty"] == [
        {"@id": iri_of(ValueNode("brand", "acme", None))},
        {"@id": iri_of(ValueNode("color", "red", None))},
    ]
    assert product["isSimilarTo"] == [{"@id": iri_of(ItemNode("b"))}]
    assert product["isRelatedTo"] == [{"@id": iri_of(ItemNode("bits"))}]


def test_world_knowledge_is_no_property_of_the_product() -> None:
    item = drill("a")
    found = neighbourhood(GraphInMemory([(item, enriched(item, [known("use", "DIY")]))]), ItemNode("a"), hops=1)

    assert "additionalProperty" not in about(found, ItemNode("a"))
    assert [one["reaseq:origin"] for one in written(found) if one["@type"] == "rdf:Statement"] == [
        "computed",
        "world_knowledge",
    ]


def test_different_nodes_have_different_iris() -> None:
    nodes: list[Node] = [
        ItemNode("a"),
        ItemNode("a b"),
        ItemNode("a%20b"),
        CategoryNode(("a", "b")),
        CategoryNode(("a:b",)),
        ValueNode("a", "b", None),
        ValueNode("a", "b", "V"),
        ValueNode("a", "x" * 10_000, None),
        ValueNode("a", "y" * 10_000, None),
        DemandNode("used_for", "a"),
    ]

    iris = {iri_of(node) for node in nodes}

    assert len(iris) == len(nodes)
    assert all(iri.isascii() and len(iri) < 400 and " " not in iri for iri in iris)


@pytest.mark.parametrize("hostile", ["\0", '"}]', "\u202eevil", "</script>", "urn:x", "@id", "x" * 10_000])
def test_hostile_text_is_only_text(hostile: str) -> None:
    item = drill(title=f"Acme {hostile} drill")
    claims = [known(hostile, hostile)]
    graph = GraphInMemory([(item, enriched(item, claims, path=("Tools", hostile)))])

    objects = written(neighbourhood(graph, ItemNode("d1"), hops=1))

    assert [one["@type"] for one in objects if "@id" in one] == ["Product", "CategoryCode", "PropertyValue"]
    assert objects[0]["name"] == f"Acme {hostile} drill"
