"""`reaseq show` and `reaseq export`: what is known, shown and written."""

import csv
import json
from pathlib import Path

import duckdb
import networkx as nx
import pytest

from tests.commands.command_line import Ran, reaseq


def test_an_item_is_shown_with_its_evidence(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("show", "K1", "--kb", enriched[0])

    assert ran.code == 0
    assert "K1  Acme steel kettle 1.7 l red" in ran.output
    assert "title[18:23] Acme steel kettle 1.7 l red" in ran.output
    assert "Made by embedded:smollm2" in ran.output


def test_demands_are_shown_as_no_words_of_the_text(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("show", "K1", "--kb", enriched[0])
    document = reaseq("show", "K1", "--kb", enriched[0], "--json").document["enrichment"]

    assert "Demands (knowledge of the world, not of the text)" in ran.output
    assert "boiling water for tea" in ran.output
    assert {demand["producer"] for demand in document["demands"]} == {"template"}
    assert {verdict["decision"] for verdict in document["demand_verdicts"]} == {"accept"}


def test_each_quote_stands_in_the_text_at_its_offsets(enriched: tuple[str, Ran]) -> None:
    document = reaseq("show", "K1", "--kb", enriched[0], "--json").document

    item = document["item"]
    texts = {"title": item["title"], "description": item["description"]}
    texts |= {field["name"]: field["text"] for field in item["fields"]}
    proofs = [claim["evidence"] for claim in document["enrichment"]["claims"]]
    assert len(proofs) >= 3
    assert all(texts[proof["field"]][proof["start"] : proof["end"]] == proof["quote"] for proof in proofs)


def test_the_graph_names_items_that_share_values(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("show", "K1", "--kb", enriched[0], "--graph")

    assert ran.code == 0
    assert "in category Kitchen > " in ran.output
    assert "color = red" in ran.output
    assert "graph" in reaseq("show", "K1", "--kb", enriched[0], "--graph", "--json").document


def test_an_unknown_id_is_answered_with_ids_that_there_are(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("show", "K9", "--kb", enriched[0])

    assert ran.code == 1
    assert "'K9'" in ran.errors
    assert all(item_id in ran.errors for item_id in ("K1", "K2", "K3"))


def test_a_knowledge_base_that_is_not_there_is_named_and_not_made(folder: Path) -> None:
    ran = reaseq("show", "K1", "--kb", "sqlite:///missing.db")

    assert ran.code == 1
    assert "missing.db" in ran.errors
    assert not (folder / "missing.db").exists()


@pytest.mark.parametrize("typed", [" K1 ", "K1\n"])
def test_blanks_around_an_id_do_not_matter(enriched: tuple[str, Ran], typed: str) -> None:
    assert reaseq("show", typed, "--kb", enriched[0]).code == 0


def test_an_id_is_found_however_its_letters_are_composed() -> None:
    Path("rows.csv").write_text("id,title\nCafe\u0301-1,Mug\n", encoding="utf-8")
    reaseq("enrich", "rows.csv")

    assert reaseq("show", "Cafe\u0301-1").code == 0
    assert reaseq("show", "Caf\u00e9-1").code == 0
    assert reaseq("trace", "rows.csv", "--item", "Cafe\u0301-1").code == 0


def test_an_id_that_is_no_utf8_is_an_unknown_id(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("show", "\udcff", "--kb", enriched[0])

    assert ran.code == 1
    assert "has no enrichment of item" in ran.errors


def test_every_format_holds_every_item(enriched: tuple[str, Ran]) -> None:
    for name in ("jsonl", "csv", "parquet", "graphml"):
        ran = reaseq("export", "--format", name, "--out", f"out.{name}", "--kb", enriched[0], "--json")
        assert ran.document == {"items": 3, "file": f"out.{name}", "format": name}

    with Path("out.csv").open(encoding="utf-8", newline="") as file:
        in_csv = {row["item_id"] for row in csv.DictReader(file)}
    in_jsonl = {json.loads(line)["id"] for line in Path("out.jsonl").read_text(encoding="utf-8").splitlines()}
    in_parquet = {row[0] for row in duckdb.read_parquet("out.parquet").select("item_id").fetchall()}
    in_graph = [node for node, about in nx.read_graphml("out.graphml").nodes.items() if about["kind"] == "item"]
    assert in_csv == in_jsonl == in_parquet == {"K1", "K2", "K3"}
    assert len(in_graph) == 3


def test_a_file_that_cannot_be_written_is_named(enriched: tuple[str, Ran]) -> None:
    ran = reaseq("export", "--format", "jsonl", "--out", "nowhere/out.jsonl", "--kb", enriched[0])

    assert ran.code == 1
    assert "nowhere/out.jsonl" in ran.errors
