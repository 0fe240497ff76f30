"""A shopper's way through the shop: sessions of episodes, and in each a shelf, from view to click to cart to buy."""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluators.shoppers.demand_graph import DemandGraph
from evaluators.shoppers.shop import Shop
from evaluators.shoppers.shopper import Shopper

Floats = NDArray[np.float64]

NOISE = 0.1  # share of episodes that no need and no habit explains
HABIT = 0.15  # the chance that an episode is followed by its category's habit
SATED = 0.3  # what is left of the affinity for a category after buying in it what lasts
CURIOSITY = 0.5  # how much better than its shelf an item seems once it is looked at
AGAIN = 1.0  # what buying adds to the worth of an item that is consumed
SPAN = 90 * 86_400_000  # milliseconds over which a shopper's sessions are spread, about
FIRST_DAY = 1_735_689_600_000  # 2025-01-01 UTC
_EVENTS_A_SESSION = 8
_EPISODES = 3  # at most, in a session
_CART, _BUY = 0.5, 0.6


class Why(StrEnum):
    """What led to an event."""

    NEED = "need"
    HABIT = "habit"
    CHANCE = "chance"


class Event(NamedTuple):
    """One behaviour."""

    item: int
    time: int  # milliseconds since 1970 UTC
    kind: str  # view, click, cart, buy
    session: int
    why: Why


class Walk:
    """The state of a shopper on his way: the time, and what he wants still."""

    def __init__(self, shop: Shop, graph: DemandGraph, shopper: Shopper, chance: np.random.Generator) -> None:
        self._shop, self._graph, self._chance = shop, graph, chance
        self._taste = shopper.taste.astype(np.float32)
        self._wants = shopper.affinity.copy()
        self._sums = self._wants.cumsum()
        self._judgements: dict[int, tuple[Floats, Floats]] = {}  # by category, once he has been there

    def events(self, count: int) -> list[Event]:
        """Return `count` events or a few more, oldest first."""
        found: list[Event] = []
        time = FIRST_DAY + int(self._chance.random() * SPAN / 3)
        session = 0
        while len(found) < count:
            for why, category in self._episodes():
                found += self._episode(category, why, time, session)
                time = found[-1].time + int(self._chance.exponential(60_000)) + 1
            time += int(self._chance.exponential(SPAN / max(2, count / _EVENTS_A_SESSION))) + 3_600_000
            session += 1
        return found

    def _episodes(self) -> Iterator[tuple[Why, int]]:
        last: int | None = None
        for _ in range(int(self._chance.integers(1, _EPISODES + 1))):
            draw = self._chance.random()
            if draw < NOISE:
                why, last = Why.CHANCE, int(self._chance.integers(len(self._wants)))
            elif last is not None and draw < NOISE + HABIT:
                why, last = Why.HABIT, int(self._graph.habit[last])
            else:
                why, last = Why.NEED, self._wanted()
            yield why, last

    def _wanted(self) -> int:
        return int(self._sums.searchsorted(self._chance.random() * self._sums[-1], side="right"))

    def _episode(self, category: int, why: Why, time: int, session: int) -> Iterator[Event]:
        """Yield what happens at a shelf: the best are looked at, as far as he can tell, and one is bought perhaps."""
        worth, likely = self._judged(category)
        seen = (-(worth + self._chance.gumbel(size=worth.size))).argsort()[: self._chance.integers(1, 4)].tolist()
        *draws, carted, bought = self._chance.random(len(seen) + 2).tolist()
        shelf = self._shop.shelves[category]
        clicked: int | None = None
        for place, draw in zip(seen, draws, strict=True):
            time += int(20_000 * (0.2 + draw))
            yield Event(int(shelf[place]), time, "view", session, why)
            if draw < likely[place]:
                time += int(15_000 * (0.2 + bought))
                yield Event(int(shelf[place]), time, "click", session, why)
                clicked = place if clicked is None or worth[place] > worth[clicked] else clicked
        if clicked is not None and carted < _CART:
            yield Event(int(shelf[clicked]), time + 30_000, "cart", session, why)
            if bought < _BUY:
                yield Event(int(shelf[clicked]), time + 90_000, "buy", session, why)
                self._buy(category, clicked)

    def _judged(self, category: int) -> tuple[Floats, Floats]:
        """Return what each item on a shelf is worth to him, and how likely he clicks it once he sees it."""
        if category not in self._judgements:
            shelf = self._shop.shelves[category]
            self._judge(category, self._graph.popularity[shelf] + self._shop.has[shelf] @ self._taste)
        return self._judgements[category]

    def _judge(self, category: int, worth: Floats) -> None:
        self._judgements[category] = worth, 1 / (1 + np.exp(worth.sum() / worth.size - worth - CURIOSITY))

    def _buy(self, category: int, place: int) -> None:
        if self._graph.consumed[category]:
            worth = self._judged(category)[0]
            worth[place] += AGAIN
            self._judge(category, worth)
        else:
            self._wants[category] *= SATED
            self._sums = self._wants.cumsum()
