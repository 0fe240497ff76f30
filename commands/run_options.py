"""What one run is asked for beyond the settings, and the parts that hold it to that."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import typer
from pydantic import Field, ValidationError

from agents.resilience.rate_limits import Limits
from agents.shared_questions import InTurn
from agents.spending.budget import Budget
from agents.spending.prices import Price, known_price, price_of
from agents.stopping import Stop
from commands.settings import Settings
from memory.errors import ReaseqError
from memory.record import Record

IN_BATCHES = 2000  # items at once where a provider's batches are asked


class PriceFileError(ReaseqError):
    """The price file is none."""


class RunOptions(Record):
    """What one run is asked for."""

    limit: int | None = None  # rows
    map_columns: tuple[str, ...] | None = None  # "title=Name"
    fresh: bool = False  # everything anew, answers and results
    retry_failed: bool = False
    budget: Decimal | None = Field(default=None, ge=0)  # money
    max_tokens: int | None = Field(default=None, ge=1)
    provider_batch: bool = False  # ask through the provider's batch API
    unread: bool = False  # what it finds stays in its version, which is not read from then on

    @property
    def columns(self) -> dict[str, str] | None:
        """Return `map_columns` as a mapping from our field to the file's column."""
        return columns_of(self.map_columns)


class ClusterOptions(Record):
    """Which cluster, and how many workers on it."""

    address: str | None = None  # None: one of this machine alone, for this run
    workers: int = 2


@dataclass
class RunControls:
    """What a run's calls ask before they are made."""

    budget: Budget
    stop: Stop
    price: Price | None  # None: nobody says
    escalation_price: Price | None = None
    doubts: bool = False  # answers in the ledger that cannot be used are asked for once more
    provider_batch: bool = False
    limits: Callable[[str], Limits] | None = None  # by the minute, of the model of that name; None: by the settings
    in_turn: InTurn | None = None  # holds a question while other workers might ask the same; None: there are none


def columns_of(pairs: Sequence[str] | None) -> dict[str, str] | None:
    """Return pairs such as "title=Name" as a mapping from our field to the file's column; None for no pairs."""
    if not pairs:
        return None
    split = [pair.partition("=") for pair in pairs]
    for name, equals, column in split:
        if not (name and equals and column):
            raise typer.BadParameter(f"write FIELD=COLUMN, such as title=Name; got {name + equals + column!r}")
    return {name.strip(): column.strip() for name, _, column in split}


def controls_of(settings: Settings, options: RunOptions | None = None) -> RunControls:
    """Return the controls; `UnknownPrice` where a budget in money is set for a model whose price nobody says."""
    options = options or RunOptions()
    own = prices_in(settings.prices) if settings.prices else {}
    asked = known_price if options.budget is not None else price_of
    price = asked(settings.model, own, settings.openai_base_url)
    if price is not None and options.provider_batch:
        price = price.in_batches()
    budget = Budget(money=options.budget, tokens=options.max_tokens)
    if price is not None:
        budget.price = price
    return RunControls(
        budget,
        Stop(),
        price,
        escalation_price=asked(settings.stronger, own, settings.openai_base_url) if settings.stronger else None,
        doubts=options.retry_failed,
        provider_batch=options.provider_batch,
    )


def with_items_at_once(settings: Settings, options: RunOptions, concurrency: int | None) -> Settings:
    """Return the settings with as many items at once as a provider's batches are worth, or as the command line says.

    Raises `typer.BadParameter` where the model's provider has no batches.
    """
    if not options.provider_batch:
        return settings
    if not settings.model.startswith("openai:"):
        raise typer.BadParameter(f"--provider-batch is for openai:MODEL, and the model is {settings.model}")
    return settings.overridden(concurrency=concurrency or IN_BATCHES)


def prices_in(path: Path) -> dict[str, Price]:
    """Return the prices of a TOML file: a table for each spec, `input` and `output` in money for a million tokens.

    `batch_input` and `batch_output` may be there too.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        return {spec: Price.model_validate({**table, "source": str(path)}) for spec, table in tables.items()}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError, TypeError) as error:
        raise PriceFileError(f"{path} is no price file: {str(error).splitlines()[0]}") from error
