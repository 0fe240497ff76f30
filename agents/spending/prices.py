"""What a model's tokens cost: a price file of the user's own, else the genai-prices list; unknown is never free."""

from collections.abc import Mapping
from decimal import Decimal

from genai_prices import Usage as PricedUsage
from genai_prices import calc_price

from memory.errors import ReaseqError
from memory.model_call import Usage
from memory.record import Record

MILLION = 1_000_000
RUNS_HERE = ("embedded", "ollama", "scripted")  # providers that bill nobody


class UnknownPrice(ReaseqError):
    """A money budget was set for a model whose price is not known."""


class Price(Record):
    """Money for a million tokens, and who says so."""

    input: Decimal
    output: Decimal
    source: str
    batch_input: Decimal | None = None  # where a provider's batches are not just half as dear
    batch_output: Decimal | None = None

    def of(self, usage: Usage) -> Decimal:
        """Return the cost of these tokens."""
        return (usage.prompt_tokens * self.input + usage.completion_tokens * self.output) / MILLION

    def in_batches(self) -> "Price":
        """Return the price of the provider's batch API: what is stated for it, else half."""
        stated = (self.batch_input, self.batch_output)
        halves = (self.input / 2, self.output / 2)
        prompt, answer = (half if own is None else own for own, half in zip(stated, halves, strict=True))
        return Price(input=prompt, output=answer, source=f"{self.source}, batch price")


FREE = Price(input=Decimal(0), output=Decimal(0), source="runs here")


def price_of(spec: str, own: Mapping[str, Price] | None = None, base_url: str | None = None) -> Price | None:
    """Return the price of a model, or None where nobody says.

    `own` are the user's prices by spec. A server of one's own (`base_url`) is looked up by its address, so that a model
    named like a paid one is not billed like it.
    """
    if own and spec in own:
        return own[spec]
    provider, _, model = spec.partition(":")
    if provider in RUNS_HERE:
        return FREE
    try:
        listed = [_listed(model, usage, provider, base_url) for usage in _ONE_MILLION_EACH]
    except LookupError:
        return None
    return Price(input=listed[0], output=listed[1], source="genai-prices")


def known_price(spec: str, own: Mapping[str, Price] | None = None, base_url: str | None = None) -> Price:
    """Return the price of a model; `UnknownPrice` says how to state it."""
    price = price_of(spec, own, base_url)
    if price is None:
        raise UnknownPrice(
            f"the price of {spec} is not known, so a budget in money cannot hold: state it in a price file "
            f'(--prices FILE) as  ["{spec}"]  input = 0.15  output = 0.60  (money for a million tokens), '
            "or set --max-tokens instead"
        )
    return price


_ONE_MILLION_EACH = (
    PricedUsage(input_tokens=MILLION, output_tokens=0),
    PricedUsage(input_tokens=0, output_tokens=MILLION),
)


def _listed(model: str, usage: PricedUsage, provider: str, base_url: str | None) -> Decimal:
    if base_url is None:
        return Decimal(calc_price(usage, model, provider_id=provider).total_price)
    return Decimal(calc_price(usage, model, provider_api_url=base_url).total_price)
