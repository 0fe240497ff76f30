"""`reaseq prompts`: listed, shown, rendered, and refused where a file is wrong."""

import shutil
from pathlib import Path

import pytest

from tests.commands.command_line import ROOT, reaseq

NAMES = {
    "attribute_extractor",
    "category_expert",
    "category_expert_template",
    "critic",
    "demand_analyst",
    "demand_critic",
    "summarizer",
}


@pytest.fixture
def copied(folder: Path) -> Path:
    """The bundled prompts, to be edited."""
    return Path(shutil.copytree(ROOT / "prompts", folder / "my", ignore=shutil.ignore_patterns("*.py", "__pycache__")))


def test_all_prompts_are_listed_with_their_inputs() -> None:
    ran = reaseq("prompts", "list", "--json")

    assert {prompt["name"] for prompt in ran.document} >= NAMES
    assert all(prompt["agent"] and prompt["purpose"] and prompt["inputs"] for prompt in ran.document)
    assert all(name in reaseq("prompts", "list").output for name in NAMES)


def test_a_prompt_is_shown_as_it_is_written() -> None:
    ran = reaseq("prompts", "show", "critic")

    assert ran.code == 0
    assert "{{ claims }}" in ran.output


@pytest.mark.parametrize("command", [["list"], ["show", "critic"], ["render", "critic", "--item", "S001"]])
def test_the_prompts_of_a_model_can_be_seen_before_there_is_a_key_for_it(command: list[str]) -> None:
    ran = reaseq("prompts", *command, "--model", "openai:small")

    assert ran.code == 0, ran.errors
    assert ran.output


def test_a_prompt_is_rendered_for_an_item_of_a_catalog() -> None:
    ran = reaseq("prompts", "render", "critic", "--item", "K1", "--catalog", "kettles.csv")

    assert ran.code == 0
    assert "title: Acme steel kettle 1.7 l red" in ran.output
    assert "{{" not in ran.output


@pytest.mark.parametrize("command", [["show", "nonsense"], ["render", "nonsense", "--item", "S001"]])
def test_an_unknown_prompt_is_answered_with_those_that_there_are(command: list[str]) -> None:
    ran = reaseq("prompts", *command)

    assert ran.code == 1
    assert "'nonsense'" in ran.errors
    assert "critic" in ran.errors


@pytest.mark.parametrize(
    "command",
    [["prompts", "list"], ["prompts", "render", "critic", "--item", "S001"], ["enrich", "kettles.csv"]],
)
def test_an_unknown_slot_is_named_with_its_file(copied: Path, command: list[str]) -> None:
    with (copied / "critic.md").open("a", encoding="utf-8") as file:
        file.write("\n{{ rating }}\n")

    ran = reaseq(*command, "--prompts", "my")

    assert ran.code == 1
    assert "critic.md" in ran.errors
    assert "rating" in ran.errors


def test_an_edited_prompt_has_another_fingerprint(copied: Path) -> None:
    before = {prompt["name"]: prompt["fingerprint"] for prompt in reaseq("prompts", "list", "--json").document}
    with (copied / "critic.md").open("a", encoding="utf-8") as file:
        file.write("\nBe strict.\n")

    edited = {p["name"]: p["fingerprint"] for p in reaseq("prompts", "list", "--prompts", "my", "--json").document}

    assert {name for name in before if before[name] != edited[name]} == {"critic"}


def test_a_folder_that_is_missing_is_named() -> None:
    ran = reaseq("prompts", "list", "--prompts", "nowhere")

    assert ran.code == 1
    assert "nowhere" in ran.errors


@pytest.mark.parametrize("agent", ["demand_analyst", "demand_critic"])
def test_the_prompts_of_demands_are_rendered_with_what_the_category_says(agent: str) -> None:
    ran = reaseq("prompts", "render", agent, "--item", "K1", "--catalog", "kettles.csv", "--model", "openai:small")

    assert ran.code == 0, ran.errors
    assert "boiling water for tea" in ran.output
    assert "<product-" in ran.output
