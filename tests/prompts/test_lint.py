"""The lint: all faults of all files, each with file, line, severity, rule and reason, and no false alarms."""

from pathlib import Path

import pytest

from agents.prompt_contracts import GIVEN_SLOTS, answer_names
from prompts.findings import Finding, PromptError, errors_in
from prompts.lengths import LONG_TEMPLATE
from prompts.library import PromptLibrary, default_folder
from prompts.lint import lint_folder, lint_text
from tests.prompts.prompt_folder import ANSWERS, CRITIC, SLOTS, written


def linted(folder: Path, text: str = CRITIC) -> list[Finding]:
    written(folder, text)
    return lint_folder(folder, answers=ANSWERS, slots=SLOTS)


def test_the_bundled_prompts_and_their_variants_have_no_findings() -> None:
    assert lint_folder(default_folder(), answers=answer_names(), slots=GIVEN_SLOTS) == []


@pytest.mark.parametrize("variant", [None, "embedded"])
def test_what_agents_give_is_what_the_bundled_prompts_take(variant: str | None) -> None:
    for prompt in PromptLibrary.load(default_folder(), variant):
        given = GIVEN_SLOTS[prompt.name]
        assert given.always <= set(prompt.inputs) <= given.always | given.on_request


def test_every_fault_is_told_and_not_the_first_alone(tmp_path: Path) -> None:
    text = CRITIC.replace("purpose:", "porpoise:").replace(
        "{{ claims }}", "{{ 9 ** 9 }} {{ item.x }} {% include '_no.md' %}"
    )

    found = linted(tmp_path, text)

    assert [(finding.line, finding.rule) for finding in found] == [
        (1, "front-matter"),
        (3, "front-matter"),
        (15, "construct"),
        (15, "construct"),
    ]
    assert {finding.file for finding in found} == {str(tmp_path / "critic.md")}
    assert {finding.severity for finding in found} == {"error"}


@pytest.mark.parametrize(
    ("text", "rule", "line", "says"),
    [
        (CRITIC.replace("{{ claims }}", "{{ claims }} {{ rating }}"), "slot-unknown", 15, "'rating'"),
        (CRITIC.replace("[item, claims]", "[item, claims, hints]"), "slot-unused", 4, "'hints'"),
        (CRITIC.replace("claims]", "mood]").replace("{{ claims", "{{ mood"), "slot-unfilled", 4, "'mood'"),
        (CRITIC.replace(", claims]", "]").replace("{{ claims }}", ""), "slot-missing", 4, "'claims'"),
        (CRITIC.replace("# User", "## User"), "sections", None, "'# User' is missing"),
        (CRITIC.replace("- reject:", "- postpone:"), "answer", 9, "'postpone'"),
        (CRITIC.replace("Give a `note` with", 'Answer {"note": "", "mood": ""} for'), "answer", 11, "'mood'"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, rule: str, line: int | None, says: str) -> None:
    found = errors_in(linted(tmp_path, text))

    assert (rule, line) in {(finding.rule, finding.line) for finding in found}
    assert any(says in finding.reason for finding in found)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (CRITIC.replace("Give a `note`", "Return a `mood`"), "answer"),
        (CRITIC.replace("You check facts.", "You check facts. " * LONG_TEMPLATE), "long"),
        (CRITIC.replace("{{ item }}", "{{ item }}\n" * 5), "repeated"),
    ],
)
def test_what_a_person_should_look_at_is_a_warning(tmp_path: Path, text: str, rule: str) -> None:
    found = linted(tmp_path, text)

    assert [(finding.severity, finding.rule) for finding in found] == [("warning", rule)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Mind:\n- brands: they are names;\n- units: they are not.",
        'A seller may write {"price": 5, "stock": 2}.',
        "The word `bluetooth` is no brand.",
        "Return the `claims` in order.",
        "- reject: what the `title` does not say.",
    ],
)
def test_words_that_are_no_parts_of_the_answer_are_no_findings(tmp_path: Path, sentence: str) -> None:
    assert linted(tmp_path, CRITIC.replace("Give a `note` with each.", sentence)) == []


def test_a_fragment_is_linted_where_it_stands(tmp_path: Path) -> None:
    written(tmp_path, "Be kind.\n{{ item.x }}", "_tone.md")
    written(tmp_path, "Nobody reads this.", "_alone.md")

    found = linted(tmp_path, CRITIC.replace("You check facts.", "{% include '_tone.md' %}\nYou check facts."))

    assert [(Path(finding.file).name, finding.line, finding.rule) for finding in found] == [
        ("_alone.md", None, "fragment"),
        ("_tone.md", 2, "construct"),
    ]


def test_a_variant_is_linted_beside_the_prompts_it_stands_in_for(tmp_path: Path) -> None:
    written(tmp_path, CRITIC.replace("{{ claims }}", "{{ claim }}"), "embedded/critic.md")
    written(tmp_path, CRITIC, "embedded/critique.md")

    found = linted(tmp_path)

    assert {(Path(finding.file).name, finding.rule) for finding in found} >= {
        ("critic.md", "slot-unknown"),
        ("critique.md", "variant"),
    }
    assert all(Path(finding.file).parent.name == "embedded" for finding in found)


def test_files_that_cannot_be_read_are_findings(tmp_path: Path) -> None:
    (tmp_path / "critic_b.md").write_bytes(b"\xff")
    written(tmp_path, CRITIC, "Critic.md")
    (tmp_path / "critic_c.md").symlink_to("/etc/hostname")

    found = linted(tmp_path)

    assert {(Path(finding.file).name, finding.rule) for finding in found if finding.severity == "error"} == {
        ("Critic.md", "name"),
        ("critic_b.md", "file"),
        ("critic_c.md", "file"),
    }


def test_a_text_that_is_not_saved_is_linted_with_the_fragments_of_the_folder(tmp_path: Path) -> None:
    written(tmp_path, "Be kind.", "_tone.md")
    text = CRITIC.replace("You check facts.", "{% include '_tone.md' %}\r\nYou check facts.").replace(
        "claims }}", "x }}"
    )

    found = lint_text("critic", text, tmp_path, answers=ANSWERS, slots=SLOTS)

    assert {(finding.rule, finding.file) for finding in found} == {
        ("slot-unknown", str(tmp_path / "critic.md")),
        ("slot-unused", str(tmp_path / "critic.md")),
    }
    assert not (tmp_path / "critic.md").exists()


def test_what_the_lint_passes_is_loaded_and_what_it_refuses_is_not(tmp_path: Path) -> None:
    for text in (CRITIC, CRITIC.replace("{{ item }}", "{{ item * 9 }}"), CRITIC.replace("# System", "# Sys")):
        has_errors = bool(errors_in(linted(tmp_path, text)))

        try:
            PromptLibrary.load(tmp_path)
        except PromptError:
            assert has_errors
        else:
            assert not has_errors


def test_a_folder_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="no such folder"):
        lint_folder(tmp_path / "none")
    with pytest.raises(PromptError, match="holds no prompts"):
        lint_folder(tmp_path)
