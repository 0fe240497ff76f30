"""The walk around one node: hops, width, complements, substitutes; in memory and in the knowledge base alike."""

from collections.abc import Callable, Iterator

import pytest
from sqlmodel import Session

from memory.database import open_database
from memory.knowledge_graph import neighbourhood as walking
from memory.knowledge_graph.neighbourhood import Cut, Stored, neighbourhood, substitutes_of
from memory.knowledge_graph.nodes import CategoryNode, DemandNode, Edge, ItemNode, Origin, ValueNode
from memory.knowledge_graph.stored import StoredGraph
from memory.rows import StoredKnowledge
from memory.store import save_enrichment, save_item
from memory.versions import use, version_for
from tests.databases import fresh_url
from tests.memory.knowledge_graph.graph_samples import BITS, GraphInMemory, demand, pair
from tests.memory.knowledge_samples import DRILLS, PROVENANCE, drill, known

ACME, RED, BLUE = ValueNode("brand", "acme", None), ValueNode("color", "red", None), ValueNode("color", "blue", None)
MadeOf = Callable[..., Stored]  # of items with what is known of them
PAIRS = (
    pair("a", "brand=Acme", "color=red", rejected=[known("use", "DIY")]),
    pair("b", "brand=Acme", "color=red"),
    pair("c", "brand=Acme", "color=blue"),
    pair("d", "color=blue"),
    pair("e", "brand=Bolt", path=BITS),
)


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        yield session


def stored(session: Session, *pairs: StoredKnowledge) -> StoredGraph:
    version = version_for(session, PROVENANCE)
    for item, enrichment in pairs:
        save_enrichment(session, version, item, enrichment)
    return StoredGraph(session)


@pytest.fixture(params=["in memory", "in the knowledge base"])
def made_of(request: pytest.FixtureRequest, session: Session) -> MadeOf:
    return lambda *pairs: GraphInMemory(pairs) if request.param == "in memory" else stored(session, *pairs)


@pytest.fixture
def graph(made_of: MadeOf) -> Stored:
    return made_of(*PAIRS)


def test_one_hop_leads_to_what_is_accepted_of_an_item(graph: Stored) -> None:
    found = neighbourhood(graph, ItemNode("c"), hops=1)

    assert found.distances == {ItemNode("c"): 0, CategoryNode(DRILLS): 1, ACME: 1, BLUE: 1}


def test_two_hops_lead_to_the_items_that_share_it_those_that_share_most_first(graph: Stored) -> None:
    found = neighbourhood(graph, ItemNode("a"), hops=2)

    assert [node.id for node in found.distances if isinstance(node, ItemNode)] == ["a", "b", "c", "d"]
    assert found.distances[ItemNode("c")] == 2
    assert Edge(ItemNode("c"), ACME, "brand", Origin.CLAIM) in found.edges


def test_a_value_leads_to_its_items_and_they_to_their_values(graph: Stored) -> None:
    found = neighbourhood(graph, BLUE, hops=2)

    assert {node for node, hop in found.distances.items() if hop == 1} == {ItemNode("c"), ItemNode("d")}
    assert found.distances[ACME] == 2
    assert found.labels[ItemNode("d")] == "d blue"


def test_a_category_leads_up_and_down_and_to_its_own_items(graph: Stored) -> None:
    found = neighbourhood(graph, CategoryNode(("Tools",)), hops=2)

    assert found.distances == {
        CategoryNode(("Tools",)): 0,
        CategoryNode(BITS): 1,
        CategoryNode(DRILLS[:2]): 1,
        ItemNode("e"): 2,
        CategoryNode(DRILLS): 2,
    }


def test_what_is_cut_is_counted(graph: Stored) -> None:
    found = neighbourhood(graph, ACME, hops=1, width=2)

    assert found.item_ids == ["a", "b"]
    assert found.cut == {ACME: [Cut(group="item", more=1, at_least=False)]}


def test_of_more_than_can_be_counted_the_least_number_is_told(
    graph: Stored, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(graph, GraphInMemory):
        pytest.skip("it holds no more than a test builds")
    monkeypatch.setattr("memory.knowledge_graph.stored.LOOKED_AT", 2)

    found = neighbourhood(StoredGraph(session), ACME, hops=1, width=1)

    assert found.cut == {ACME: [Cut(group="item", more=1, at_least=True)]}


def test_a_neighbourhood_has_a_largest_size(graph: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST_NODES", 4)

    found = neighbourhood(graph, ItemNode("a"), hops=4)

    assert len(found.distances) == 4
    assert sum(cut.more for cuts in found.cut.values() for cut in cuts) > 0


def test_an_item_that_shares_its_category_and_most_values_is_a_substitute(graph: Stored) -> None:
    found = neighbourhood(graph, ItemNode("a"), hops=1)

    assert substitutes_of(graph, "a", limit=5) == ["b"]
    assert found.distances[ItemNode("b")] == 1
    assert Edge(ItemNode("a"), ItemNode("b"), "stands_in_for", Origin.COMPUTED) in found.edges


def test_one_shared_value_is_not_enough_for_a_substitute(made_of: MadeOf) -> None:
    graph = made_of(pair("a", "brand=Acme"), pair("b", "brand=Acme"))

    assert substitutes_of(graph, "a", limit=5) == []


def test_half_of_the_values_is_not_most_of_them_on_either_side(made_of: MadeOf) -> None:
    graph = made_of(pair("a", "x=1", "y=2"), pair("b", "x=1", "y=2", "v=3", "w=4"), pair("c", "x=1", "y=2", "v=5"))

    assert substitutes_of(graph, "a", limit=5) == ["c"]


def test_an_item_of_another_category_is_no_substitute(made_of: MadeOf) -> None:
    graph = made_of(pair("a", "x=1", "y=2"), pair("b", "x=1", "y=2", path=BITS))

    assert substitutes_of(graph, "a", limit=5) == []


def test_a_demand_joins_the_items_that_have_it(made_of: MadeOf) -> None:
    wanted = demand(1, "used_for", "drilling into concrete")
    unwanted = demand(1, "used_for", "Drilling into concrete", positive=False)
    graph = made_of(pair("a", demands=[wanted]), pair("b", path=BITS, demands=[unwanted]))

    found = neighbourhood(graph, DemandNode("used_for", "drilling into concrete"), hops=1)

    assert [(edge.source, edge.positive) for edge in found.edges] == [(ItemNode("a"), True), (ItemNode("b"), False)]


def test_what_is_used_with_an_item_leads_to_the_category_that_it_names(made_of: MadeOf) -> None:
    complement = DemandNode("used_with", "sds drill bits")
    graph = made_of(pair("a", demands=[demand(1, "used_with", "SDS drill bits")]), pair("bits", path=BITS))

    found = neighbourhood(graph, ItemNode("a"), hops=3)

    assert Edge(complement, CategoryNode(BITS), "names", Origin.COMPUTED) in found.edges
    assert found.distances[ItemNode("bits")] == 3


def test_what_is_used_with_an_item_names_other_items_by_their_title_and_never_itself(made_of: MadeOf) -> None:
    needed = demand(1, "used_with", "drill bits")
    graph = made_of(
        pair("a", "x=1", title="Drill with drill bits 1", demands=[needed]),
        pair("b", "x=1", title="Ten drill bits 1"),
    )

    found = neighbourhood(graph, ItemNode("a"), hops=2)

    names = [edge for edge in found.edges if edge.relation == "names"]
    assert names == [Edge(DemandNode("used_with", "drill bits"), ItemNode("b"), "names", Origin.COMPUTED)]


def test_a_purpose_names_no_product(made_of: MadeOf) -> None:
    graph = made_of(pair("a", demands=[demand(1, "used_for", "drill bits")]), pair("bits", path=BITS))

    found = neighbourhood(graph, ItemNode("a"), hops=3)

    assert "names" not in {edge.relation for edge in found.edges}


def test_only_the_current_version_and_the_present_text_are_seen(session: Session) -> None:
    stored(session, *PAIRS)
    newer = version_for(session, PROVENANCE.model_copy(update={"model": "scripted:newer"}))
    item, changed = pair("c", "brand=Bolt", title=PAIRS[2].item.title + " Bolt")
    save_item(session, drill("b", "Another text"))
    save_enrichment(session, newer, item, changed)

    before = StoredGraph(session).members(ACME)
    use(session, newer)
    after = StoredGraph(session).members(ACME)

    assert [member.item_id for member in before.members] == ["a"]  # the texts of b and c have changed
    assert [member.item_id for member in after.members] == ["a"]
    assert [member.item_id for member in StoredGraph(session).members(ValueNode("brand", "bolt", None)).members] == [
        "e",
        "c",
    ]


def test_an_item_of_which_nothing_is_known_stands_alone(session: Session) -> None:
    save_item(session, drill("new"))

    found = neighbourhood(StoredGraph(session), ItemNode("new"), hops=2)

    assert found.labels == {ItemNode("new"): "Acme cordless drill 18 V red"}


def test_where_nothing_is_stored_there_are_no_categories(session: Session) -> None:
    assert StoredGraph(session).categories() == set()
