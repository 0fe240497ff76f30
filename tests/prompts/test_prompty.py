"""Prompts travel to .prompty files and back as they are; what does not is named or refused."""

from pathlib import Path

import pytest

from prompts.findings import PromptError
from prompts.library import Prompt, PromptLibrary, default_folder
from prompts.prompty import from_prompty, to_prompty
from tests.prompts.prompt_folder import CRITIC, written

BASIC = """\
---
name: Basic
description: Answers
authors: [somebody]
model:
  api: chat
  configuration:
    type: azure_openai
    azure_endpoint: ${env:ENDPOINT}
inputs:
  item:
    type: string
  claims: {type: string}
sample:
  item: Jane
---
system:
You are an assistant.
# Facts
{{claims}}

user:
{{item}}
"""


def read_back(folder: Path, text: str, name: str, agent: str) -> tuple[Prompt, tuple[str, ...]]:
    """Return a .prompty text as a prompt, and what was lost of it."""
    path = folder / "there.prompty"
    path.write_text(text, encoding="utf-8")
    carried = from_prompty(path, name, agent)
    library = PromptLibrary.from_texts({f"{name}.md": carried.text})
    return library.get(name), carried.losses


@pytest.mark.parametrize("variant", [None, "embedded"])
def test_every_bundled_prompt_comes_back_with_its_fingerprint(tmp_path: Path, variant: str | None) -> None:
    for prompt in PromptLibrary.load(default_folder(), variant):
        back, losses = read_back(tmp_path, to_prompty(prompt).text, prompt.name, prompt.agent)

        assert back.fingerprint == prompt.fingerprint
        assert back == prompt
        assert losses == ()


def test_what_cannot_be_carried_is_named(tmp_path: Path) -> None:
    text = CRITIC.replace("---\n# System", "notes: [one, two]\n---\n# System").replace(
        "You check facts.", "{% include '_tone.md' %}\nYou check facts."
    )
    written(tmp_path, text)
    written(tmp_path, "Be kind.", "_tone.md")

    carried = to_prompty(PromptLibrary.load(tmp_path).get("critic"))

    assert "Be kind.\nYou check facts." in carried.text
    assert [loss.split(" is ")[0] for loss in carried.losses[:2]] == ["notes (2)", "the fragment _tone.md"]


def test_a_file_of_another_tool_becomes_a_prompt_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    prompt, losses = read_back(tmp_path, BASIC, "critic", "critic")

    assert (prompt.agent, prompt.purpose, prompt.inputs) == ("critic", "Answers", ("item", "claims"))
    assert prompt.system == "You are an assistant.\n## Facts\n{{claims}}"
    assert [loss.split()[0] for loss in losses] == ["'authors'", "'model'", "the", "headings"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BASIC.replace("user:\n", "assistant:\nHello.\nuser:\n"), "its messages are"),
        (BASIC.replace("system:\n", "user:\n"), "its messages are"),
        (BASIC.replace("sample:", "template: mustache\nsample:"), "'mustache'"),
        (BASIC.replace("  item:\n", "  firstName:\n"), "'firstName'"),
        (BASIC.replace("description: Answers", "description: !!python/object/apply:os.getcwd []"), "line 3"),
        (BASIC.replace("[somebody]", "&a [x]\nb: *a"), "aliases"),
        (BASIC.replace("name: Basic", "name: Basic\nname: Other"), "repeated"),
        (BASIC.replace("---\nname", "name"), "no front matter"),
        (BASIC + "x" * 70_000, "at most"),
    ],
)
def test_what_a_prompt_cannot_be_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PromptError, match=says):
        read_back(tmp_path, text, "critic", "critic")


def test_a_line_that_would_begin_a_message_there_is_not_written(tmp_path: Path) -> None:
    written(tmp_path, CRITIC.replace("You check facts.", "You check facts.\nuser:\n"))

    with pytest.raises(PromptError, match="line 2 of its system section, 'user:'"):
        to_prompty(PromptLibrary.load(tmp_path).get("critic"))
