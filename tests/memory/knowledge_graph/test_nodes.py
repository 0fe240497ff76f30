"""Nodes, and the edges that follow from what is accepted of one item."""

import pytest

from memory.knowledge_graph.nodes import (
    CategoryNode,
    DemandNode,
    Edge,
    ItemNode,
    Origin,
    ValueNode,
    facts_of,
    named_in_title,
    names_category,
)
from tests.memory.knowledge_graph.graph_samples import demand, with_demands
from tests.memory.knowledge_samples import DRILLS, drill, enriched, known, quoted


def test_each_fact_says_where_it_comes_from() -> None:
    item = drill("a")
    claims = [quoted(item, "c1", "brand", "Acme"), known("use", "DIY")]

    facts = list(facts_of(enriched(item, claims)))

    assert facts == [
        Edge(ItemNode("a"), CategoryNode(DRILLS), "in_category", Origin.COMPUTED),
        Edge(ItemNode("a"), ValueNode("brand", "acme", None), "brand", Origin.CLAIM),
        Edge(ItemNode("a"), ValueNode("use", "DIY", None), "use", Origin.WORLD_KNOWLEDGE),
    ]


def test_what_was_refused_is_no_fact() -> None:
    item = drill("a")
    enrichment = enriched(item, [], rejected=[known("use", "DIY")])

    facts = list(facts_of(with_demands(enrichment, [], refused=[demand(1, "used_for", "cooking")])))

    assert [edge.relation for edge in facts] == ["in_category"]


def test_demands_are_world_knowledge_and_the_most_typical_comes_first() -> None:
    wanted = [
        demand(1, "used_for", "hanging pictures", typicality=0.4),
        demand(2, "used_for", "drilling into concrete", typicality=0.8),
        demand(3, "used_in", "wet rooms", positive=False, typicality=0.1),
    ]

    facts = list(facts_of(with_demands(enriched(drill("a"), []), wanted)))

    assert [(edge.target, edge.origin, edge.positive) for edge in facts[1:]] == [
        (DemandNode("used_for", "drilling into concrete"), Origin.WORLD_KNOWLEDGE, True),
        (DemandNode("used_for", "hanging pictures"), Origin.WORLD_KNOWLEDGE, True),
        (DemandNode("used_in", "wet rooms"), Origin.WORLD_KNOWLEDGE, False),
    ]


@pytest.mark.parametrize(
    "written", ["Drilling into  concrete", "drilling into concrete.", "DRILLING\u00a0INTO CONCRETE"]
)
def test_one_demand_is_one_node_however_it_is_written(written: str) -> None:
    enrichment = with_demands(enriched(drill("a"), []), [demand(1, "used_for", written)])

    assert [edge.target for edge in facts_of(enrichment)][1:] == [DemandNode("used_for", "drilling into concrete")]


@pytest.mark.parametrize(
    ("phrase", "name", "named"),
    [
        ("SDS drill bits", "Drill Bits", True),
        ("a drill bit for concrete", "Drill Bits", True),
        ("drill bits", "Drills", False),
        ("a bit of drill", "Drill Bits", False),
        ("batteries", "Battery", True),
        ("drilling", "Drill", False),
        ("glass", "Glasses", False),
        ("anything", "!?", False),
        ("", "Drill", False),
    ],
)
def test_a_phrase_names_the_category_that_its_head_ends_in(phrase: str, name: str, named: bool) -> None:
    assert names_category(phrase, name) == named


@pytest.mark.parametrize(
    ("phrase", "title", "named"),
    [
        ("drill bits", "Bosch SDS Drill Bit set, 5 pcs", True),
        ("drill bits", "Acme drill with drill bits", False),
        ("drill", "Bosch SDS Drill Bit set", False),
        ("", "Bosch SDS Drill Bit set", False),
    ],
)
def test_a_title_is_of_what_a_phrase_names(phrase: str, title: str, named: bool) -> None:
    assert named_in_title(phrase, title) == named
