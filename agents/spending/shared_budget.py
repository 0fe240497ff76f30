"""A worker's part of a budget that several workers share: what it was granted, and how it asks for more."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal

from agents.spending.budget import Budget, BudgetSpent, Reservation
from agents.spending.prices import FREE, Price
from agents.spending.treasury import Amount, Grant, Wish

LOOK_SECONDS = 0.3  # between two asks, where others may give back

Ask = Callable[[Wish], Awaitable[Grant]]


class SharedBudget(Budget):
    """A budget whose limits are what the treasury has granted so far; a call that is within them asks nobody.

    `limited` says which of money and tokens has a limit at all.
    """

    def __init__(self, worker: str, ask: Ask, *, price: Price | None = None, limited: tuple[bool, bool]) -> None:
        money, tokens = limited
        super().__init__(price or FREE, Decimal(0) if money else None, 0 if tokens else None)
        self._worker, self._ask = worker, ask
        self._scarce = False

    async def report(self) -> None:
        """Tell the treasury what was spent, and give back what no call in flight needs where it is scarce."""
        async with self._changed:
            if self._scarce:
                self._hold(self._needed)
            self._scarce = (await self._ask(self._wish(Amount()))).scarce

    async def _room_for(self, wanted: Reservation) -> None:
        """Ask for more; wait a while where others may give back, and raise `BudgetSpent` where nobody can."""
        if self._scarce:
            self._hold(self._needed)
        missing = self._needed + Amount(money=wanted.money, tokens=wanted.tokens) - self._held
        grant = await self._ask(self._wish(missing.at_least(Amount())))
        self._scarce = grant.scarce
        self._hold(grant.holds)
        if grant.spent:
            raise BudgetSpent(self._refusal(wanted))
        if grant.wait:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()

    @property
    def _needed(self) -> Amount:
        return Amount(
            money=self.spent_money + self._reserved_money, tokens=self.spent_tokens + self._reserved_tokens
        ).at_least(Amount())

    @property
    def _held(self) -> Amount:
        """What may be spent in all; what has no limit is what is spent."""
        needed = self._needed
        return Amount(
            money=needed.money if self.money is None else self.money,
            tokens=needed.tokens if self.tokens is None else self.tokens,
        )

    def _hold(self, amount: Amount) -> None:
        if self.money is not None:
            self.money = amount.money
        if self.tokens is not None:
            self.tokens = amount.tokens

    def _wish(self, wants: Amount) -> Wish:
        spent = Amount(money=self.spent_money, tokens=self.spent_tokens)
        # An answer may cost more than its worst case was thought to be: then more is spent than was held.
        return Wish(worker=self._worker, holds=self._held.at_least(spent), spent=spent, wants=wants)
