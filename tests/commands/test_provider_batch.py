"""`--provider-batch` as a user meets it: the same results at half the price, and nothing else is different."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from agents.providers.batch_api import model
from agents.providers.batch_api.pace import BatchPace
from commands.run_options import IN_BATCHES, RunOptions, with_items_at_once
from commands.settings import Settings
from tests.commands.command_line import Ran, reaseq
from tests.commands.willing_model import willing
from tests.loopback_provider import LoopbackProvider

MODEL = ("--model", "openai:small")
PRICE = '["openai:small"]\ninput = 1000\noutput = 1000\n'


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackProvider]:
    """A willing model with a batch API, the environment that leads to it, and no long waits."""
    monkeypatch.setattr(model, "BatchPace", lambda: BatchPace(settle_seconds=0.1, first_look=0.05))
    with LoopbackProvider(willing) as provider:
        monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
        monkeypatch.setenv("OPENAI_API_KEY", "not-a-key")
        Path("prices.toml").write_text(PRICE, encoding="utf-8")
        monkeypatch.setenv("REASEQ_PRICES", "prices.toml")
        yield provider


def enrich(*arguments: object) -> Ran:
    return reaseq("enrich", "kettles.csv", *MODEL, *arguments, "--json")


def test_it_is_the_same_run_at_half_the_price(provider: LoopbackProvider) -> None:
    plain = enrich("--kb", "sqlite:///plain.db").document
    asked = len(provider.asked)

    ran = enrich("--provider-batch")
    plain_again = enrich()
    batched_again = enrich("--provider-batch")

    assert ran.code == 0, ran.errors
    assert (ran.document["enriched"], ran.document["calls"]) == (3, plain["calls"])
    assert Decimal(ran.document["cost"]) == Decimal(plain["cost"]) / 2 > 0
    assert [again.document["skipped"] for again in (plain_again, batched_again)] == 2 * [{"done": 3}]
    assert len(provider.asked) == asked  # nothing but batches went to the server
    assert len(provider.office.asked) == plain["calls"]


def test_a_price_that_is_stated_for_batches_goes_before_half(provider: LoopbackProvider) -> None:
    plain = enrich("--kb", "sqlite:///plain.db").document
    Path("prices.toml").write_text(PRICE + "batch_input = 100\nbatch_output = 100\n", encoding="utf-8")

    ran = enrich("--provider-batch").document

    assert Decimal(ran["cost"]) == Decimal(plain["cost"]) / 10 > 0


def test_a_forecast_has_the_price_of_the_batches(provider: LoopbackProvider) -> None:
    enrich()

    plain, batched = (enrich("--fresh", "--dry-run", *option).document for option in ((), ("--provider-batch",)))

    assert plain["calls"] == batched["calls"] > 0
    assert Decimal(batched["cost"]) == Decimal(plain["cost"]) / 2


def test_a_fresh_run_asks_everything_anew(provider: LoopbackProvider) -> None:
    first = enrich("--provider-batch").document

    again = enrich("--provider-batch", "--fresh").document

    assert again["enriched"] == 3
    assert len(provider.office.asked) == first["calls"] + again["calls"]


@pytest.mark.parametrize("command", [("enrich", "kettles.csv"), ("failures", "--retry")])
def test_it_is_wrong_usage_with_a_model_that_has_no_batches(command: tuple[str, ...]) -> None:
    ran = reaseq(*command, "--provider-batch", "--model", "ollama:small")

    assert ran.code == 2, ran.all
    assert "--provider-batch is for openai:MODEL" in ran.errors


def test_many_items_are_on_their_way_at_once_unless_the_command_line_says_otherwise() -> None:
    settings = Settings(model="openai:small", concurrency=3)

    chosen = [
        with_items_at_once(settings, RunOptions(provider_batch=wanted), given).concurrency
        for wanted, given in ((False, None), (True, None), (True, 40))
    ]

    assert chosen == [3, IN_BATCHES, 40]
