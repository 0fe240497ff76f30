"""The graph of items, categories, values and demands in networkx, and as GraphML."""

from pathlib import Path

import networkx as nx
import pytest

from memory.atomic_file import FileUnwritable
from memory.knowledge_graph.graph import KnowledgeGraph, graph_of, graph_of_edges, write_graphml
from memory.knowledge_graph.nodes import CategoryNode, DemandNode, Edge, ItemNode, Origin, ValueNode
from memory.schema import CatalogItem, Enrichment
from tests.memory.knowledge_graph.graph_samples import demand, with_demands
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


def test_items_lead_to_their_demands_and_graphml_says_which_they_do_not_serve(tmp_path: Path) -> None:
    item = drill("a")
    wanted = [demand(1, "used_for", "DIY"), demand(2, "used_in", "rain", positive=False)]

    write_graphml(graph_of([(item, with_demands(enriched(item, []), wanted))]), tmp_path / "graph.graphml")

    read = nx.read_graphml(tmp_path / "graph.graphml")
    demands = {about["text"]: node for node, about in read.nodes(data=True) if about["kind"] == "demand"}
    edges = {target: about for _, target, about in read.edges(data=True)}
    assert edges[demands["rain"]]["positive"] is False
    assert edges[demands["diy"]]["origin"] == "world_knowledge"


def test_a_part_of_the_graph_keeps_its_labels_and_edges() -> None:
    edge = Edge(ItemNode("a"), DemandNode("used_for", "diy"), "used_for", Origin.WORLD_KNOWLEDGE)

    graph = graph_of_edges([edge, edge], {ItemNode("a"): "A drill"})

    assert graph.nodes[ItemNode("a")]["label"] == "A drill"
    assert graph.number_of_edges() == 1


def test_graphml_that_cannot_be_written_is_named(graph: KnowledgeGraph, tmp_path: Path) -> None:
    with pytest.raises(FileUnwritable, match="nowhere"):
        write_graphml(graph, tmp_path / "nowhere" / "graph.graphml")
