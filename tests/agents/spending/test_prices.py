"""Prices: the user's own first, then the public list; unknown is an error, never nothing."""

from decimal import Decimal

import pytest

from agents.spending.prices import FREE, Price, UnknownPrice, known_price, price_of
from memory.model_call import Usage

OWN = {"openai:mine": Price(input=Decimal("0.15"), output=Decimal("0.60"), source="prices.toml")}


def test_ones_own_price_goes_before_the_public_list() -> None:
    assert price_of("openai:mine", OWN) == OWN["openai:mine"]


def test_a_listed_model_has_a_price_for_each_direction() -> None:
    price = price_of("openai:gpt-4o-mini")

    assert price is not None
    assert 0 < price.input < price.output


def test_models_that_run_here_cost_nothing() -> None:
    assert price_of("embedded:smollm2") == price_of("ollama:llama") == FREE


def test_a_model_on_a_server_of_ones_own_is_not_priced_like_its_namesake() -> None:
    assert price_of("openai:gpt-4o-mini", base_url="http://127.0.0.1:8000/v1") is None


def test_an_unknown_price_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(UnknownPrice, match=r'--prices FILE.*\["openai:nobody-knows"\]'):
        known_price("openai:nobody-knows")


def test_a_cost_is_exact() -> None:
    usage = Usage(prompt_tokens=1_000_000, completion_tokens=500_000)

    assert OWN["openai:mine"].of(usage) == Decimal("0.45")


def test_a_batch_is_half_as_dear_unless_its_price_is_stated() -> None:
    price = Price(input=Decimal("0.15"), output=Decimal("0.60"), source="prices.toml")
    stated = price.model_copy(update={"batch_output": Decimal("0.5")})

    assert price.in_batches() == Price(input=Decimal("0.075"), output=Decimal("0.3"), source="prices.toml, batch price")
    assert (stated.in_batches().input, stated.in_batches().output) == (Decimal("0.075"), Decimal("0.5"))
