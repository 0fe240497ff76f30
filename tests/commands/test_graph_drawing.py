"""The tree, the drawing and the page: hostile text stays text, labels fit, what is cut or wrong is shown."""

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from commands.graph_drawing import drawing_of, page_of
from commands.graph_layout import HEIGHT, WIDTH, drawing
from commands.graph_tree import print_graph
from commands.graph_view import GraphView, document_of
from commands.output import console
from memory.discrepancies import StaleFacts, contradictions_in
from memory.knowledge_graph.neighbourhood import neighbourhood
from memory.knowledge_graph.nodes import ItemNode, ValueNode
from memory.rows import StoredKnowledge
from tests.memory.knowledge_graph.graph_samples import BITS, GraphInMemory, demand, pair, with_demands
from tests.memory.knowledge_samples import drill, enriched, known
from tests.memory.test_discrepancies import contradicted

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "end of a CDATA section": "]]>",
    "quotes": "\"'><svg onload=alert(1)>",
    "template": "{{ 7 * 7 }}{% raw %}",
    "terminal": "\x1b[31mred\x1b]8;;http://x\x07",
    "no XML": "\0\x0b\ufffe",
    "right to left": "\u202egnp.exe\u2066",
    "line ends": "a\r\nb\u2028c",
    "rich markup": "[bold red]x[/]",
    "long": "x" * 10_000,
    "wide": "宽" * 200,
}


def view_of(*pairs: StoredKnowledge, hops: int = 2, width: int = 12) -> GraphView:
    """Return what stands around the first item."""
    found = neighbourhood(GraphInMemory(pairs), ItemNode(pairs[0].item.id), hops=hops, width=width)
    contradicted_by = (one for item in pairs for one in contradictions_in(item.enrichment))
    return GraphView(found, tuple(contradicted_by), (StaleFacts(item_id="a", why=("its text changed",)),))


def hostile_view(text: str) -> GraphView:
    """Return a view in which everything that can be is the text."""
    item = drill(text[:150], f"Acme {text}")
    rejected = contradicted(item, known("brand", text))
    claims = (*rejected.claims, known(text, text, "w2"))
    verdicts = (*rejected.verdicts, rejected.verdicts[0].model_copy(update={"claim_id": "w2"}))
    content = {"claims": claims, "verdicts": verdicts}
    enrichment = enriched(item, path=("Tools", text)).model_copy(update=content)
    wanted = [demand(1, "used_for", text[:200])]
    return view_of(StoredKnowledge(item, with_demands(enrichment, wanted)))


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_only_text_in_a_drawing_and_a_page(text: str) -> None:
    harmless, hostile = hostile_view("plain"), hostile_view(text)

    drawn, page = drawing_of(hostile.found), page_of(hostile)

    tags = [one.tag for one in ET.fromstring(drawn).iter()]
    assert tags == [one.tag for one in ET.fromstring(drawing_of(harmless.found)).iter()]
    assert Tags(page).seen == Tags(page_of(harmless)).seen
    assert Tags(page).attributes == Tags(page_of(harmless)).attributes
    for written in (drawn, page):
        assert not set(written) & set("\0\x0b\x1b\ufffe\u202e\u2066\u2028\r")
        assert text != HOSTILE["template"] or text in written


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_only_text_in_a_terminal(text: str) -> None:
    with console.capture() as captured:
        print_graph(hostile_view(text))

    assert not set(captured.get()) & set("\0\x0b\x1b\ufffe\u202e\u2066\u2028\r")
    assert max(map(len, captured.get().splitlines())) < 500
    if text == HOSTILE["rich markup"]:
        assert "[bold red]x[/]" in captured.get()


def test_no_label_is_wider_than_its_node_and_no_two_nodes_stand_in_one_place() -> None:
    pairs = [pair(f"i{number}", f"x{number % 7}=WWWW{number}", "brand=Acme") for number in range(30)]
    found = neighbourhood(GraphInMemory(pairs), ValueNode("brand", "acme", None), hops=2, width=30)

    boxes = drawing(found).boxes

    assert all(len(box.label) * 4 < WIDTH for box in boxes)
    for one in boxes:
        beside = [other for other in boxes if other is not one and other.x == one.x]
        assert all(abs(one.y - other.y) > HEIGHT for other in beside)


def test_a_drawing_tells_what_was_cut_and_how_each_edge_is_known() -> None:
    wanted = [demand(1, "used_for", "drilling"), demand(2, "used_in", "rain", positive=False)]
    pairs = [pair(f"i{number}", "brand=Acme", demands=wanted) for number in range(12)]

    drawn = drawing_of(view_of(*pairs, width=2).found)

    assert "and 3 more items" in drawn
    for style in ('"edge claim"', '"edge world_knowledge"', '"edge computed"', '"edge world_knowledge negative"'):
        assert style in drawn.split("</style>")[1].split('class="legend"')[0]


def test_a_tree_tells_relations_origins_cuts_and_what_does_not_hold_together() -> None:
    wanted = [
        demand(1, "used_for", "drilling into concrete"),
        demand(2, "used_in", "rain", positive=False),
        demand(3, "used_with", "drill bits"),
    ]
    first = pair("a", "brand=Acme", "color=red", demands=wanted)
    others = [pair(name, "brand=Acme", "color=red") for name in ("b", "c")]
    bits = pair("e", "brand=Bolt", path=BITS)
    refused = StoredKnowledge(drill("f"), contradicted(drill("f"), known("brand", "Bolt")))

    with console.capture() as captured:
        print_graph(view_of(first, *others, bits, refused, width=1))

    told = captured.get()
    assert "used for drilling into concrete  (world knowledge)" in told
    assert "and 2 more demands" in told
    assert "could be replaced by b" in told
    assert "and more" not in told
    assert "contradiction  f  brand: Bolt (world knowledge) was refused against acme (title: «Acme»)" in told
    assert "stale  a  its text changed" in told


def test_a_page_shows_contradictions_and_stale_facts() -> None:
    refused = StoredKnowledge(drill("f"), contradicted(drill("f"), known("brand", "Bolt")))

    page = page_of(view_of(refused))

    assert "brand: Bolt (world knowledge) was refused against acme (title: «Acme»)" in page
    assert "its text changed" in page


def test_the_document_names_nodes_and_cuts() -> None:
    document = document_of(view_of(*(pair(name, "brand=Acme") for name in "abcd"), width=1))

    nodes = document["nodes"]
    assert isinstance(nodes, list)
    assert [(node["kind"], node["hop"]) for node in nodes[:3]] == [("item", 0), ("category", 1), ("value", 1)]
    assert nodes[0]["item_id"] == "a"
    # Each of the two shows one item, and the other's too, which is there anyway.
    assert [node["cut"] for node in nodes[1:3]] == [[{"group": "item", "more": 1, "at_least": False}]] * 2
