"""`reaseq replay`: exactly the calls from the chosen step on, an edited prompt, and what differs."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.command_line import ROOT, reaseq, reaseq_process
from tests.commands.test_terminal import environment, wait_until
from tests.commands.test_trace import once_refused
from tests.commands.willing_model import accepted, claim_ids, willing
from tests.loopback_provider import Asked, LoopbackProvider

STRICT = "Be strict about colours."
AFTER_THE_CRITIC = ["verdicts", "demands", "rulings", "summary"]


def asked_for(provider: LoopbackProvider) -> list[str]:
    """Return what each question was for, by the last field of its answer's schema."""
    return [list(asked.schema["properties"])[-1] for asked in provider.asked]


def strict_if_told(asked: Asked) -> object:
    """Answer as a willing model that refuses the colour where its prompt says so."""
    if "verdicts" in asked.schema["properties"] and STRICT in str(asked.body["messages"]):
        refused = {"decision": "reject", "note": "pale"}
        return {"verdicts": [accepted(i) | (refused if i.endswith("color") else {}) for i in claim_ids(asked)]}
    return willing(asked)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProvider]:
    """A server that has answered the questions of trace 1."""
    with LoopbackProvider(strict_if_told) as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        assert reaseq("trace", "kettles.csv", "--item", "K1", "--model", "openai:small").code == 0
        running.asked.clear()
        yield running


def stricter_prompts() -> Path:
    """Return a folder of prompts whose critic is strict."""
    shutil.copytree(ROOT / "prompts", "strict", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = Path("strict/critic.md")
    path.write_text(path.read_text(encoding="utf-8").replace("Rule on every claim:", f"{STRICT} Rule on every claim:"))
    return Path("strict")


def test_a_replay_from_the_critic_makes_exactly_the_calls_from_the_critic_on(provider: LoopbackProvider) -> None:
    ran = reaseq("replay", 1, "--from", "critic", "--fresh", "--json")

    assert ran.code == 0, ran.errors
    assert asked_for(provider) == AFTER_THE_CRITIC
    assert [call["prompt"] for step in ran.document["steps"] for call in step["calls"]] == [
        *("category_expert", "category_expert_template", "attribute_extractor"),
        *("critic", "demand_analyst", "demand_critic", "summarizer"),
    ]
    assert (ran.document["replay_of"], ran.document["replay_from"], ran.document["id"]) == (1, 3, 2)


def test_equal_questions_are_answered_by_the_ledger_and_that_is_said(provider: LoopbackProvider) -> None:
    ran = reaseq("replay", 1, "--from", "critic")

    assert provider.asked == []
    assert "4 of 4 answers were in the ledger and cost nothing; --fresh asks anew" in ran.errors
    assert "The outcome is the same" in ran.output


def test_an_edited_prompt_shows_what_it_changes(provider: LoopbackProvider) -> None:
    ran = reaseq("replay", 1, "--from", "critic", "--prompts", stricter_prompts())
    compared = reaseq("replay", 1, "--from", "critic", "--prompts", "strict", "--json").document["comparison"]

    assert asked_for(provider)[0] == "verdicts"
    assert "prompts that are not as in trace 1: critic" in ran.errors
    assert "red: reject (unsupported): pale" in ran.output
    [changed] = compared["claims"]["verdicts"]
    assert (changed["before"]["verdict"]["decision"], changed["after"]["verdict"]["decision"]) == ("accept", "reject")


def test_the_editor_gets_a_copy_and_the_prompt_stays_as_it_is(
    provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = Path("editor.py")
    editor.write_text(
        f"import sys, pathlib\np = pathlib.Path(sys.argv[1])\n"
        f"p.write_text(p.read_text().replace('Rule on every claim:', '{STRICT} Rule on every claim:'))\n"
    )
    monkeypatch.setenv("EDITOR", f"{sys.executable} {editor}")
    monkeypatch.setenv("REASEQ_CACHE", str(_own_cache()))
    before = (ROOT / "prompts" / "critic.md").read_bytes()

    ran = reaseq("replay", 1, "--from", "critic", "--edit", "--json")

    assert ran.code == 0, ran.errors
    assert STRICT in str(provider.asked[0].body["messages"])
    assert "the edited prompt is " in ran.errors
    assert (ROOT / "prompts" / "critic.md").read_bytes() == before


@pytest.mark.parametrize(("editor", "said"), [("false", "ended with code 1"), ("no-such-editor", "cannot be run")])
def test_an_editor_that_fails_ends_the_replay_before_any_call(
    provider: LoopbackProvider, monkeypatch: pytest.MonkeyPatch, editor: str, said: str
) -> None:
    monkeypatch.setenv("EDITOR", editor)

    ran = reaseq("replay", 1, "--from", "critic", "--edit")

    assert (ran.code, provider.asked) == (1, [])
    assert said in ran.errors


def test_a_second_turn_a_number_and_a_step_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackProvider(once_refused) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        reaseq("trace", "kettles.csv", "--item", "K1", "--model", "openai:small")
        ran = [reaseq("replay", 1, "--from", step, "--json", "--no-store") for step in ("critic:2", "5", "critic:9")]
        unknown = reaseq("replay", 9, "--from", "critic")

    assert [one.code for one in ran] == [0, 0, 1]
    assert [one.document["replay_from"] for one in ran[:2]] == [5, 5]
    assert "5 = critic:2" in ran[2].errors
    assert "there is no trace 9" in unknown.errors


def test_a_failed_step_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackProvider(willing) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        provider.answer = lambda asked: "no JSON" if "summary" in asked.schema["properties"] else willing(asked)
        failed = reaseq("trace", "kettles.csv", "--item", "K1", "--model", "openai:small")
        provider.answer = willing
        provider.asked.clear()
        ran = reaseq("replay", 1, "--from", "summarizer", "--fresh")

    assert (failed.code, ran.code) == (1, 0)
    assert asked_for(provider) == ["summary"]
    assert "done" in ran.output


def test_a_prompt_that_is_saved_runs_the_trace_again_from_its_step(provider: LoopbackProvider) -> None:
    folder = stricter_prompts()
    edited = (folder / "critic.md").read_text(encoding="utf-8")
    (folder / "critic.md").write_text(edited.replace(STRICT, ""), encoding="utf-8")
    of_item = ("trace", "kettles.csv", "--item", "K1", "--model", "openai:small", "--fresh")
    process = reaseq_process(
        *(*of_item, "--prompts", "strict", "--watch"),
        env=environment(OPENAI_BASE_URL=provider.base_url, OPENAI_API_KEY="x"),
    )
    try:
        wait_until(lambda: asked_for(provider)[-1:] == ["summary"] or process.poll() is not None)
        wait_until(lambda: saved_and_seen(folder / "critic.md", edited, provider) or process.poll() is not None)
        wait_until(lambda: newest_trace()["state"] == "done" and newest_trace()["replay_of"] == 2)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    replayed = reaseq("traces", "show", 3, "--json").document
    notes = {verdict["note"] for step in replayed["steps"] for verdict in step["update"].get("verdicts", [])}
    assert asked_for(provider)[-4:] == AFTER_THE_CRITIC
    assert (replayed["replay_of"], replayed["replay_from"]) == (2, 3)
    assert "pale" in notes


def saved_and_seen(path: Path, text: str, provider: LoopbackProvider) -> bool:
    """Save a prompt; return whether that was seen: whoever watches may still have been getting up."""
    path.write_text(f"{text}\n" if path.read_text(encoding="utf-8") == text else text, encoding="utf-8")
    time.sleep(2.0)
    return asked_for(provider).count("verdicts") == 2


def newest_trace() -> dict[str, object]:
    """Return the head of the newest trace."""
    [head] = reaseq("traces", "--limit", 1, "--json").document
    return dict(head)


def _own_cache() -> Path:
    """Return a cache with the same embeddings, for copies that a test makes."""
    return Path(shutil.copytree(os.environ["REASEQ_CACHE"], "own-cache"))
