"""`reaseq graph`: what stands around an item or a value, the files that it writes, and what does not hold together."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import networkx as nx
import pytest

from memory.database import open_existing_database
from memory.items import save_item
from memory.schema import CatalogItem
from tests.commands.command_line import Ran, reaseq


def test_an_item_is_shown_with_its_category_its_values_and_who_shares_them(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("graph", "K1", "--kb", enriched[0])

    assert ran.code == 0
    assert "K1  Acme steel kettle 1.7 l red" in ran.output
    assert "in category Kitchen > " in ran.output
    assert "color = red" in ran.output
    assert "K2  Nordlicht Wasserkocher" in ran.output  # of the same category


def test_a_value_is_found_as_the_catalog_writes_it(enriched: tuple[str, Ran]) -> None:
    document = reaseq("graph", "Brand=acme", "--kb", enriched[0], "--hops", "1", "--json").document

    assert [node["label"] for node in document["nodes"]] == ["Acme", "Acme steel kettle 1.7 l red"]
    assert [edge["origin"] for edge in document["edges"]] == ["claim"]


def test_a_name_that_nothing_has_is_answered_with_what_there_is(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("graph", "color=rde", "--kb", enriched[0])

    assert ran.code == 1
    assert "values of color are black, blue, red" in ran.errors


@pytest.mark.parametrize("arguments", [(), ("K1", "--check"), ("K1", "--hops", "0"), ("K1", "--width", "0")])
def test_wrong_usage_is_told(arguments: tuple[str, ...], enriched: tuple[str, Ran]) -> None:
    assert reaseq("graph", *arguments, "--kb", enriched[0]).code == 2


def test_every_file_holds_the_same_graph(enriched: tuple[str, Ran]) -> None:
    files = ("--svg", "k.svg", "--html", "k.html", "--graphml", "k.graphml", "--jsonld", "k.jsonld")

    document = reaseq("graph", "K1", "--kb", enriched[0], *files, "--json").document

    nodes, edges = len(document["nodes"]), len(document["edges"])
    graph = nx.read_graphml("k.graphml")
    assert (graph.number_of_nodes(), graph.number_of_edges()) == (nodes, edges)
    jsonld = json.loads(Path("k.jsonld").read_text(encoding="utf-8"))["@graph"]
    assert (sum("@id" in one for one in jsonld), sum("@id" not in one for one in jsonld)) == (nodes, edges)
    drawn = ET.parse("k.svg").getroot()
    assert len(drawn.findall("{*}g")) == nodes
    assert len([line for line in drawn.findall("{*}path") if line.findall("{*}title")]) == edges
    page = Path("k.html").read_text(encoding="utf-8")
    assert page.count("<tr>") == nodes + edges + 2


def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing(enriched: tuple[str, Ran]) -> None:
    reaseq("graph", "K1", "--kb", enriched[0], "--html", "k.html", "--svg", "k.svg")

    page = Path("k.html").read_text(encoding="utf-8")
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'\"" in page
    for text in (page, Path("k.svg").read_text(encoding="utf-8")):
        assert not re.search(r"<script|href|src=|url\(|@import|<foreignObject|\bon\w+=", text)


def test_a_file_that_cannot_be_written_is_named(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("graph", "K1", "--kb", enriched[0], "--svg", "nowhere/k.svg")

    assert ran.code == 1
    assert "nowhere/k.svg" in ran.errors


def test_a_knowledge_base_that_holds_together_is_told_so(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("graph", "--check", "--kb", enriched[0])

    assert ran.code == 0
    assert "no contradictions, and nothing is stale" in ran.errors


def test_changed_texts_are_listed_by_the_check_and_beside_the_item() -> None:
    reaseq("enrich", "kettles.csv", "--kb", "sqlite:///own.db")
    with open_existing_database("sqlite:///own.db") as database, database.writing() as session:
        for item_id in ("K1", "K2"):
            save_item(session, CatalogItem(id=item_id, title="Another kettle"))

    everywhere = reaseq("graph", "--check", "--kb", "sqlite:///own.db", "--limit", "1", "--json").document
    there = reaseq("graph", "K2", "--kb", "sqlite:///own.db")

    assert [one["item_id"] for one in everywhere["stale"]] == ["K1"]
    assert everywhere["more_stale"] is True
    assert "stale  K2  its text changed" in there.output
