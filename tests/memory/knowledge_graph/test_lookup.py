"""What a user names: an item's id, a value as it is stored or written, and what there is instead."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session

from memory.database import open_database
from memory.knowledge_graph.lookup import AmbiguousName, NotInGraph, find_node
from memory.knowledge_graph.nodes import DemandNode, ItemNode, ValueNode
from memory.store import save_enrichment
from memory.versions import version_for
from tests.databases import fresh_url
from tests.memory.knowledge_graph.graph_samples import demand, with_demands
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched, known, quoted


@pytest.fixture
def session() -> Iterator[Session]:
    """One item of brand "acme" (written "Acme") and 18 V, and one whose id reads like a value."""
    with open_database(fresh_url()) as database, database.writing() as session:
        version = version_for(session, PROVENANCE)
        item = drill("a")
        claims = [quoted(item, "c1", "brand", "Acme"), quoted(item, "c2", "voltage", "18", "V")]
        save_enrichment(session, version, item, enriched(item, claims, rejected=[known("use", "DIY")]))
        for item_id, unit in (("color=red", "W"), ("x=1", "V")):
            other = drill(item_id)
            watts = [quoted(other, "c1", "voltage", "18", unit), quoted(other, "c2", "color", "red")]
            save_enrichment(session, version, other, enriched(other, watts))
        yield session


@pytest.mark.parametrize(
    ("what", "node"),
    [
        ("a", ItemNode("a")),
        ("item:a", ItemNode("a")),
        ("x=1", ItemNode("x=1")),
        ("brand=acme", ValueNode("brand", "acme", None)),
        ("brand=ACME", ValueNode("brand", "acme", None)),
        (" Brand = Acme ", ValueNode("brand", "acme", None)),
        ("value:brand=acme", ValueNode("brand", "acme", None)),
        ("voltage=18 W", ValueNode("voltage", "18", "W")),
        ("voltage=18w", ValueNode("voltage", "18", "W")),
        ("item:color=red", ItemNode("color=red")),
        ("value:color=red", ValueNode("color", "red", None)),
    ],
)
def test_an_item_or_a_value_is_found(session: Session, what: str, node: ItemNode | ValueNode) -> None:
    assert find_node(session, what) == node


@pytest.mark.parametrize(
    ("what", "choices"),
    [
        ("voltage=18", ["value:voltage=18 V", "value:voltage=18 W"]),
        ("color=red", ["item:color=red", "value:color=red"]),
    ],
)
def test_of_several_that_may_be_meant_each_is_named_so_that_it_can_be_asked_for(
    session: Session, what: str, choices: list[str]
) -> None:
    with pytest.raises(AmbiguousName) as told:
        find_node(session, what)

    assert f"may be any of {', '.join(choices)}:" in str(told.value)
    assert len({find_node(session, choice) for choice in choices}) == 2


@pytest.mark.parametrize(
    ("what", "hint"),
    [
        ("brand=acne", "values of brand are acme"),
        ("brandt=acme", "attributes are brand"),
        ("b", "there are the items x=1"),
        ("use=DIY", "no item has a value of use"),  # it was refused
        ("demand:drilling", "no demand shares a word with it"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is(session: Session, what: str, hint: str) -> None:
    with pytest.raises(NotInGraph) as told:
        find_node(session, what)

    assert repr(what) in str(told.value)
    assert hint in str(told.value)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("demand:drilling into concrete", "drilling into concrete"),
        ("Drilling into CONCRETE", "drilling into concrete"),
        ("drilling concrete walls", "drilling into concrete"),
        ("demand:used_for=hanging pictures", "hanging pictures"),
    ],
)
def test_a_demand_is_found_by_the_nearest_words(session: Session, what: str, text: str) -> None:
    wanted = [demand(1, "used_for", "Drilling into concrete"), demand(2, "used_for", "hanging pictures")]
    item = drill("wanted")
    save_enrichment(session, 1, item, with_demands(enriched(item, []), wanted))

    assert find_node(session, what) == DemandNode("used_for", text)


def test_of_demands_that_are_equally_near_each_is_named(session: Session) -> None:
    wanted = [demand(1, "used_for", "camping"), demand(2, "occasion", "camping")]
    item = drill("wanted")
    save_enrichment(session, 1, item, with_demands(enriched(item, []), wanted))

    with pytest.raises(AmbiguousName, match="any of demand:occasion=camping, demand:used_for=camping:"):
        find_node(session, "camping")
    assert find_node(session, "demand:occasion=camping") == DemandNode("occasion", "camping")


def test_an_empty_knowledge_base_says_so() -> None:
    with open_database(fresh_url()) as database, database.session() as session:
        with pytest.raises(NotInGraph, match="it is empty so far"):
            find_node(session, "a")
        with pytest.raises(NotInGraph, match="nothing named 'brand=acme'"):
            find_node(session, "brand=acme")
