"""The graph of items, categories and attribute values."""

from pathlib import Path

import networkx as nx
import pytest

from memory.atomic_file import FileUnwritable
from memory.knowledge_graph import (
    CategoryNode,
    ItemNode,
    KnowledgeGraph,
    SharedValue,
    SimilarItem,
    UnknownItem,
    ValueNode,
    graph_of,
    neighbours,
    similar_items,
    surroundings,
    write_graphml,
)
from memory.schema import CatalogItem, Enrichment
from tests.memory.knowledge_samples import drill, enriched, known, quoted

ACME = ValueNode("brand", "acme", None)
VOLTS = ValueNode("voltage", "18", "V")


def pair(item_id: str, *values: tuple[str, str, str | None]) -> tuple[CatalogItem, Enrichment]:
    item = drill(item_id)
    claims = [quoted(item, f"c{number}", *value) for number, value in enumerate(values)]
    return item, enriched(item, claims, rejected=[known("use", "DIY")])


@pytest.fixture
def graph() -> KnowledgeGraph:
    brand, voltage, colour = ("brand", "Acme", None), ("voltage", "18", "V"), ("colour", "red", None)
    return graph_of([pair("a", brand, voltage), pair("b", brand, voltage, colour), pair("c", colour), pair("d", brand)])


def test_items_lead_to_their_category_and_the_values_that_were_accepted(graph: KnowledgeGraph) -> None:
    successors = set(graph.successors(ItemNode("a")))

    assert successors == {CategoryNode(("Tools", "Power Tools", "Drills")), ACME, VOLTS}


def test_a_category_leads_to_the_one_above_it(graph: KnowledgeGraph) -> None:
    assert list(graph.successors(CategoryNode(("Tools", "Power Tools")))) == [CategoryNode(("Tools",))]


def test_values_of_other_attributes_or_units_are_other_nodes() -> None:
    item = drill()
    claims = [
        quoted(item, "1", "voltage", "18", "V"),
        quoted(item, "2", "voltage", "18", "W"),
        quoted(item, "3", "x", "18"),
    ]

    graph = graph_of([(item, enriched(item, claims))])

    assert sum(isinstance(node, ValueNode) for node in graph) == 3


def test_neighbours_are_found_along_and_against_the_edges(graph: KnowledgeGraph) -> None:
    near = neighbours(graph, ItemNode("a"), hops=1)
    wider = neighbours(graph, ItemNode("a"), hops=2)

    assert near == {CategoryNode(("Tools", "Power Tools", "Drills")): 1, ACME: 1, VOLTS: 1}
    assert wider[ItemNode("d")] == 2


def test_similar_items_share_most_values(graph: KnowledgeGraph) -> None:
    similar = similar_items(graph, "a")

    assert [(item.item_id, item.shared) for item in similar] == [("b", 2), ("d", 1)]


def test_the_surroundings_of_an_item_are_ready_to_print(graph: KnowledgeGraph) -> None:
    around = surroundings(graph, "a", limit=1)

    assert around.category == ("Tools", "Power Tools", "Drills")
    assert around.values == (
        SharedValue(attribute="brand", normalized="acme", unit=None, others=2),
        SharedValue(attribute="voltage", normalized="18", unit="V", others=1),
    )
    assert around.similar == (SimilarItem(item_id="b", title="Acme cordless drill 18 V red", shared=2),)


def test_an_item_that_is_not_in_the_graph_is_named(graph: KnowledgeGraph) -> None:
    with pytest.raises(UnknownItem, match="absent"):
        surroundings(graph, "absent")


def test_graphml_holds_every_node_and_edge(graph: KnowledgeGraph, tmp_path: Path) -> None:
    write_graphml(graph, tmp_path / "graph.graphml")

    read = nx.read_graphml(tmp_path / "graph.graphml")
    assert (read.number_of_nodes(), read.number_of_edges()) == (graph.number_of_nodes(), graph.number_of_edges())
    assert [data["normalized"] for _, data in read.nodes(data=True) if data.get("unit")] == ["18"]
    assert [path.name for path in tmp_path.iterdir()] == ["graph.graphml"]


@pytest.mark.parametrize(
    "hostile", ["\0", "\x1b[31m", "\x0b", "\ufffe", "]]>", '<a b="c">&amp;', "\x85", "👩‍👩‍👧", "x\ny"]
)
def test_no_text_makes_graphml_unreadable(hostile: str, tmp_path: Path) -> None:
    item = drill(title=f"Acme {hostile} drill")
    graph = graph_of([(item, enriched(item, [known(hostile, hostile)], path=("Tools", hostile)))])

    write_graphml(graph, tmp_path / "graph.graphml")

    assert nx.read_graphml(tmp_path / "graph.graphml").number_of_nodes() == 4


def test_graphml_that_cannot_be_written_is_named(graph: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(FileUnwritable, match="nowhere"):
        write_graphml(graph, tmp_path / "nowhere" / "graph.graphml")
