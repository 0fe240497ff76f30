"""How much a run may spend: reserved before each call at its worst, settled after it at what it cost."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

from agents.spending.prices import FREE, Price
from memory.errors import ReaseqError
from memory.model_call import Usage


class BudgetSpent(ReaseqError):
    """The next call might go over the budget; what was done is stored, and the same command goes on from there."""


@dataclass(frozen=True, eq=False)
class Reservation:
    """What one call may take at most; two of the same size are two."""

    money: Decimal
    tokens: int
    price: Price = FREE


@dataclass
class Budget:
    """A run's limits, shared by retries, critic rounds and everything else that calls the model.

    Money and tokens spent never pass a limit by more than what calls in flight cost above their reservation: a prompt
    is counted at three bytes a token, which few texts exceed, and an answer at the longest that the model may give.
    """

    price: Price = FREE
    money: Decimal | None = None
    tokens: int | None = None
    spent_money: Decimal = Decimal(0)
    spent_tokens: int = 0
    _reserved: set[Reservation] = field(default_factory=set)
    _reserved_money: Decimal = Decimal(0)  # their sums: thousands may be on their way
    _reserved_tokens: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def reserve(self, prompt_bytes: int, completion_tokens: int, price: Price | None = None) -> Reservation:
        """Set aside the worst case of a call; waits for calls in flight where they may still leave enough.

        `price` is that of another model than the budget's own. Raises `BudgetSpent` when nothing is in flight and the
        call might still go over.
        """
        worst = Usage(prompt_tokens=-(-prompt_bytes // 3), completion_tokens=completion_tokens)
        price = price or self.price
        wanted = Reservation(price.of(worst), worst.prompt_tokens + worst.completion_tokens, price)
        async with self._changed:
            while not self._fits(wanted):
                await self._room_for(wanted)
            self._reserved.add(wanted)
            self._reserved_money += wanted.money
            self._reserved_tokens += wanted.tokens
        return wanted

    async def settle(self, reservation: Reservation, usage: Usage | None) -> None:
        """Give back a reservation and count what the call cost; None where nothing was paid."""
        async with self._changed:
            self._give_back(reservation)
            if usage is not None:
                self.spent_money += reservation.price.of(usage)
                self.spent_tokens += usage.prompt_tokens + usage.completion_tokens
            self._changed.notify_all()

    async def settle_lost(self, reservation: Reservation) -> None:
        """Count a call whose answer was lost at its reservation: it may have been billed in full."""
        async with self._changed:
            self._give_back(reservation)
            self.spent_money += reservation.money
            self.spent_tokens += reservation.tokens
            self._changed.notify_all()

    async def _room_for(self, wanted: Reservation) -> None:
        """Wait until something has changed; `BudgetSpent` where nothing will."""
        if not self._reserved:
            raise BudgetSpent(self._refusal(wanted))
        await self._changed.wait()

    def _give_back(self, reservation: Reservation) -> None:
        self._reserved.remove(reservation)
        self._reserved_money -= reservation.money
        self._reserved_tokens -= reservation.tokens

    def _fits(self, wanted: Reservation) -> bool:
        money = self.spent_money + self._reserved_money + wanted.money
        tokens = self.spent_tokens + self._reserved_tokens + wanted.tokens
        return (self.money is None or money <= self.money) and (self.tokens is None or tokens <= self.tokens)

    def _refusal(self, wanted: Reservation) -> str:
        limits = []
        if self.money is not None:
            limits.append(f"{self.spent_money:.4f} of {self.money} spent, the next call may take {wanted.money:.4f}")
        if self.tokens is not None:
            limits.append(f"{self.spent_tokens} of {self.tokens} tokens used, the next call may take {wanted.tokens}")
        return f"the budget does not allow another call ({'; '.join(limits)}); raise it and run the same command again"
