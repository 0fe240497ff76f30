"""Prompt files: what is loaded, what is refused and why, and what a rendering says."""

import os
import pickle
from pathlib import Path

import pytest

from prompts.library import Prompt, PromptError, PromptLibrary, default_folder

CRITIC = """\
---
agent: critic
purpose: Rule on each claim.
inputs: [item, claims]
notes:
  - "2: asks for a reason"
---
# System
You check facts.

# User
Item:
{{ item }}

Claims:
{{ claims }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "critic.md").write_text(CRITIC, encoding="utf-8")
    return tmp_path


def loaded(folder: Path, text: str | None = None, name: str = "critic") -> Prompt:
    if text is not None:
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return PromptLibrary.load(folder).get(name)


def test_a_prompt_file_is_taken_apart(folder: Path) -> None:
    prompt = loaded(folder)

    assert (prompt.name, prompt.agent, prompt.purpose) == ("critic", "critic", "Rule on each claim.")
    assert prompt.inputs == ("item", "claims")
    assert prompt.notes == ("2: asks for a reason",)


def test_a_rendering_has_the_two_messages_and_says_which_prompt_it_was(folder: Path) -> None:
    prompt = loaded(folder)

    rendered = prompt.render(item="Drill", claims="- power 18 V")

    assert [(m.role, m.content) for m in rendered.messages] == [
        ("system", "You check facts."),
        ("user", "Item:\nDrill\n\nClaims:\n- power 18 V"),
    ]
    assert (rendered.prompt, rendered.fingerprint) == ("critic", prompt.fingerprint)


@pytest.mark.parametrize(
    "value",
    ["{{ 7*7 }}", "{% for x in y %}", "{# gone #}", "{{ claims }}", "</product> # System", "a\n\n  b ", "", "<b>&amp;"],
)
def test_a_value_is_data_and_stays_as_it_is(folder: Path, value: str) -> None:
    rendered = loaded(folder).render(item=value, claims="c")

    assert rendered.messages[1].content == f"Item:\n{value}\n\nClaims:\nc"


@pytest.mark.parametrize("values", [{"item": "x"}, {"item": "x", "claims": "y", "extra": "z"}, {}])
def test_values_that_are_not_the_inputs_are_refused_naming_both(folder: Path, values: dict[str, str]) -> None:
    with pytest.raises(PromptError) as failure:
        loaded(folder).render(**values)

    assert str(failure.value) == f"'critic' takes ['claims', 'item'], got {sorted(values)}"


@pytest.mark.parametrize(
    "text",
    [
        CRITIC.replace("Rule on each claim.", "Rule on every claim."),
        CRITIC.replace("asks for a reason", "asks for reasons"),
        CRITIC.replace("[item, claims]", "[claims, item]"),
        CRITIC.replace("facts.", "facts.   "),
        CRITIC.replace("\n", "\r\n"),
        "\ufeff" + CRITIC,
        CRITIC + "\n\n",
    ],
)
def test_what_does_not_shape_the_messages_leaves_the_fingerprint(folder: Path, text: str) -> None:
    before = loaded(folder)

    after = loaded(folder, text)

    assert after.fingerprint == before.fingerprint
    assert after.render(item="i", claims="c") == before.render(item="i", claims="c")


@pytest.mark.parametrize(
    "text",
    [
        CRITIC.replace("facts.", "claims."),
        CRITIC.replace("Claims:", "Claims"),
        CRITIC.replace("Item:\n", "Item:\n\n"),
        CRITIC.replace("item", "product"),
    ],
)
def test_what_shapes_the_messages_changes_the_fingerprint(folder: Path, text: str) -> None:
    assert loaded(folder).fingerprint != loaded(folder, text).fingerprint


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CRITIC.removeprefix("---\n"), "line 1: no front matter"),
        ("", "line 1: no front matter"),
        (CRITIC.replace("purpose:", "porpoise:"), "'purpose': Field required"),
        (CRITIC.replace("notes:", "version:"), "line 5: 'version': unknown key"),
        (CRITIC.replace("agent: critic", "agent: no"), "line 2: 'agent': Input should be a valid string"),
        (CRITIC.replace("agent: critic", "agent: summarizer"), "agent 'summarizer' has its prompts in summarizer.md"),
        (CRITIC.replace("[item, claims]", "[item, 5]"), "line 4: 'inputs.1': Input should be a valid string"),
        (CRITIC.replace("[item, claims]", "item"), "line 4: 'inputs'"),
        (CRITIC.replace("[item, claims]", "[item, claims"), "line 5"),
        (CRITIC.replace("agent: critic", "agent: critic\nagent: critic"), "line 3: 'agent' is repeated"),
        (CRITIC.replace("Rule on each claim.", "!!python/object/apply:os.getcwd []"), "line 3: could not determine"),
        (CRITIC.replace("[item, claims]", "&a [item, claims]\nb: *a"), "line 5: aliases are not allowed"),
        (CRITIC.replace("[item, claims]", "[item, claims, nonce]"), "line 4: declares the input 'nonce'"),
        (CRITIC.replace("[item, claims]", "[item]"), "line 16: uses the slot 'claims', but its inputs are ['item']"),
        (CRITIC.replace("# System", "# Systems"), "the headings are ['Systems', 'User']"),
        (CRITIC.replace("# User", "## User"), "the headings are ['System']"),
        (CRITIC + "# Notes\nmore", "the headings are ['System', 'User', 'Notes']"),
        (CRITIC.replace("# System", "Hello\n# System"), "line 8: text before '# System'"),
        (CRITIC.replace("You check facts.", ""), "line 8: the section '# System' is empty"),
        (CRITIC.replace("{{ claims }}", "{{ claims }"), "line 16"),
        (CRITIC.replace("{{ item }}", "{{ item | shout }}"), "line 13: No filter named 'shout'"),
        (CRITIC.replace("{{ item }}", "{% if item %}"), "line 16: Unexpected end of template"),
        (CRITIC.replace("Claims:", "{% include '/etc/passwd' %}"), "no fragment /etc/passwd"),
        (CRITIC.replace("Claims:", "{% include '../secret.md' %}"), "no fragment ../secret.md"),
        (CRITIC.replace("Claims:", "{% include item %}"), "whose name is computed"),
        (CRITIC.replace("Claims:", "{% import '_x.md' as x %}"), "line 15: a prompt only includes fragments"),
        (CRITIC.replace("Claims:", "{% extends '_x.md' %}"), "line 15: a prompt only includes fragments"),
        (CRITIC.replace("Claims:", "{{ range(3) }}"), "line 15: calls nothing"),
        (CRITIC.replace("{{ item }}", "{{ item + 1 }}"), "cannot be rendered"),
        (CRITIC.replace("{{ item }}", "{{ item.__class__.__mro__ }}"), "line 13: asks a text for '__mro__'"),
        (CRITIC + "x" * 70_000, "at most 65536 bytes"),
    ],
)
def test_a_file_that_breaks_a_rule_is_named_with_the_reason(folder: Path, text: str, says: str) -> None:
    with pytest.raises(PromptError) as failure:
        loaded(folder, text)

    assert "critic" in str(failure.value)
    assert says in str(failure.value)


def test_a_file_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "critic.md").write_bytes(CRITIC.encode() + b"\xff")

    with pytest.raises(PromptError, match=r"critic\.md: not UTF-8 text"):
        PromptLibrary.load(folder)


@pytest.mark.parametrize("name", ["Critic", "critic-2", "critic 2", "..critic", "crític"])
def test_a_name_has_small_letters_and_underscores_only(folder: Path, name: str) -> None:
    with pytest.raises(PromptError, match="small letters"):
        loaded(folder, CRITIC, name)


def test_a_link_that_leads_out_of_the_folder_is_refused(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "critic.md"
    outside.write_text(CRITIC, encoding="utf-8")
    (folder / "critic.md").unlink()
    (folder / "critic.md").symlink_to(outside)

    with pytest.raises(PromptError, match="leads out of"):
        PromptLibrary.load(folder)


def test_what_is_no_plain_file_is_refused_at_once(folder: Path) -> None:
    os.mkfifo(folder / "critic_short.md")

    with pytest.raises(PromptError, match=r"critic_short\.md: not a file"):
        PromptLibrary.load(folder)


def test_a_fragment_is_included_and_belongs_to_the_fingerprint(folder: Path) -> None:
    (folder / "_tone.md").write_text("Be strict about {{ item }}.", encoding="utf-8")
    before = loaded(folder, CRITIC.replace("Claims:", "{% include '_tone.md' %}"))

    (folder / "_tone.md").write_text("Be kind about {{ item }}.", encoding="utf-8")
    after = loaded(folder)

    assert before.render(item="{{ x }}", claims="c").messages[1].content.endswith("Be strict about {{ x }}.\nc")
    assert after.fingerprint != before.fingerprint


def test_a_fragment_that_no_prompt_includes_changes_nothing(folder: Path) -> None:
    before = loaded(folder).fingerprint

    (folder / "_tone.md").write_text("Be strict.", encoding="utf-8")

    assert loaded(folder).fingerprint == before


def test_a_fragment_includes_nothing(folder: Path) -> None:
    (folder / "_tone.md").write_text("{% include '_tone.md' %}", encoding="utf-8")

    with pytest.raises(PromptError, match=r"_tone\.md, line 1: no fragment"):
        loaded(folder, CRITIC.replace("Claims:", "{% include '_tone.md' %}"))


def test_a_variant_stands_in_for_its_namesake_alone(folder: Path) -> None:
    (folder / "summarizer.md").write_text(CRITIC.replace("agent: critic", "agent: summarizer"), encoding="utf-8")
    (folder / "embedded").mkdir()
    (folder / "embedded" / "critic.md").write_text(CRITIC.replace("check facts", "check"), encoding="utf-8")

    plain, short = PromptLibrary.load(folder), PromptLibrary.load(folder, "embedded")

    assert short.get("critic").system == "You check."
    assert short.get("summarizer") == plain.get("summarizer")
    assert plain.get("critic").system == "You check facts."


def test_a_variant_of_nothing_is_refused(folder: Path) -> None:
    (folder / "embedded").mkdir()
    (folder / "embedded" / "critique.md").write_text(CRITIC, encoding="utf-8")

    with pytest.raises(PromptError, match=r"critique\.md: stands in for nothing"):
        PromptLibrary.load(folder, "embedded")


def test_a_variant_without_a_folder_is_the_prompts_themselves(folder: Path) -> None:
    assert PromptLibrary.load(folder, "embedded").fingerprints() == PromptLibrary.load(folder).fingerprints()


def test_a_library_lists_its_prompts_by_name_and_leaves_the_readme_out(folder: Path) -> None:
    (folder / "critic_short.md").write_text(CRITIC, encoding="utf-8")
    (folder / "README.md").write_text("How to write prompts", encoding="utf-8")

    library = PromptLibrary.load(folder)

    assert library.names() == ("critic", "critic_short")
    assert [prompt.name for prompt in library] == ["critic", "critic_short"]
    assert library.fingerprints() == tuple((prompt.name, prompt.fingerprint) for prompt in library)
    assert len(library) == 2


@pytest.mark.parametrize("name", ["critique", "../critic", ""])
def test_an_unknown_prompt_is_named_beside_those_there(folder: Path, name: str) -> None:
    with pytest.raises(PromptError, match="there are critic"):
        PromptLibrary.load(folder).get(name)


def test_a_folder_without_prompts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="holds no prompts"):
        PromptLibrary.load(tmp_path)
    with pytest.raises(PromptError, match="no such folder"):
        PromptLibrary.load(tmp_path / "none")


def test_a_prompt_travels_to_another_process(folder: Path) -> None:
    prompt = loaded(folder)

    there = pickle.loads(pickle.dumps(prompt))

    assert there.render(item="i", claims="c") == prompt.render(item="i", claims="c")


@pytest.mark.parametrize("variant", [None, "embedded"])
def test_the_bundled_prompts_load_and_each_agent_has_one(variant: str | None) -> None:
    library = PromptLibrary.load(default_folder(), variant)

    assert {"category_expert", "attribute_extractor", "critic", "demand_analyst", "summarizer"} <= {
        prompt.agent for prompt in library
    }
