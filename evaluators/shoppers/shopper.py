"""One shopper: the situations of his life, the needs that are active, his tastes, and what he buys elsewhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators.shoppers.demand_graph import DemandGraph, Need, Situation
from evaluators.shoppers.shop import Shop

Floats = NDArray[np.float64]

ACTIVE = 0.7  # the chance of a situation's need to be active
CARES = 0.5  # the chance that a feature matters to a shopper at all
WISH = 1.5  # what a need adds to the worth of items with its feature
_SITUATIONS = (0.4, 0.4, 0.2)  # chances of one, two, three


@dataclass(frozen=True)
class Shopper:
    """Whatever decides what a shopper does, but chance."""

    situations: tuple[Situation, ...]
    needs: tuple[Need, ...]  # the active ones
    affinity: Floats  # of each leaf category; adds up to 1
    taste: Floats  # for each feature: own taste, and what the needs look for
    elsewhere: frozenset[int]  # leaf categories that he buys elsewhere


def draw_shopper(shop: Shop, graph: DemandGraph, hidden_share: float, chance: np.random.Generator) -> Shopper:
    """Draw a shopper; of the leaf categories that he has needs in, `hidden_share` on average are bought elsewhere.

    One category at least is not.
    """
    count = 1 + int(chance.choice(len(_SITUATIONS), p=_SITUATIONS))
    drawn = chance.choice(len(graph.situations), size=count, replace=False, p=graph.frequency)
    situations = tuple(graph.situations[number] for number in drawn)
    needs = _active(situations, chance)
    summed = [0.0] * len(shop.categories)
    taste = chance.normal(0, 1, len(shop.features)) * (chance.random(len(shop.features)) < CARES)
    for need, weight in zip(needs, chance.gamma(2, 1, len(needs)).tolist(), strict=True):
        for category, share in need.categories:
            summed[category] += weight * share
        if need.wish is not None:
            taste[need.wish] += WISH
    affinity = np.array(summed)
    wanted = np.flatnonzero(affinity)
    away = min(int(hidden_share * wanted.size + chance.random()), wanted.size - 1)
    elsewhere = frozenset(int(category) for category in chance.permutation(wanted)[:away])
    return Shopper(situations, needs, affinity / affinity.sum(), taste, elsewhere)


def _active(situations: tuple[Situation, ...], chance: np.random.Generator) -> tuple[Need, ...]:
    """Return the needs that are active, each once; the first situation's first need always is."""
    known = {need.text: need for situation in situations for need in situation.needs}
    kept = chance.random(len(known)) < ACTIVE
    kept[0] = True
    return tuple(need for need, active in zip(known.values(), kept, strict=True) if active)
