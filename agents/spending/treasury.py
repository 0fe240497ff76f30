"""Who of several workers may spend how much of one budget: granted in portions, never more in sum than the limit."""

from collections.abc import Iterable
from decimal import Decimal

from memory.record import Record

PORTIONS = 64  # of the whole budget: what one worker is granted at once, unless its next call may take more


class Amount(Record):
    """Money and tokens together."""

    money: Decimal = Decimal(0)
    tokens: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(money=self.money + other.money, tokens=self.tokens + other.tokens)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(money=self.money - other.money, tokens=self.tokens - other.tokens)

    def is_within(self, other: "Amount") -> bool:
        """Return whether neither is more than the other's."""
        return self.money <= other.money and self.tokens <= other.tokens

    def at_least(self, other: "Amount") -> "Amount":
        """Return the greater of both, of each."""
        return Amount(money=max(self.money, other.money), tokens=max(self.tokens, other.tokens))

    def at_most(self, other: "Amount") -> "Amount":
        """Return the smaller of both, of each."""
        return Amount(money=min(self.money, other.money), tokens=min(self.tokens, other.tokens))


LIMITLESS = Amount(money=Decimal(10) ** 18, tokens=10**18)  # what nobody will ever spend


class Wish(Record):
    """What a worker says of its own spending: all that it may spend, has spent, and wants beyond that."""

    worker: str
    holds: Amount  # all that it may spend in this run, what it has spent included
    spent: Amount
    wants: Amount = Amount()


class Grant(Record):
    """The answer: what the worker may spend in all from now on."""

    holds: Amount
    scarce: bool = False  # give back what is not needed for calls in flight
    wait: bool = False  # not now: others may give back
    spent: bool = False  # not ever: nobody holds anything that may come back


class Share(Record):
    """What the treasury knows of one worker; of a lost one all that it might have spent counts as spent."""

    holds: Amount
    spent: Amount
    lost: bool = False
    confirmed: bool = True  # it has spoken since the treasury began


class Treasury:
    """One budget; a limit that is None holds nobody.

    What all workers together may spend, the lost ones included, is never more than the limit; so spending stays within
    it as on one machine: but for what calls in flight cost above their worst case.
    """

    def __init__(self, money: Decimal | None, tokens: int | None, shares: dict[str, Share] | None = None) -> None:
        self._limit = Amount(
            money=LIMITLESS.money if money is None else money, tokens=LIMITLESS.tokens if tokens is None else tokens
        )
        self._shares = dict(shares or {})
        self._scarce = False

    @classmethod
    def again(
        cls, money: Decimal | None, tokens: int | None, shares: dict[str, Share], in_ledger: Amount
    ) -> "Treasury":
        """Return one that goes on from what was last known of the shares, and what the run has spent by its ledger.

        It grants nothing before every worker that is not lost has spoken: one may hold more than was known.
        """
        known = {name: share.model_copy(update={"confirmed": share.lost}) for name, share in shares.items()}
        told = sum_of(share.holds if share.lost else share.spent for share in shares.values())
        unknown = (in_ledger - told).at_least(Amount())
        known["unknown"] = Share(holds=unknown, spent=unknown, lost=True)
        return cls(money, tokens, known)

    @property
    def shares(self) -> dict[str, Share]:
        """What is known of each worker."""
        return dict(self._shares)

    def hear(self, wish: Wish) -> Grant:
        """Note what a worker holds, and grant what it wants as far as that is left."""
        known = self._shares.get(wish.worker)
        if known is not None and known.lost:
            return Grant(holds=wish.spent, spent=True)
        self._shares[wish.worker] = Share(holds=wish.holds, spent=wish.spent)
        if wish.wants == Amount():
            return Grant(holds=wish.holds, scarce=self._scarce)
        if not all(share.confirmed for share in self._shares.values()):
            return Grant(holds=wish.holds, wait=True)
        return self._granted(wish)

    def lose(self, worker: str) -> None:
        """Count all that a worker might have spent as spent: it is gone, and cannot say."""
        if worker in self._shares:
            self._shares[worker] = self._shares[worker].model_copy(update={"lost": True, "confirmed": True})

    def _granted(self, wish: Wish) -> Grant:
        left = self._limit - sum_of(share.holds for share in self._shares.values())
        if not wish.wants.is_within(left):
            self._scarce = True
            others = (share for share in self._shares.values() if not share.lost)
            may_come_back = any(share.holds != share.spent for share in others)
            return Grant(holds=wish.holds, scarce=True, wait=may_come_back, spent=not may_come_back)
        bulk = Amount(money=self._limit.money / PORTIONS, tokens=self._limit.tokens // PORTIONS)
        portion = wish.wants if self._scarce else wish.wants.at_least(bulk).at_most(left)
        self._shares[wish.worker] = Share(holds=wish.holds + portion, spent=wish.spent)
        return Grant(holds=wish.holds + portion, scarce=self._scarce)


def sum_of(amounts: Iterable[Amount]) -> Amount:
    """Return the sum."""
    return sum(amounts, start=Amount())
