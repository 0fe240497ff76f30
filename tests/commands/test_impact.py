"""`reaseq impact`: from an edited prompt to golden items, knowledge, rankings, a verdict; shipped, and taken back."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.command_line import ROOT, Ran, reaseq
from tests.commands.conftest import shop_rows
from tests.commands.willing_model import claim, first_word, willing
from tests.loopback_provider import Asked, LoopbackProvider

MODEL = ("--model", "openai:good", "--kb", "sqlite:///own.db")
QUICK = ("--ranker-config", "small.toml", "--diffusion-config", "diffusion.toml", "--data", "log.csv")
WORSE, NEUTRAL = "Take the last word for the brand.", "Take care."


def obeying(asked: Asked) -> object:
    """State the title's first word as brand, or the last one where the prompt says so; accept everything."""
    if "claims" not in asked.schema["properties"]:
        return willing(asked)
    told = any(WORSE in message["content"] for message in asked.body["messages"])
    word = "kettle" if told and "kettle" in asked.text else first_word(asked)
    return {"claims": [claim("brand", word, word, "title")]}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProvider]:
    """A model that does what the extractor's prompt says, and the environment that leads to it."""
    with LoopbackProvider(obeying) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        yield provider


@pytest.fixture
def known(provider: LoopbackProvider, stocked_shop: Path, folder: Path) -> LoopbackProvider:
    """The shop without its column of brands, enriched by that model; a log, golden brands, edited prompts beside it."""
    rows = [line.rsplit(",", 1)[0] for line in shop_rows().splitlines()]
    (folder / "shop.csv").write_text("\n".join(rows), encoding="utf-8")
    titles = [line.split(",")[:2] for line in rows[1:]]
    gold = [{"id": i, "attributes": {"brand": t.split()[0]}} for i, t in titles]
    (folder / "gold.jsonl").write_text("\n".join(map(json.dumps, gold)), encoding="utf-8")
    (folder / "small.toml").write_text(
        "[next_item]\ncandidates = 10\nfolds = 2\nepochs = 1\n[click_through]\nepochs = 1"
    )
    (folder / "diffusion.toml").write_text("epochs = 1\nwidth = 16\nlayers = 1\nnegatives = 0\n", encoding="utf-8")
    shutil.copy(stocked_shop / "log.csv", folder)
    for name, words in (("worse", WORSE), ("neutral", NEUTRAL)):
        shutil.copytree(ROOT / "prompts", folder / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        prompt = folder / name / "attribute_extractor.md"
        prompt.write_text(prompt.read_text(encoding="utf-8").replace("# User", f"{words}\n# User"), encoding="utf-8")
    ran = reaseq("enrich", "shop.csv", *MODEL)
    assert ran.code == 0, ran.all
    return provider


def impact(*arguments: object) -> Ran:
    return reaseq("impact", *arguments, *MODEL)


def current() -> int:
    versions = reaseq("kb", "versions", "--kb", "sqlite:///own.db", "--json").document
    return next(int(version["id"]) for version in versions if version["current"])


def brand_of(item: str) -> str:
    shown = reaseq("show", item, "--kb", "sqlite:///own.db", "--json").document
    claims = shown["enrichment"]["claims"]
    return next(str(claim["value"]) for claim in claims if claim["name"] == "brand")


def test_a_worse_prompt_is_found_out_and_nothing_is_read_of_it(known: LoopbackProvider) -> None:
    ran = impact("--prompts", "worse", "--gold", "gold.jsonl", *QUICK, "--json")

    assert ran.code == 0, ran.all
    report = ran.document
    golden, knowledge = report["golden"]["comparison"]["f1"], report["knowledge"]
    assert report["what"] == ["prompt attribute_extractor"]
    assert report["verdict"]["decision"] == "do not ship"
    assert (golden["before"], golden["after"]) == (1.0, 0.5)  # half of the items are kettles
    assert (knowledge["differing"], knowledge["changed"]) == (12, 12)
    assert knowledge["by_attribute"] == [{"name": "brand", "gained": 0, "lost": 0, "changed": 12}]
    assert [one["model"] for one in report["rankings"]] == [
        "next item",
        "clicks",
        "diffusion",
    ]
    assert {one["metric"] for one in report["rankings"][1]["report"]["differences"]} == {"AUC", "GAUC"}
    assert all(own["moved"] == 12 for own in report["vectors"] if own["name"] == "knowledge")
    assert current() == report["before"]["version"] == 1
    assert brand_of("S01") == "Acme"


def test_a_gate_fails_a_worse_prompt_and_lets_a_neutral_one_pass(known: LoopbackProvider) -> None:
    worse = impact("--prompts", "worse", "--gold", "gold.jsonl", "--no-ranking", "--gate")
    neutral = impact("--prompts", "neutral", "--gold", "gold.jsonl", "--no-ranking", "--gate")

    assert worse.code == 1
    assert "gate: FAILED" in worse.errors
    assert neutral.code == 0, neutral.all
    assert "there is nothing to gain" in neutral.errors


def test_only_what_the_edit_makes_stale_is_asked_and_asking_again_costs_nothing(known: LoopbackProvider) -> None:
    asked = len(known.asked)

    first = impact("--prompts", "neutral", *QUICK, "--json").document
    between = len(known.asked)
    again = impact("--prompts", "neutral", *QUICK, "--json").document

    stale = {cause["agent"] for cause in first["work"]["causes"] if "prompt attribute_extractor" in cause["why"]}
    assert stale == {"attribute_extractor"}
    assert between - asked == first["work"]["spent"]["calls"] == 24  # what comes after it is asked the very same
    assert len(known.asked) == between
    assert again["work"]["spent"]["calls"] == 0
    assert [one["reused"] for one in again["rankings"]] == [2, 2, 2]
    assert again["rankings"][0]["report"]["differences"] == first["rankings"][0]["report"]["differences"]


def test_equal_knowledge_ranks_equally(known: LoopbackProvider) -> None:
    report = impact("--prompts", "neutral", *QUICK, "--seeds", 2, "--json").document

    for ranking in report["rankings"]:
        for one in ranking["report"]["differences"]:
            assert one["difference"]["difference"] == one["difference"]["low"] == one["difference"]["high"] == 0
    assert report["verdict"]["decision"] == "do not ship"


def test_a_change_is_shipped_as_a_whole_and_taken_back(known: LoopbackProvider) -> None:
    impact("--prompts", "worse", "--gold", "gold.jsonl", "--no-ranking")

    refused = reaseq("impact", "ship", "--kb", "sqlite:///own.db")
    forced = reaseq("impact", "ship", "1", "--force", "--kb", "sqlite:///own.db")
    shipped = brand_of("S01")
    back = reaseq("impact", "rollback", "--kb", "sqlite:///own.db", "--json")

    assert refused.code == 1
    assert "do not ship" in refused.errors
    assert forced.code == 0, forced.all
    assert 'prompts = "worse" in reaseq.toml' in forced.errors
    assert shipped == "kettle"
    assert back.document == {"report": 1, "before": 2, "current": 1}
    assert brand_of("S01") == "Acme"


def test_a_sample_is_made_anew_and_the_rest_is_told(known: LoopbackProvider) -> None:
    asked = len(known.asked)

    report = impact("--prompts", "worse", "--sample", 10, *QUICK, "--gold", "gold.jsonl", "--json").document
    shipped = reaseq("impact", "ship", "--force", "--kb", "sqlite:///own.db")

    assert report["sample"] == {"items": 10, "of": 24, "seed": 0, "golden": 0}
    assert len(known.asked) - asked <= 30  # the extractor, and those after it where there is another claim
    assert report["knowledge"]["items"] == report["golden"]["gold"]["items"] == 10
    assert "14 items are still as they were before" in shipped.errors


def test_without_golden_items_and_behaviours_there_is_no_evidence(known: LoopbackProvider) -> None:
    ran = impact("--prompts", "worse", "--json")

    assert ran.document["verdict"]["decision"] == "not enough evidence"
    assert "golden items (--gold) or behaviours (--data) are needed" in ran.document["verdict"]["reasons"][0]
    assert ran.document["knowledge"]["changed"] == 12


def test_an_agent_is_switched_off_and_its_worth_told(known: LoopbackProvider) -> None:
    off = impact("--without", "summarizer", "--gold", "gold.jsonl", "--no-ranking", "--json").document
    ran = impact("--agents", "attribute_extractor,summarizer", *QUICK, "--gold", "gold.jsonl", "--json")

    assert ran.code == 0, ran.all
    extractor, summarizer = ran.document["agents"]
    assert off["what"] == ["without summarizer"]
    assert off["costs"][1]["tokens"] < off["costs"][0]["tokens"]
    assert extractor["knowledge"][0] == 24  # brands that only a model finds
    assert extractor["golden"]["f1"]["difference"] == 1.0
    assert summarizer["golden"]["f1"]["difference"] == 0.0
    assert extractor["tokens"][1] > extractor["tokens"][0]
    assert {model for model, _ in summarizer["rankings"]} == {
        "next item",
        "clicks",
        "diffusion",
    }


def test_another_model_is_judged_like_another_prompt(known: LoopbackProvider) -> None:
    ran = reaseq(
        "impact",
        "--model",
        "openai:other",
        "--kb",
        "sqlite:///own.db",
        "--gold",
        "gold.jsonl",
        "--no-ranking",
        "--json",
    )

    assert ran.code == 0, ran.all
    assert ran.document["what"][0].startswith("model openai:good")
    assert {call.body["model"] for call in known.asked} == {"good", "other"}
    assert ran.document["verdict"]["decision"] == "do not ship"  # the same answers at the same cost
    assert ran.document["knowledge"]["differing"] == 0


def test_what_stops_for_its_budget_goes_on_where_it_was(known: LoopbackProvider) -> None:
    asked = len(known.asked)
    known.prompt_tokens = 1000

    stopped = impact("--prompts", "worse", "--gold", "gold.jsonl", "--no-ranking", "--max-tokens", 12_000)
    between = len(known.asked)
    whole = impact("--prompts", "worse", "--gold", "gold.jsonl", "--no-ranking", "--json")

    assert stopped.code == 1
    assert "12" in stopped.errors
    assert reaseq("impact", "list", "--kb", "sqlite:///own.db", "--json").document[0]["id"] == 1
    assert 0 < between - asked < len(known.asked) - asked
    assert whole.document["knowledge"]["differing"] == 12


def test_a_prompt_that_the_model_never_gets_is_told(shop: str) -> None:
    shutil.copytree(ROOT / "prompts", "mine", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    critic = Path("mine/critic.md")
    critic.write_text(critic.read_text(encoding="utf-8").replace("# User", f"{NEUTRAL}\n# User"), encoding="utf-8")

    ran = reaseq("impact", "--prompts", "mine", "--kb", shop, "--no-ranking", "--json")

    assert ran.code == 0, ran.all
    assert ran.document["what"] == ["prompt critic"]
    assert (
        "embedded:smollm2 is asked nothing by critic: what their prompts say changes nothing" in ran.document["notes"]
    )
    assert ran.document["knowledge"]["differing"] == 0


def test_nothing_is_compared_with_itself(known: LoopbackProvider) -> None:
    ran = impact("--gold", "gold.jsonl")

    assert ran.code == 0
    assert "nothing that results depend on differs from version 1" in ran.errors


def test_a_dry_run_tells_what_is_stale_and_asks_nothing(known: LoopbackProvider) -> None:
    asked = len(known.asked)

    ran = impact("--prompts", "worse", "--dry-run", "--json")

    assert ran.document["items"] == 24
    assert ran.document["calls"] > 0
    assert len(known.asked) == asked


def test_reports_are_kept_listed_and_shown_as_pages(known: LoopbackProvider) -> None:
    made = impact("--prompts", "worse", "--gold", "gold.jsonl", *QUICK, "--html", "now.html", "--out", "now.json")
    listed = reaseq("impact", "list", "--kb", "sqlite:///own.db", "--json").document
    shown = reaseq("impact", "show", "1", "--html", "then.html", "--kb", "sqlite:///own.db")

    assert made.code == shown.code == 0, made.all + shown.all
    assert [(one["id"], one["verdict"], one["what"]) for one in listed] == [
        (1, "do not ship", "prompt attribute_extractor")
    ]
    assert "verdict: do not ship" in made.errors
    assert "do not ship" in Path("then.html").read_text(encoding="utf-8")
    assert json.loads(Path("now.json").read_bytes())["verdict"]["decision"] == "do not ship"
    assert "Acme steel kettle" in Path("now.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--against", 7), "there is no version 7"),
        (("--without", "nobody"), "there is no agent 'nobody'"),
        (("--without", "revisions"), "--max-revisions"),
        (("--prompts", "nowhere"), "nowhere"),
    ],
)
def test_wrong_usage_is_told(known: LoopbackProvider, arguments: tuple[object, ...], why: str) -> None:
    ran = impact(*arguments)

    assert ran.code in (1, 2)
    assert why in ran.errors


def test_an_empty_knowledge_base_is_told(folder: Path) -> None:
    ran = reaseq("impact", "--prompts", ".", "--kb", "sqlite:///none.db")

    assert ran.code == 1
    assert "none.db" in ran.errors
