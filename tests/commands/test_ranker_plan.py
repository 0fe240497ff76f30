"""What to enrich next under a budget: planned from what an ablation found, carried out by `reaseq enrich`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from memory.enrichment_priorities import AttributePriority, EnrichmentPriorities
from tests.commands.command_line import Ran, reaseq
from tests.commands.test_batches import MODEL, PRICE, edited_prompts, unusable_for
from tests.commands.willing_model import willing
from tests.loopback_provider import LoopbackProvider

ROWS = """sku,name,description,brand
K1,Acme steel kettle 1.7 l red,Power 2200 W.,Acme
K2,Nordlicht kettle 1 l,,Nordlicht
T1,"Plain cotton t-shirt, size M, black",,Basico
T2,Acme t-shirt,,Acme
"""
KETTLES = "Kitchen > Small Appliances > Kettles"
SHIRTS = "Clothing > Tops > T-Shirts"
CALL_TOKENS = 18  # of the loopback model


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProvider]:
    """A willing model, and what it has found: all that a title says. first.json has priorities."""
    with LoopbackProvider(willing) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        Path("shop.csv").write_text(ROWS, encoding="utf-8")
        assert reaseq("enrich", "shop.csv", *MODEL).code == 0
        written(power=0.1, color=0.01, brand=0.2)
        yield provider


def written(**gains: float) -> None:
    """Write priorities with such gains, all clear of zero; and one of the weight, which is not."""
    moving = [priority(attribute, gain, gain / 2) for attribute, gain in gains.items()]
    attributes = (*moving, priority("weight", 0.5, -0.1))
    found = EnrichmentPriorities(task="next item", metric="NDCG@10", version=1, items=4, attributes=attributes)
    Path("first.json").write_text(found.model_dump_json(), encoding="utf-8")


def priority(attribute: str, gain: float, low: float) -> AttributePriority:
    return AttributePriority(
        attribute=attribute, gain=gain, low=low, high=1.0, known=1, unknown=2, unknown_by_category={}
    )


def plan(*options: object) -> Ran:
    return reaseq("ranker", "plan", "first.json", *MODEL, *options)


def document(*options: object) -> Any:
    ran = plan(*options, "--json")
    assert ran.code == 0, ran.all
    return ran.document


def cells(found: Any) -> dict[tuple[str, str], Any]:
    return {(cell["attribute"], cell["category"]): cell for cell in found["cells"]}


def stale_items(prompts: Path) -> list[str]:
    results = reaseq("stale", *MODEL, "--prompts", prompts, "--json").document["first"]
    return list(dict.fromkeys(result["item_id"] for result in results))


@pytest.mark.usefixtures("provider")
def test_the_plan_tells_by_cell_what_is_lacking_what_it_may_gain_and_what_it_costs() -> None:
    prompts = edited_prompts("attribute_extractor")

    found = document("--prompts", prompts)

    asked = cells(found)
    assert set(asked) == {("power", KETTLES), ("color", KETTLES), ("color", SHIRTS)}  # the brand is known of all
    power, color = asked["power", KETTLES], asked["color", SHIRTS]
    assert (power["lacking"], power["stale"], power["chosen"]) == (1, 1, 1)
    assert power["rate"] == pytest.approx((1 + 10 * 1 / 2) / (2 + 10))  # of two kettles one says it
    assert power["gain"] == pytest.approx(power["rate"] * 0.1)
    assert color["rate"] == pytest.approx((1 + 10 * 2 / 4) / (2 + 10))
    assert color["gain"] == pytest.approx(color["rate"] * 0.01 / 2)  # two items lack it, one was known
    assert found["chosen"]["items"] == found["whole"]["items"] == 2
    assert found["first"] == ["K2", "T2"]
    assert [cause["why"] for cause in found["causes"]] == ["prompt attribute_extractor"]


@pytest.mark.usefixtures("provider")
def test_the_cost_of_an_item_is_that_of_the_agents_that_would_be_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = edited_prompts("attribute_extractor")

    all_agents = document("--prompts", prompts)
    monkeypatch.setenv("REASEQ_WITHOUT", '["demand_analyst", "demand_critic"]')
    fewer = document("--prompts", prompts)

    # Extractor, critic, demand analyst, demand critic, summarizer; an item lacks two attributes and is paid once.
    assert all_agents["chosen"]["cost"]["tokens"] == pytest.approx(2 * 5 * CALL_TOKENS)
    assert cells(all_agents)["power", KETTLES]["cost"]["tokens"] == pytest.approx(5 * CALL_TOKENS)
    assert cells(all_agents)["power", KETTLES]["cost"]["money"] is None
    # `without` is a setting of the model: all is stale, the category too.
    assert fewer["chosen"]["cost"]["tokens"] == pytest.approx(2 * 4 * CALL_TOKENS)


@pytest.mark.usefixtures("provider")
def test_what_is_chosen_is_made_anew_in_its_order_within_the_budget() -> None:
    prompts, budget = edited_prompts("attribute_extractor"), 2 * 5 * CALL_TOKENS - 1

    ran = plan("--prompts", prompts, "--max-tokens", budget, "--out", "ids.txt")
    options = ("--stale-only", "--items", "ids.txt", *MODEL, "--prompts", prompts)
    forecast = reaseq("enrich", *options, "--dry-run", "--json").document
    made = reaseq("enrich", *options, "--json")

    assert ran.code == 0, ran.all
    assert Path("ids.txt").read_text(encoding="utf-8") == "K2\n"  # the power is worth more than the colour
    assert "chosen: 1 items" in ran.errors
    assert "attribute by attribute the same budget would gain" in ran.errors
    assert (forecast["items"], forecast["tokens"]) == (1, pytest.approx(5 * CALL_TOKENS))
    assert made.code == 0, made.all
    assert made.document["enriched"] == 1
    assert stale_items(prompts) == ["K1", "T1", "T2"]


@pytest.mark.usefixtures("provider")
def test_items_are_made_anew_in_the_order_of_their_file() -> None:
    prompts = edited_prompts("attribute_extractor")
    Path("ids.txt").write_text("T2\nnowhere\nK1\nK2\n", encoding="utf-8")

    made = reaseq("enrich", "--stale-only", "--items", "ids.txt", *MODEL, "--prompts", prompts, "--limit", 2, "--json")

    assert made.document["enriched"] == 2
    assert stale_items(prompts) == ["K2", "T1"]


@pytest.mark.usefixtures("provider")
@pytest.mark.parametrize("edited", [None, "summarizer"])
def test_where_nothing_is_stale_that_could_find_values_nothing_is_chosen_and_it_is_said(edited: str | None) -> None:
    options = ("--prompts", edited_prompts(edited)) if edited else ()

    ran = plan(*options, "--out", "ids.txt")

    assert ran.code == 0, ran.all
    assert "2 items lack something, and nothing is stale under these settings that could find it" in ran.errors
    assert "0 of 0" in ran.output
    assert Path("ids.txt").read_text(encoding="utf-8") == ""


@pytest.mark.usefixtures("provider")
def test_a_budget_in_money_holds_at_the_present_price_and_without_a_price_it_is_an_error() -> None:
    Path("prices.toml").write_text(PRICE, encoding="utf-8")  # a thousandth a token
    prompts = edited_prompts("attribute_extractor")

    found = document("--prompts", prompts, "--prices", "prices.toml", "--budget", 0.1)
    unpriced = plan("--prompts", prompts, "--budget", 0.1)

    assert found["chosen"]["items"] == 1
    assert float(found["chosen"]["cost"]["money"]) == pytest.approx(0.09)
    power = cells(found)["power", KETTLES]
    assert power["per_money"] == pytest.approx(power["gain"] / 0.09)
    assert power["per_1000_tokens"] == pytest.approx(1000 * power["gain"] / (5 * CALL_TOKENS))
    assert unpriced.code == 1
    assert "--prices FILE" in unpriced.errors


@pytest.mark.usefixtures("provider")
def test_what_was_not_shown_to_matter_is_told_and_not_chosen() -> None:
    written(power=-0.1, size=0.0)

    ran = plan("--prompts", edited_prompts("attribute_extractor"))

    assert ran.code == 0, ran.all
    for attribute in ("power", "size", "weight"):
        assert f"not shown to matter: {attribute}" in ran.errors
    assert "there is nothing to choose" in ran.errors


@pytest.mark.usefixtures("provider")
def test_agents_without_a_past_are_named_for_their_cost_is_not_known() -> None:
    reaseq("enrich", "shop.csv", "--kb", "sqlite:///free.db")  # the embedded model asks no critic

    found = document("--kb", "sqlite:///free.db")

    assert set(found["no_past"]) >= {"critic", "demand_analyst", "summarizer"}
    assert found["chosen"]["items"] > 0
    assert {cause["why"] for cause in found["causes"]} >= {"model embedded:smollm2 -> openai:small"}


def test_an_item_of_which_nothing_is_known_lacks_everything(provider: LoopbackProvider) -> None:
    provider.answer = unusable_for("Lumen")
    Path("more.csv").write_text(ROWS + "K3,Lumen kettle 1800 W,,Lumen\n", encoding="utf-8")
    assert reaseq("enrich", "more.csv", *MODEL, "--json").document["failed"] == {"answer_invalid": 1}

    found = document("--prompts", edited_prompts("attribute_extractor"))

    new = {attribute: cell for (attribute, category), cell in cells(found).items() if not category}
    assert {attribute: cell["rate"] for attribute, cell in new.items()} == {"power": 0.25, "color": 0.5, "brand": 1.0}
    assert found["first"][0] == "K3"
    assert "(nothing known yet)" in plan("--prompts", "edited-attribute_extractor").output


def test_two_budgets_or_a_file_without_priorities_are_told(enriched: tuple[str, Ran]) -> None:
    two = reaseq("ranker", "plan", "kettles.csv", "--budget", 1, "--max-tokens", 1, "--kb", enriched[0])
    none = reaseq("ranker", "plan", "kettles.csv", "--kb", enriched[0])

    assert (two.code, none.code) == (2, 1)
    assert "'kettles.csv' holds no priorities" in none.errors


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["kettles.csv", "--items", "ids.txt"], "--items goes with --stale-only"),
        (["--stale-only", "--items", "ids.txt", "--priorities", "first.json"], "goes without --priorities"),
    ],
)
def test_items_that_cannot_be_taken_in_an_order_are_wrong_usage(options: list[str], said: str) -> None:
    ran = reaseq("enrich", *options)

    assert ran.code == 2
    assert said in " ".join(ran.errors.split())
