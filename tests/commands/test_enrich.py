"""`reaseq enrich` and `reaseq trace`, as a user meets them: what they do, and what they say when they cannot."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.command_line import Ran, reaseq
from tests.commands.willing_model import willing
from tests.loopback_provider import LoopbackProvider


def test_a_catalog_is_enriched_with_the_embedded_model(enriched: tuple[str, Ran]) -> None:
    _, ran = enriched

    assert ran.code == 0, ran.errors
    report = ran.document
    assert (report["rows"], report["enriched"], report["failed"], report["rejected"]) == (3, 3, {}, [])
    assert report["claims"]["accept"] >= 6


def test_a_run_in_the_terminal_shows_items_counts_and_where_it_is_stored() -> None:
    ran = reaseq("enrich", "kettles.csv", "--limit", 1)

    assert ran.code == 0
    assert "Acme steel kettle 1.7 l red" in ran.output
    assert "brand = Acme «Acme»" in ran.output
    assert "K2" not in ran.output
    assert "1 rows = 1 enriched + 0 rejected + 0 failed" in ran.errors
    assert "sqlite:///knowledge.db" in ran.errors
    assert Path("knowledge.db").exists()


def test_a_second_run_leaves_the_same_knowledge() -> None:
    exports = []
    for run in range(2):
        reaseq("enrich", "kettles.csv")
        reaseq("export", "--format", "jsonl", "--out", f"{run}.jsonl")
        exports.append(Path(f"{run}.jsonl").read_bytes())

    assert exports[0] == exports[1]
    assert exports[0].count(b"\n") == 3


def test_a_catalog_that_is_missing_is_named() -> None:
    ran = reaseq("enrich", "nowhere.csv")

    assert ran.code == 1
    assert "nowhere.csv" in ran.errors
    assert not Path("knowledge.db").exists() or reaseq("show", "K1").code == 1


def test_a_catalog_without_a_title_column_fails_with_the_names_of_its_columns() -> None:
    Path("colors.csv").write_text("sku,farbton\n1,rot\n", encoding="utf-8")

    ran = reaseq("enrich", "colors.csv")

    assert ran.code == 1
    assert "colors.csv" in ran.errors
    assert "'farbton'" in ran.errors
    assert "--map title=" in ran.errors


def test_a_column_can_be_mapped() -> None:
    Path("colors.csv").write_text("sku,was\n1,Steel kettle\n", encoding="utf-8")

    ran = reaseq("enrich", "colors.csv", "--map", "title=was", "--json")

    assert ran.code == 0
    assert ran.document["enriched"] == 1


@pytest.mark.parametrize("spec", ["gpt-4o", "embedded:other", "openai:", "nonsense:x", ""])
def test_an_unknown_model_is_told_with_the_forms_that_there_are(spec: str) -> None:
    ran = reaseq("enrich", "kettles.csv", "--model", spec)

    assert ran.code == 1
    assert "embedded:smollm2, openai:MODEL, ollama:MODEL, scripted:FILE" in ran.errors


def test_a_model_that_needs_a_key_says_which_variable_to_set() -> None:
    ran = reaseq("enrich", "kettles.csv", "--model", "openai:small")

    assert ran.code == 1
    assert "OPENAI_API_KEY" in ran.errors


@pytest.mark.parametrize(
    "arguments",
    [
        ["enrich"],
        ["enrich", "kettles.csv", "--limit", "0"],
        ["enrich", "kettles.csv", "--nonsense"],
        ["enrich", "kettles.csv", "--map", "nonsense"],
        ["nonsense"],
        ["trace"],
        ["trace", "kettles.csv"],
        ["trace", "kettles.csv", "--item", "K1", "--title", "both"],
        ["export", "--format", "xml", "--out", "x.xml"],
        ["export", "--format", "csv"],
        ["show"],
        ["prompts", "render", "critic"],
    ],
)
def test_wrong_usage_ends_with_code_2_and_does_nothing(arguments: list[str]) -> None:
    ran = reaseq(*arguments)

    assert ran.code == 2
    assert "Usage: " in ran.errors
    assert ran.output == ""
    assert [path.name for path in Path().iterdir()] == ["kettles.csv"]


def answers(*lines: dict[str, Any]) -> str:
    """Write a script of answers; return the spec of its model."""
    Path("script.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return "scripted:script.jsonl"


BRAND = {"attribute": "brand", "value": "Acme", "field": "title", "quote": "Acme", "confidence": 0.9}
SCRIPT: list[dict[str, Any]] = [
    {"agent": "category_expert", "answer": {"category_id": "kitchen.kettles", "confidence": 0.9}},
    {"agent": "category_expert", "prompt": "category_expert_template", "answer": {"attributes": []}},
    {"agent": "attribute_extractor", "answer": {"claims": [BRAND]}},
    {"agent": "critic", "answer": {"verdicts": []}},
    {"agent": "demand_analyst", "answer": {"demands": []}},
    {"agent": "summarizer", "answer": {"summary": "A kettle."}},
]


def test_a_script_can_stand_in_for_a_model() -> None:
    ran = reaseq("enrich", "kettles.csv", "--limit", 1, "--model", answers(*SCRIPT), "--json")
    shown = reaseq("show", "K1", "--json").document

    assert ran.code == 0, ran.errors
    assert shown["enrichment"]["provenance"]["model"] == "scripted:script.jsonl"
    assert shown["enrichment"]["category"]["chosen_by"] == "model"
    assert {verdict["reason"] for verdict in shown["enrichment"]["verdicts"]} == {"unruled"}


def test_an_item_without_an_answer_fails_with_a_reason_and_the_others_go_on() -> None:
    for_first = [line | {"item": "K1"} if line.get("prompt") is None else line for line in SCRIPT]

    ran = reaseq("enrich", "kettles.csv", "--model", answers(*for_first), "--json")
    failed = reaseq("show", "K2")

    assert ran.code == 0
    assert ran.document["enriched"] == 1
    assert ran.document["failed"] == {"bad_request": 2}
    assert failed.code == 1
    assert "bad_request" in failed.errors
    assert "has no answer for agent 'category_expert', item 'K2'" in failed.errors


def test_a_run_in_which_every_item_fails_ends_with_code_1() -> None:
    ran = reaseq("enrich", "kettles.csv", "--model", answers({"agent": "summarizer", "answer": ""}))

    assert ran.code == 1
    assert "3 rows = 0 enriched + 0 rejected + 3 failed" in ran.errors
    assert "failed: K1: bad_request: " in ran.errors


def test_a_script_with_a_bad_line_is_named_with_the_line() -> None:
    ran = reaseq("enrich", "kettles.csv", "--model", answers(SCRIPT[0], {"agent": "critic"}))

    assert ran.code == 1
    assert "script.jsonl, line 2: answer: " in ran.errors


def test_a_server_that_cannot_be_reached_ends_the_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")

    ran = reaseq("enrich", "kettles.csv", "--model", "ollama:small")

    assert ran.code == 1
    assert "127.0.0.1:9" in ran.errors
    assert "Traceback" not in ran.errors


def test_a_title_can_be_traced_step_by_step() -> None:
    ran = reaseq("trace", "--title", "Acme steel kettle 1.7 l red")

    nodes = ["category_expert", "attribute_extractor", "critic", "demand_analyst", "demand_critic", "summarizer"]
    steps = [f"{n}. {node}" for n, node in enumerate(nodes, 1)]
    places = [ran.output.index(step) for step in [*steps, "result"]]
    assert ran.code == 0
    assert places == sorted(places)
    assert "kitchen.kettles" in ran.output


def test_a_trace_shows_each_question_and_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackProvider(willing) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        ran = reaseq("trace", "kettles.csv", "--item", "K1", "--model", "openai:small")

    assert ran.code == 0, ran.errors
    assert "title: Acme steel kettle 1.7 l red" in ran.output
    assert '"quote": "Acme"' in ran.output
    assert ran.output.count("[answer]") == len(provider.asked)


def test_a_trace_leaves_the_stored_knowledge_as_it_is() -> None:
    reaseq("enrich", "kettles.csv", "--limit", 1)
    before = reaseq("show", "K1", "--json").document

    reaseq("trace", "kettles.csv", "--item", "K1", "--max-revisions", 0)
    reaseq("trace", "kettles.csv", "--item", "K2")

    assert reaseq("show", "K1", "--json").document == before
    assert reaseq("show", "K2").code == 1


def test_a_row_that_was_rejected_cannot_be_traced_and_the_reason_is_told() -> None:
    Path("rows.csv").write_text("id,title\n1,\n2,Kettle\n", encoding="utf-8")

    rejected, unknown = reaseq("trace", "rows.csv", "--item", "1"), reaseq("trace", "rows.csv", "--item", "9")

    assert (rejected.code, unknown.code) == (1, 1)
    assert "rows.csv, line 2: item '1' was rejected: has no title" in rejected.errors
    assert "rows.csv has no item '9'" in unknown.errors
