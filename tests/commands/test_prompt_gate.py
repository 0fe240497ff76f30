"""Prompt edits on the golden set: a worse one is caught, one that changes nothing is not, and history tells of both."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.command_line import Ran, reaseq
from tests.commands.willing_model import claim, first_word, willing
from tests.loopback_provider import Asked, LoopbackProvider

BRANDS = ("Acme", "Bolt", "Cima", "Dora", "Elva", "Faro")
ITEMS = 12
OPTIONS = ("--model", "openai:small", "--prompts", "own")


def obeying(asked: Asked) -> object:
    """Answer as the willing model, and name the brand only where the prompt says what a brand is."""
    if "claims" not in asked.schema["properties"]:
        return willing(asked)
    knows = "the text says it of this very item" in json.dumps(asked.body["messages"])
    return {"claims": [claim("brand", word, word, "title") for word in [first_word(asked)] if knows]}


@pytest.fixture(autouse=True)
def golden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProvider]:
    """Golden kettles, prompts of one's own, and a model that does what they say."""
    lines = [
        {
            "id": f"G{n}",
            "title": f"{BRANDS[n % 6]} kettle",
            "category": "kitchen.kettles",
            "attributes": {"brand": BRANDS[n % 6]},
        }
        for n in range(ITEMS)
    ]
    (folder / "gold.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with LoopbackProvider(obeying) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        (folder / "reaseq.toml").write_text('without = ["demand_analyst", "demand_critic", "summarizer"]\n')
        assert reaseq("prompts", "new", "attribute_extractor", "--from", "attribute_extractor", *OPTIONS).code == 0
        yield provider


def evaluated(*arguments: str) -> Ran:
    return reaseq("evaluate", "gold.jsonl", *OPTIONS, *arguments)


def edit(old: str, new: str) -> None:
    path = Path("own/attribute_extractor.md")
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_gate_catches_a_worse_edit_and_lets_one_pass_that_changes_nothing() -> None:
    assert evaluated("--out", "before.json").code == 0
    edit("Never guess, convert", "Do not guess, convert")
    same = evaluated("--gate", "before.json")
    edit("the text says it of this very item", "you are quite sure of it")
    worse = evaluated("--gate", "before.json")

    uses = reaseq("prompts", "history", "attribute_extractor", *OPTIONS, "--json").document

    assert (same.code, "gate: passed" in same.all) == (0, True)
    assert (worse.code, "F1 fell from" in worse.all) == (1, True)
    assert [[score["f1"] for score in use["scores"]] for use in uses] == [[1.0], [1.0], [0.0]]
    assert [use["present"] for use in uses] == [False, False, True]


def test_an_edit_that_no_message_shows_asks_nothing_anew(golden: LoopbackProvider) -> None:
    assert evaluated("--out", "before.json").code == 0
    asked = len(golden.asked)
    edit("# System\n", "# System\n{# for the next one who reads this #}\n")

    ran = evaluated("--gate", "before.json")

    assert ran.code == 0
    assert len(golden.asked) == asked
