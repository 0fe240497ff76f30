"""`reaseq trace` and `reaseq traces`: each step as it ends, stored, listed, drawn, and harmless whatever the text."""

import re
from pathlib import Path

import pytest

from tests.commands.command_line import reaseq
from tests.commands.willing_model import accepted, claim_ids, willing
from tests.evaluators.page_tags import Tags
from tests.loopback_provider import Asked, LoopbackProvider

KEY = "sk-canary-4711"
HOSTILE = '<script>alert(1)</script>\x1b[31m "]; click n1 "javascript:x" --> '


def once_refused(asked: Asked) -> object:
    """Answer as a willing model whose critic sends the brand back once."""
    if "verdicts" in asked.schema["properties"]:
        ids = claim_ids(asked)
        back = {"decision": "revise", "note": "not the whole name"}
        return {"verdicts": [accepted(i) | (back if i.startswith("0.") and "brand" in i else {}) for i in ids]}
    return willing(asked)


def test_loops_and_the_words_that_claims_rest_on_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackProvider(once_refused) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        ran = reaseq("trace", "kettles.csv", "--item", "K1", "--model", "openai:small", "--brief")

    assert ran.code == 0, ran.errors
    assert "→ back to the extractor: brand" in ran.output
    assert "↺ again for brand" in ran.output
    assert "critic ↺ attribute_extractor (2)" in ran.output
    assert "«steel» kettle «1.7 l» «red»" in ran.output
    assert "[answer]" not in ran.output
    assert "stored as trace 1" in ran.errors


def test_a_stored_trace_is_listed_and_shown_as_it_was() -> None:
    first = reaseq("trace", "kettles.csv", "--item", "K1", "--json").document
    reaseq("trace", "kettles.csv", "--item", "K2", "--json")

    listed = reaseq("traces", "--json").document
    of_first = reaseq("traces", "--item", "K1")
    shown = reaseq("traces", "show", 1, "--json").document

    assert [(head["id"], head["item_id"], head["state"]) for head in listed] == [(2, "K2", "done"), (1, "K1", "done")]
    assert "K2" not in of_first.output
    assert shown == first
    assert first["id"] == 1


def test_a_trace_that_is_not_to_be_stored_is_not() -> None:
    ran = reaseq("trace", "kettles.csv", "--item", "K1", "--no-store")

    assert ran.code == 0
    assert "stored as" not in ran.errors
    assert reaseq("traces", "--json").document == []


def test_traces_are_pruned_with_their_checkpoints(cache: Path) -> None:
    for _ in range(2):
        reaseq("trace", "kettles.csv", "--item", "K1")
    [dropped, kept] = [reaseq("traces", "show", n, "--json").document["thread"] for n in (1, 2)]

    ran = reaseq("traces", "prune", "--keep", 1, "--json")

    held = (cache / "checkpoints.db").read_bytes()
    assert ran.document == {"dropped": 1, "kept": 1}
    assert kept.encode() in held
    assert reaseq("traces", "show", 1).code == 1
    assert dropped != kept


def test_what_ended_an_item_is_stored_with_the_answer_that_led_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackProvider(lambda asked: "no JSON" if "summary" in str(asked.schema) else willing(asked)) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        ran = reaseq("trace", "kettles.csv", "--item", "K1", "--model", "openai:small")

    [head] = reaseq("traces", "--json").document
    shown = reaseq("traces", "show", 1, "--json").document
    assert ran.code == 1
    assert "error: summarizer: answer_invalid" in ran.errors
    assert (head["state"], shown["steps"][-1]["node"]) == ("failed", "summarizer")
    assert "no JSON" in {call["raw_answer"] for call in shown["steps"][-1]["calls"]}


def test_no_key_is_stored_or_shown(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    said = ""
    for fault in (None, "401", "500"):
        with LoopbackProvider(willing, fault=fault) as provider:
            monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
            said += reaseq("trace", "kettles.csv", "--item", "K1", "--model", "openai:small", "--fresh").all
    said += reaseq("traces", "--json").all + reaseq("traces", "show", 2, "--html", "t.html").all

    stored = b"".join(
        path.read_bytes() for path in (*Path().glob("knowledge.db*"), *cache.glob("*.db*"), Path("t.html"))
    )
    assert [head["state"] for head in reaseq("traces", "--json").document] == ["failed", "failed", "done"]
    assert KEY not in said
    assert KEY.encode() not in stored


def hostile(asked: Asked) -> object:
    """Answer with markup and control codes in every text."""
    if "verdicts" in asked.schema["properties"]:
        return {"verdicts": [accepted(i) | {"decision": "reject", "note": HOSTILE} for i in claim_ids(asked)]}
    return {"summary": HOSTILE} if "summary" in asked.schema["properties"] else willing(asked)


def test_a_hostile_item_is_text_in_the_page_the_diagram_and_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    title = f"Kettle {HOSTILE}"
    with LoopbackProvider(hostile) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        ran = reaseq("trace", "--title", title, "--model", "openai:small", "--html", "t.html")
    drawn = reaseq("traces", "show", 1, "--mermaid")

    page = Path("t.html").read_text(encoding="utf-8")
    assert ran.code == 0, ran.errors
    assert all(character.isprintable() or character == "\n" for character in ran.all + drawn.all + page)
    tags = Tags(page).found
    assert not {tag for tag, _ in tags} & {"script", "iframe", "img", "object", "embed", "link", "base", "form"}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert all((attributes.get("href") or "#").startswith("#") for _, attributes in tags)
    assert "default-src 'none'" in page
    labels = re.findall(r'"([^"]*)"', drawn.output)
    assert drawn.output.startswith("flowchart TD\n")
    assert all(re.fullmatch(r"(?:[\w .,:/()+-]|#\d+;|<br/>)*", label) for label in labels)
    assert len(drawn.output.splitlines()) == 16


def test_a_path_with_a_loop_is_drawn_with_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackProvider(once_refused) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        ran = reaseq("trace", "kettles.csv", "--item", "K1", "--model", "openai:small", "--mermaid")

    assert ran.output.startswith("flowchart TD\n")
    assert '  n2 -->|"2 x"| n3' in ran.output
    assert '  n3 -.->|"1 x back: brand"| n2' in ran.output


def test_watching_and_a_document_exclude_each_other() -> None:
    assert reaseq("trace", "kettles.csv", "--item", "K1", "--watch", "--json").code == 2
