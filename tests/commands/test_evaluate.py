"""`reaseq evaluate` as a user meets it: scored, resumed, compared, gated, told what each agent is worth."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluators.evaluation import read_evaluation
from tests.commands.command_line import ROOT, Ran, reaseq
from tests.commands.willing_model import accepted, claim, claim_ids, first_word, willing
from tests.loopback_provider import Asked, LoopbackProvider

MODEL = ("--model", "openai:good")
BRANDS = ("Acme", "Bolt", "Cima", "Dora", "Elva", "Faro")
KETTLES = 18


def knowing(asked: Asked) -> object:
    """Answer as the willing model; "bad" takes the title's last word for the brand, "lazy" states nothing."""
    if "claims" not in asked.schema["properties"]:
        return willing(asked)
    if asked.body["model"] == "lazy":
        return {"claims": []}
    word = "kettle" if asked.body["model"] == "bad" else first_word(asked)
    return {"claims": [claim("brand", word, word, "title")]}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProvider]:
    """A model that knows, and the environment that leads to it."""
    with LoopbackProvider(knowing) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        yield provider


@pytest.fixture(autouse=True)
def gold(folder: Path) -> Path:
    """Kettles whose brand is their first word."""
    lines = [
        {
            "id": f"G{number:02}",
            "title": f"{BRANDS[number % len(BRANDS)]} kettle",
            "category": "kitchen.kettles" if number % 2 else "Kitchen > Small Appliances > Kettles",
            "split": "dev" if number % 3 else "test",
            "attributes": {"Brand": BRANDS[number % len(BRANDS)], "color": "n/a"},
        }
        for number in range(KETTLES)
    ]
    path = folder / "gold.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def evaluate(*arguments: object) -> Ran:
    return reaseq("evaluate", "gold.jsonl", *arguments)


def test_an_evaluation_says_how_right_a_model_is(provider: LoopbackProvider) -> None:
    document = evaluate(*MODEL, "--json").document

    summary = document["system"]["summary"]
    assert (document["gold"]["items"], summary["failed"]) == (KETTLES, 0)
    assert summary["micro"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert summary["category_accuracy"] == 1
    assert (summary["grounded"], summary["text_claims"]) == (1, KETTLES)
    assert summary["tokens_an_item"] > 0
    assert [group["name"] for group in summary["by_attribute"]] == ["brand", "color"]
    assert document["system"]["provenance"]["model"] == "openai:good"


def test_the_same_command_again_asks_nothing_and_says_the_same(provider: LoopbackProvider) -> None:
    first = evaluate(*MODEL, "--json")
    asked = len(provider.asked)
    again = evaluate(*MODEL, "--json")

    assert len(provider.asked) == asked > 0
    assert again.document == first.document


def test_a_larger_sample_holds_the_smaller_one(provider: LoopbackProvider) -> None:
    small = evaluate(*MODEL, "--sample", "4", "--seed", "2", "--json").document
    large = evaluate(*MODEL, "--sample", "9", "--seed", "2", "--json").document

    ids = [{item["item_id"] for item in document["system"]["items"]} for document in (small, large)]
    assert len(ids[0]) == 4
    assert ids[0] < ids[1]


def test_a_bad_line_is_told_and_the_rest_goes_on(provider: LoopbackProvider, gold: Path) -> None:
    gold.write_text(gold.read_text(encoding="utf-8") + '\n{"id": "G99"}\nnonsense\n{"id": "G98", "attributes": {}}\n')

    ran = evaluate(*MODEL, "--json")

    assert ran.document["gold"]["items"] == KETTLES
    assert [line["line"] for line in ran.document["gold"]["bad_lines"]] == [KETTLES + 1, KETTLES + 2]
    assert f"gold.jsonl, line {KETTLES + 1}: attributes: Field required" in ran.errors
    assert "no title, and no --catalog is named: 'G98'" in ran.errors


def test_what_the_taxonomy_does_not_know_is_told(provider: LoopbackProvider, gold: Path) -> None:
    gold.write_text('{"id": "1", "title": "Acme kettle", "category": "Rockets", "attributes": {"thrust": "1 MN"}}')

    ran = evaluate(*MODEL, "--json")

    assert len(ran.document["gold"]["notes"]) == 2
    assert "'thrust'" in ran.errors
    assert "'Rockets'" in ran.errors


def test_one_split_alone_is_scored_and_an_unknown_one_is_named(provider: LoopbackProvider) -> None:
    dev = evaluate(*MODEL, "--split", "dev", "--json")
    other = evaluate(*MODEL, "--split", "other")

    assert dev.document["gold"]["items"] == 12
    assert other.code == 1
    assert "there are: dev, test" in other.errors


def test_two_models_are_compared_on_the_same_items(provider: LoopbackProvider) -> None:
    ran = evaluate("--compare", "openai:good", "openai:bad", "--json")

    found = ran.document["comparison"]
    assert (found["before"], found["after"]) == ("openai:good", "openai:bad")
    assert found["f1"]["high"] < 0
    assert found["f1"]["p_value"] < 0.01
    assert len(found["losses"]) == KETTLES
    assert found["losses"][0]["lost"] == ["brand"]
    assert ran.code == 0


def test_two_folders_of_prompts_are_compared(provider: LoopbackProvider) -> None:
    for name in ("plain", "edited"):
        shutil.copytree(ROOT / "prompts", name, ignore=shutil.ignore_patterns("__pycache__"))
    file = Path("edited/critic.md")
    file.write_text(file.read_text(encoding="utf-8").rstrip() + "\n\nBe exact.\n", encoding="utf-8")

    found = evaluate(*MODEL, "--compare", "plain", "edited", "--sample", "3", "--json").document

    assert (found["compared"]["label"], found["system"]["label"]) == ("plain", "edited")
    assert found["compared"]["provenance"]["prompts"] != found["system"]["provenance"]["prompts"]
    assert found["comparison"]["f1"]["difference"] == 0


def test_two_versions_are_compared_without_a_run(provider: LoopbackProvider) -> None:
    evaluate("--model", "openai:lazy", "--sample", "6")
    evaluate(*MODEL, "--sample", "6")
    asked = len(provider.asked)

    found = evaluate("--compare", "1", "2", "--sample", "6", "--json").document["comparison"]

    assert len(provider.asked) == asked
    assert (found["before"], found["f1"]["before"]) == ("version 1", 0.0)
    assert (found["after"], found["f1"]["after"]) == ("version 2", 1.0)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--compare", "1", "openai:good"), "neither two versions"),
        (("--compare", "1", "2", "--agents", "all"), "at a time"),
        (("--agents", "cook"), "no agent 'cook'"),
        (("--from-kb", "--agents", "all"), "runs nothing"),
        (("--kb", "sqlite:///knowledge.db"), "of your catalog"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_done(
    wrong: tuple[str, ...], said: str, provider: LoopbackProvider
) -> None:
    ran = evaluate(*MODEL, *wrong)

    assert ran.code == 2
    assert said in " ".join(ran.errors.split())
    assert not provider.asked
    assert not Path("evaluation.db").exists()


def test_the_gate_passes_what_is_as_good_and_fails_what_is_worse(provider: LoopbackProvider) -> None:
    evaluate(*MODEL, "--out", "gate.json")

    same = evaluate(*MODEL, "--gate", "gate.json", "--json")
    worse = evaluate("--model", "openai:bad", "--gate", "gate.json", "--json")
    allowed = evaluate("--model", "openai:bad", "--gate", "gate.json", "--tolerance", "1")

    assert (same.code, same.document["gate"]["passed"]) == (0, True)
    assert (worse.code, worse.document["gate"]["passed"]) == (1, False)
    assert worse.document["gate"]["reasons"][0].startswith("F1 fell from 100.0% to 0.0%")
    assert allowed.code == 0


def test_the_gate_fails_where_gold_or_protocol_are_others(provider: LoopbackProvider, gold: Path) -> None:
    evaluate(*MODEL, "--out", "gate.json")

    other_rules = evaluate(*MODEL, "--gate", "gate.json", "--exact")
    gold.write_text(gold.read_text(encoding="utf-8").replace('"Brand": "Acme"', '"Brand": "ACME"'), encoding="utf-8")
    other_gold = evaluate(*MODEL, "--gate", "gate.json")

    assert (other_rules.code, other_gold.code) == (1, 1)
    assert "the protocol differs: match normal then, exact now" in other_rules.errors
    assert "the gold differs" in other_gold.errors


def test_a_gate_that_is_no_evaluation_is_said_before_anything_is_paid(provider: LoopbackProvider) -> None:
    Path("gate.json").write_text("{}", encoding="utf-8")

    ran = evaluate(*MODEL, "--gate", "gate.json")

    assert ran.code == 1
    assert "gate.json is no evaluation" in ran.errors
    assert not provider.asked


def test_what_each_agent_is_worth_costs_only_what_is_new(provider: LoopbackProvider) -> None:
    evaluate(*MODEL, "--sample", "5")
    asked = len(provider.asked)
    ran = evaluate(*MODEL, "--sample", "5", "--agents", "all", "--json")

    found = {entry["agent"]: entry for entry in ran.document["marginals"]}
    agents = ["category_expert", "attribute_extractor", "critic", "demand_analyst", "demand_critic", "summarizer"]
    assert list(found) == [*agents, "revisions"]
    assert found["attribute_extractor"]["f1"]["difference"] > 0
    assert found["attribute_extractor"]["f1_per_1000_tokens"] > 0
    assert found["critic"]["f1"]["difference"] == 0
    assert all(entry["tokens_with"] > entry["tokens_without"] for name, entry in found.items() if name != "revisions")
    assert found["revisions"]["f1_per_1000_tokens"] is None
    # Each other question was asked before, or is left out; where other claims stand, demands are asked for anew.
    assert {name for new in provider.asked[asked:] for name in new.schema["properties"]} <= {"demands", "rulings"}


def test_an_agent_that_asks_no_model_anyway_is_passed_over() -> None:
    ran = evaluate("--sample", "1", "--agents", "critic,summarizer", "--json")

    assert ran.document["marginals"] == []
    assert "critic is off already with embedded:smollm2" in ran.errors


def test_a_run_out_of_budget_says_so_and_goes_on(provider: LoopbackProvider) -> None:
    Path("prices.toml").write_text('["openai:good"]\ninput = 1000\noutput = 1000\n', encoding="utf-8")
    short = evaluate(*MODEL, "--prices", "prices.toml", "--budget", "4.6", "--out", "found.json")
    asked = len(provider.asked)
    whole = evaluate(*MODEL, "--json")

    assert short.code == 1
    assert "budget" in short.errors
    assert not Path("found.json").exists()
    assert 0 < asked < len(provider.asked)
    assert whole.document["system"]["summary"]["failed"] == 0


def test_an_item_that_fails_counts_as_one_of_which_nothing_was_found(provider: LoopbackProvider) -> None:
    evaluate("--model", "openai:good")  # its results lie below those of the other model

    def answer(asked: Asked) -> object:
        of_acme = "claims" in asked.schema["properties"] and "Acme kettle" in json.dumps(asked.body)
        return "nonsense" if of_acme else knowing(asked)

    provider.answer = answer
    document = evaluate("--model", "openai:other", "--json").document

    summary = document["system"]["summary"]
    assert summary["failed"] == 3
    assert {item["failure"] for item in document["system"]["items"]} == {"", "answer_invalid"}
    assert summary["micro"]["recall"] == pytest.approx(15 / 18)


def test_what_the_catalogs_knowledge_base_knows_is_scored_without_a_run(provider: LoopbackProvider, gold: Path) -> None:
    reaseq("enrich", "kettles.csv", *MODEL, "--limit", "1")
    asked = len(provider.asked)
    lines = [{"id": name, "category": "kitchen.kettles", "attributes": {"color": "red"}} for name in ("K1", "K2", "K9")]
    gold.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")

    ran = evaluate("--kb", "sqlite:///knowledge.db", "--from-kb", "--catalog", "kettles.csv", "--json")

    assert len(provider.asked) == asked
    assert [item["item_id"] for item in ran.document["system"]["items"]] == ["K1"]
    assert ran.document["system"]["summary"]["micro"]["f1"] == 1
    assert "nor is it in kettles.csv: 'K9'" in ran.errors
    assert "does not know them with this text: 'K2'" in ran.errors


def test_an_evaluation_leaves_the_catalogs_knowledge_alone(provider: LoopbackProvider) -> None:
    reaseq("enrich", "kettles.csv", *MODEL)
    before = Path("knowledge.db").read_bytes()

    evaluate(*MODEL)

    assert Path("knowledge.db").read_bytes() == before


def test_the_report_and_the_document_are_written_whole(provider: LoopbackProvider, gold: Path) -> None:
    gold.write_text(
        '{"id": "1", "title": "Acme &lt;script&gt;x&lt;/script&gt; kettle", "attributes": {"brand": "Acme"}}'
    )

    ran = evaluate(*MODEL, "--html", "report.html", "--out", "found.json")

    page = Path("report.html").read_text(encoding="utf-8")
    assert ran.code == 0, ran.errors
    assert "<svg" in page
    assert "<script" not in page
    assert read_evaluation(Path("found.json")).system.label == "openai:good"


def test_a_critic_that_rejects_everything_is_worth_less_than_none(provider: LoopbackProvider) -> None:
    def answer(asked: Asked) -> object:
        if "verdicts" in asked.schema["properties"]:
            return {"verdicts": [accepted(name) | {"decision": "reject"} for name in claim_ids(asked)]}
        return knowing(asked)

    provider.answer = answer
    (found,) = evaluate(*MODEL, "--agents", "critic", "--json").document["marginals"]

    assert (found["f1"]["before"], found["f1"]["after"]) == (1.0, 0.0)
    assert found["f1"]["high"] < 0


def test_the_demands_of_the_gold_are_looked_for_among_those_that_were_accepted(gold: Path) -> None:
    golden = json.loads(gold.read_text(encoding="utf-8").splitlines()[0])
    golden["demands"] = ["heating water for tea", "feeding a horse"]
    gold.write_text(json.dumps(golden), encoding="utf-8")

    ran = evaluate("--json")

    summary = ran.document["system"]["summary"]
    assert (summary["demands_wanted"], summary["demand_recall"]) == (2, 0.5)
