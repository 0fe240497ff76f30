"""Batches as a user meets them: resumed, held to a budget, looked back on, retried, made anew, rolled back."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands.command_line import ROOT, Ran, reaseq
from tests.commands.willing_model import accepted, claim_ids, willing
from tests.loopback_provider import Asked, LoopbackProvider

MODEL = ("--model", "openai:small")
PRICE = '["openai:small"]\ninput = 1000\noutput = 1000\n'  # a cent for ten tokens; a call of the loopback model has 18


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProvider]:
    """A willing model, and the environment that leads to it."""
    with LoopbackProvider(willing) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        yield provider


def enrich(*arguments: object) -> Ran:
    return reaseq("enrich", "kettles.csv", *MODEL, *arguments)


def edited_prompts(name: str) -> Path:
    """Return a copy of the prompts in which one says something more."""
    folder = Path(f"edited-{name}")
    shutil.copytree(ROOT / "prompts", folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / f"{name}.md"
    file.write_text(file.read_text(encoding="utf-8").rstrip() + "\n\nBe exact.\n", encoding="utf-8")
    return folder


def agents_asked(provider: LoopbackProvider) -> set[str]:
    """Return what was asked for: the keys of the answers."""
    return {key for asked in provider.asked for key in asked.schema["properties"]}


def unusable_for(word: str) -> Any:
    """Return a model whose extractor talks nonsense about items whose title begins with that word."""

    def answer(asked: Asked) -> object:
        if "claims" in asked.schema["properties"] and f"\ntitle: {word}" in json.dumps(asked.body).replace("\\n", "\n"):
            return "nonsense"
        return willing(asked)

    return answer


def test_the_same_command_again_asks_nothing(provider: LoopbackProvider) -> None:
    first = enrich("--json")
    asked = len(provider.asked)
    again = enrich("--json")

    assert (first.code, again.code) == (0, 0)
    assert asked > 0
    assert len(provider.asked) == asked
    assert again.document["skipped"] == {"done": 3}
    assert again.document["calls"] == 0


def test_a_larger_catalog_goes_on_after_what_is_done(provider: LoopbackProvider) -> None:
    enrich("--limit", 1)

    ran = enrich("--json")

    assert ran.document["skipped"] == {"done": 1}
    assert ran.document["enriched"] == 2


def test_a_budget_stops_the_run_and_a_larger_one_goes_on(provider: LoopbackProvider) -> None:
    Path("prices.toml").write_text(PRICE, encoding="utf-8")
    whole = float(enrich("--kb", "sqlite:///whole.db", "--prices", "prices.toml", "--json").document["cost"])
    provider.asked.clear()

    stopped = enrich("--prices", "prices.toml", "--budget", 4.6, "--concurrency", 1, "--json")
    listed = reaseq("runs", "--json").document
    rest = enrich("--prices", "prices.toml", "--budget", 1000, "--json")

    assert stopped.code == 1
    assert "raise it and run the same command again" in stopped.errors
    assert 0 < float(stopped.document["cost"]) <= 4.6
    assert listed[0]["state"] == "stopped"
    assert "budget" in listed[0]["reason"]
    assert rest.code == 0
    assert sum(rest.document["skipped"].values()) + rest.document["enriched"] == 3
    assert float(stopped.document["cost"]) + float(rest.document["cost"]) == pytest.approx(whole)


def test_a_budget_for_a_model_of_unknown_price_says_what_to_do(provider: LoopbackProvider) -> None:
    ran = enrich("--budget", 1)

    assert ran.code == 1
    assert "--prices FILE" in ran.errors
    assert "--max-tokens" in ran.errors
    assert provider.asked == []
    assert not Path("knowledge.db").exists()


def test_runs_are_listed_with_counts_and_cost_and_no_secret(provider: LoopbackProvider) -> None:
    Path("prices.toml").write_text(PRICE, encoding="utf-8")
    enrich("--prices", "prices.toml", "--limit", 2)
    enrich("--prices", "prices.toml")

    shown, listed = reaseq("runs"), reaseq("runs", "--json")

    newest, oldest = listed.document
    assert [run["id"] for run in (newest, oldest)] == [2, 1]
    assert newest["counts"] == {"enriched": 1, "failed": 0, "rejected": 0, "skipped": 2}
    assert float(oldest["cost"]) > 0
    assert oldest["settings"]["model"] == "openai:small"
    assert "1 enriched, 2 skipped" in shown.output
    assert "finished" in shown.output
    assert "kettles.csv" in shown.output
    assert "not-a-key" not in shown.all + listed.all
    assert len(reaseq("runs", "--limit", 1, "--json").document) == 1


def test_failures_are_told_by_reason_and_retried_alone(provider: LoopbackProvider) -> None:
    provider.answer = unusable_for("Nordlicht")
    run = enrich("--json")
    told = reaseq("failures", "--json").document
    shown = reaseq("failures")
    provider.answer = willing
    provider.asked.clear()
    Path("kettles.csv").unlink()

    retried = reaseq("failures", "--retry", *MODEL, "--json")

    assert run.document["failed"] == {"answer_invalid": 1}
    assert told["reasons"] == {"answer_invalid": 1}
    assert [failure["item_id"] for failure in told["failures"]] == ["K2"]
    assert "answer_invalid" in shown.output
    assert "K2" in shown.output
    assert retried.code == 0, retried.errors
    assert (retried.document["rows"], retried.document["enriched"]) == (1, 1)
    assert "category_id" not in agents_asked(provider)  # what was answered well is not paid again
    assert reaseq("failures", "--json").document["total"] == 0
    assert reaseq("show", "K2").code == 0


def test_a_retry_with_nothing_failed_starts_no_run(provider: LoopbackProvider) -> None:
    enrich("--limit", 1)

    ran = reaseq("failures", "--retry", *MODEL)

    assert ran.code == 0
    assert "nothing failed" in ran.errors
    assert len(reaseq("runs", "--json").document) == 1


def test_at_most_fifty_failures_are_listed_and_the_rest_is_told() -> None:
    titles = "".join(f"{n:03},Kettle {n}\n" for n in range(60))
    Path("many.csv").write_text("id,title\n" + titles, encoding="utf-8")
    Path("script.jsonl").write_text('{"agent": "summarizer", "answer": ""}\n', encoding="utf-8")
    reaseq("enrich", "many.csv", "--model", "scripted:script.jsonl")

    ran, document = reaseq("failures"), reaseq("failures", "--json").document

    assert ran.output.count("has no answer for agent") == 50
    assert "… and 10 more" in ran.errors
    assert document["total"] == 60
    assert len(document["failures"]) == 50


def test_what_a_changed_prompt_makes_stale_is_told_with_its_cost(provider: LoopbackProvider) -> None:
    Path("prices.toml").write_text(PRICE, encoding="utf-8")
    enrich("--prices", "prices.toml")
    provider.asked.clear()
    prompts = edited_prompts("summarizer")

    none = reaseq("stale", *MODEL, "--json").document
    told = reaseq("stale", *MODEL, "--prompts", prompts, "--prices", "prices.toml", "--json").document
    shown = reaseq("stale", *MODEL, "--prompts", prompts)

    assert (none["items"], none["calls"]) == (0, 0)
    assert told["causes"] == [{"agent": "summarizer", "why": "prompt summarizer", "results": 3}]
    assert [result["item_id"] for result in told["first"]] == ["K1", "K2", "K3"]
    assert (told["calls"], told["tokens"]) == (3, 3 * 18)
    assert float(told["cost"]) == pytest.approx(3 * 18 / 1000)
    assert "prompt summarizer" in shown.output
    assert "3 items, 3 results" in shown.errors
    assert provider.asked == []


def test_only_what_is_stale_is_paid_for_again(provider: LoopbackProvider) -> None:
    enrich()
    provider.asked.clear()
    prompts = edited_prompts("summarizer")

    ran = reaseq("enrich", "--stale-only", *MODEL, "--prompts", prompts, "--json")
    again = reaseq("enrich", "--stale-only", *MODEL, "--prompts", prompts)

    assert ran.code == 0, ran.errors
    assert ran.document["enriched"] == 3
    assert agents_asked(provider) == {"summary"}
    assert len(provider.asked) == 3
    assert again.code == 0
    assert "nothing to do" in again.errors
    assert reaseq("stale", *MODEL, "--prompts", prompts, "--json").document["items"] == 0


@pytest.mark.parametrize("arguments", [["enrich"], ["enrich", "kettles.csv", "--stale-only"]])
def test_a_catalog_or_what_is_stale_is_wrong_usage_otherwise(arguments: list[str]) -> None:
    ran = reaseq(*arguments)

    assert ran.code == 2
    assert "--stale-only" in ran.errors


def test_a_dry_run_tells_the_cost_of_what_is_not_done_and_spends_nothing(provider: LoopbackProvider) -> None:
    enrich("--limit", 1)
    asked = len(provider.asked)

    told = enrich("--dry-run", "--json").document

    assert told["items"] == 2
    assert {result["item_id"] for result in told["first"]} == {"K2", "K3"}
    assert told["calls"] >= 2 * 3
    assert len(provider.asked) == asked
    assert len(reaseq("runs", "--json").document) == 1


def test_a_dry_run_without_a_past_and_a_key_says_so_and_makes_no_file() -> None:
    ran = reaseq("enrich", "kettles.csv", *MODEL, "--dry-run")

    assert ran.code == 0, ran.errors
    assert "3 items, 18 results" in ran.errors
    assert "no past to judge by: category_expert" in ran.errors
    assert not Path("knowledge.db").exists()


def grumbling(asked: Asked) -> object:
    """Answer as a critic with a bad prompt might: nothing is good enough."""
    if "verdicts" in asked.schema["properties"]:
        return {"verdicts": [accepted(claim_id) | {"decision": "reject"} for claim_id in claim_ids(asked)]}
    return willing(asked)


def make_worse(provider: LoopbackProvider) -> None:
    """Make version 2 with a bad prompt for the critic."""
    provider.answer = grumbling
    ran = reaseq("enrich", "--stale-only", *MODEL, "--prompts", edited_prompts("critic"), "--json")
    assert ran.document["enriched"] == 3, ran.errors


def test_a_bad_prompt_is_compared_and_rolled_back_as_a_whole(provider: LoopbackProvider) -> None:
    enrich()
    good = exported()
    make_worse(provider)
    bad = exported()

    versions = reaseq("kb", "versions", "--json").document
    diff = reaseq("kb", "diff", 1, 2, "--json").document
    shown, listed = reaseq("kb", "diff", 1, 2), reaseq("kb", "versions")
    used = reaseq("kb", "use", 1)

    assert [(v["id"], v["parent_id"], v["current"], v["results"]) for v in versions] == [
        (1, None, False, 3),
        (2, 1, True, 3),
    ]
    assert [d["item_id"] for d in diff["items"]] == ["K1", "K2", "K3"]
    assert all(d["removed"] for d in diff["items"])
    assert "- brand: " in shown.output
    assert "prompt critic" in listed.output
    assert "prompt summarizer" not in listed.output
    assert used.code == 0
    assert bad != good
    assert exported() == good
    assert (
        reaseq("show", "K1", "--json").document["enrichment"]["provenance"]["prompts"]
        == versions[0]["provenance"]["prompts"]
    )


def exported() -> bytes:
    """Return all that an export says."""
    reaseq("export", "--format", "jsonl", "--out", "out.jsonl")
    return Path("out.jsonl").read_bytes()


def test_a_diff_is_cut_at_its_limit_and_says_so(provider: LoopbackProvider) -> None:
    enrich()
    make_worse(provider)

    cut = reaseq("kb", "diff", 1, 2, "--limit", 2)

    assert cut.output.count("\nK") == 2
    assert "… and more" in cut.errors


def test_versions_that_nobody_reads_are_dropped(provider: LoopbackProvider) -> None:
    enrich()
    make_worse(provider)
    before = exported()

    kept = reaseq("kb", "prune", "--keep", 1, "--json").document
    dropped = reaseq("kb", "prune", "--json").document

    assert kept == {"dropped": []}
    assert dropped == {"dropped": [1]}
    assert exported() == before
    assert [v["id"] for v in reaseq("kb", "versions", "--json").document] == [2]


@pytest.mark.parametrize("arguments", [["use", "9"], ["diff", "1", "9"], ["prune", "--keep", "9"]])
def test_a_version_that_is_not_there_is_told_with_those_that_are(
    provider: LoopbackProvider, arguments: list[str]
) -> None:
    enrich("--limit", 1)

    ran = reaseq("kb", *arguments)

    assert ran.code == 1
    assert "there is no version 9; there are: 1" in ran.errors


@pytest.mark.parametrize("command", [["runs"], ["failures"], ["stale"], ["kb", "versions"], ["kb", "prune"]])
def test_a_knowledge_base_that_is_not_there_is_not_made(command: list[str]) -> None:
    ran = reaseq(*command)

    assert ran.code == 1
    assert "there is no knowledge base at 'knowledge.db' yet" in ran.errors
    assert not Path("knowledge.db").exists()
