"""One budget for several runs: what the first has spent the second cannot."""

from dataclasses import dataclass, field
from decimal import Decimal

from commands.run_options import RunOptions


@dataclass
class Purse:
    """What is left of a budget in money or tokens."""

    options: RunOptions
    spent_money: Decimal = field(default=Decimal(0))
    spent_tokens: int = 0

    @property
    def left(self) -> RunOptions:
        """Return the run options with what is left of the budget; with nothing left, stored answers are still read."""
        money, tokens = self.options.budget, self.options.max_tokens
        return self.options.model_copy(
            update={
                "budget": None if money is None else max(Decimal(0), money - self.spent_money),
                "max_tokens": None if tokens is None else max(1, tokens - self.spent_tokens),
            }
        )

    def pay(self, money: Decimal, tokens: int) -> None:
        """Take from the purse what a run has spent."""
        self.spent_money += money
        self.spent_tokens += tokens
