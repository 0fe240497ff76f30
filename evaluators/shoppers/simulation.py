"""Simulated shoppers: a log as a shop would keep it, and the truth that no shop has: needs, affinities, what is hidden.

What can be learnt from it. Whoever reads the log alone can learn popularity, which categories follow each other, and
the habits of a shopper whose history is long; where shoppers are many and items few, that is nearly all there is.
Knowledge of the items helps by construction, in three ways: tastes act through attributes, needs look for a feature of
their own, and the needs of a situation share words. It pays where the log is thin: few shoppers, items that nobody has
met. So a gain from knowledge shows that a ranker *uses* what it is given; it does not show that real shoppers act so,
and its size says nothing about a real shop. Much is left that no knowledge explains, and that a ranker on knowledge
alone must miss: items are popular by a draw, categories follow each other by a draw (habits), three in ten companions
within a situation are drawn, one episode in ten is noise, and each choice has noise of its own. A ranker that reads the
same knowledge as the simulator is favoured by that: errors of the knowledge are as true here as the rest.

What the log hides: of the leaf categories in which a shopper has needs, a random share is bought elsewhere, and nothing
he does in them is in the log. It stands in the truth, with what led to it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from evaluators.shoppers.demand_graph import Need, draw_demand_graph
from evaluators.shoppers.shop import Shop, ShopItem
from evaluators.shoppers.shopper import Shopper, draw_shopper
from evaluators.shoppers.walk import Event, Walk, Why
from memory.record import Record

_FEWEST_EVENTS = 4
_STRONGEST_TASTES = 10


class TrueNeed(Record):
    """A need that is active, in truth."""

    demand: str
    categories: dict[str, float]  # that meet it; the weights add up to 1
    wish: tuple[str, str] | None  # the attribute and value that it looks for
    hidden: bool  # all that meets it is bought elsewhere


class Taste(Record):
    """How much a feature adds to what an item is worth to the shopper: as many units as the logarithm of its odds."""

    attribute: str
    value: str
    weight: float


class HiddenBehavior(Record):
    """Something that the shopper did, and the log does not show."""

    item: str
    time: int  # milliseconds since 1970 UTC
    kind: str
    session: str
    why: Why


class ShopperTruth(Record):
    """What no shop knows of a shopper."""

    user: str
    situations: tuple[str, ...]
    needs: tuple[TrueNeed, ...]
    affinity: dict[str, float]  # for each leaf category with any; they add up to 1
    tastes: tuple[Taste, ...]  # the strongest ones
    hidden_categories: tuple[str, ...]
    hidden: tuple[HiddenBehavior, ...]


@dataclass
class Log:
    """The behaviours that the shop saw, column by column; a shopper's stand together, oldest first."""

    user: list[str] = field(default_factory=list)
    item: list[str] = field(default_factory=list)
    time: list[int] = field(default_factory=list)
    kind: list[str] = field(default_factory=list)
    session: list[str] = field(default_factory=list)

    def add(self, user: str, item: str, time: int, kind: str, session: str) -> None:
        """Append one behaviour."""
        self.user.append(user)
        self.item.append(item)
        self.time.append(time)
        self.kind.append(kind)
        self.session.append(session)

    def rows(self) -> Iterator[tuple[str, str, int, str, str]]:
        """Yield the behaviours as rows: user, item, time, kind, session."""
        return zip(self.user, self.item, self.time, self.kind, self.session, strict=True)


@dataclass(frozen=True)
class Simulation:
    """What the shop saw, and what is true."""

    log: Log
    truths: tuple[ShopperTruth, ...]

    @property
    def hidden_behaviors(self) -> int:
        """How many behaviours are in the truth alone."""
        return sum(len(told.hidden) for told in self.truths)


def simulate(
    items: Iterable[ShopItem],
    *,
    shoppers: int,
    events: int,
    hidden_share: float,
    seed: int,
) -> Simulation:
    """Let shoppers walk through a shop of these items; `events` is the mean of a shopper's, the hidden ones among them.

    The same arguments give the same simulation, and a shopper does the same however many others there are.
    Raises `ShopUnusable`.
    """
    shop = Shop.of(items)
    graph = draw_demand_graph(shop, np.random.default_rng(seed))
    log, truths = Log(), []
    for number in range(shoppers):
        chance = np.random.default_rng([seed, number])
        shopper = draw_shopper(shop, graph, hidden_share, chance)
        count = max(_FEWEST_EVENTS, round(chance.gamma(2, events / 2)))
        walked = Walk(shop, graph, shopper, chance).events(count)
        truths.append(_told(f"u{number + 1:05d}", shop, shopper, walked, log))
    return Simulation(log, tuple(truths))


def _told(user: str, shop: Shop, shopper: Shopper, walked: list[Event], log: Log) -> ShopperTruth:
    """Write what the shop saw to the log, and return the truth."""
    hidden = []
    for event in walked:
        item, session = shop.items[event.item].id, f"{user}-{event.session + 1}"
        if int(shop.category[event.item]) in shopper.elsewhere:
            hidden.append(HiddenBehavior(item=item, time=event.time, kind=event.kind, session=session, why=event.why))
            continue
        log.add(user, item, event.time, event.kind, session)
    return ShopperTruth(
        user=user,
        situations=tuple(situation.name for situation in shopper.situations),
        needs=tuple(_true_need(need, shop, shopper) for need in shopper.needs),
        affinity={shop.categories[c]: float(shopper.affinity[c]) for c in np.flatnonzero(shopper.affinity)},
        tastes=_tastes(shop, shopper),
        hidden_categories=tuple(shop.categories[category] for category in sorted(shopper.elsewhere)),
        hidden=tuple(hidden),
    )


def _true_need(need: Need, shop: Shop, shopper: Shopper) -> TrueNeed:
    return TrueNeed(
        demand=need.text,
        categories={shop.categories[category]: weight for category, weight in need.categories},
        wish=None if need.wish is None else shop.features[need.wish],
        hidden=shopper.elsewhere.issuperset(category for category, _ in need.categories),
    )


def _tastes(shop: Shop, shopper: Shopper) -> tuple[Taste, ...]:
    strongest = np.argsort(-np.abs(shopper.taste), kind="stable")[:_STRONGEST_TASTES]
    return tuple(
        Taste(attribute=shop.features[f][0], value=shop.features[f][1], weight=float(shopper.taste[f]))
        for f in strongest
        if shopper.taste[f]
    )
