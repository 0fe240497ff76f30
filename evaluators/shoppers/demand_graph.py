"""The true demand graph: life situations, the needs they bring, and the leaf categories and features that meet them."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators.shoppers.shop import Shop

Floats = NDArray[np.float64]

BY_KNOWLEDGE = 0.7  # share of a situation's categories that go with its first one by what is known of them
CONSUMED = 0.4  # share of categories whose goods are bought again and again
POPULARITY_SPREAD = 0.7  # of ln popularity
_NEEDS_OF_A_CATEGORY = 2
_WORD = re.compile(r"\w{4,}")


@dataclass(frozen=True)
class Need:
    """Something that shoppers want, in the words of one of the catalog's demands."""

    text: str
    categories: tuple[tuple[int, float], ...]  # which categories meet it, and how well; the weights add up to 1
    wish: int | None  # the feature that all who need this look for


@dataclass(frozen=True)
class Situation:
    """A time of life with the needs that come together in it."""

    name: str
    needs: tuple[Need, ...]


@dataclass(frozen=True)
class DemandGraph:
    """Why shoppers want what they want, and what no knowledge of the items explains."""

    situations: tuple[Situation, ...]
    frequency: Floats  # how often each situation is met; adds up to 1
    popularity: Floats  # of each item, as its logarithm: drawn, and no attribute explains it
    habit: NDArray[np.int64]  # the category that is looked at after each one, for no reason that the catalog states
    consumed: NDArray[np.bool_]  # of each category


def draw_demand_graph(shop: Shop, chance: np.random.Generator) -> DemandGraph:
    """Draw a demand graph over the shop; situations grow around each third category, at least eight of them.

    The first category of a situation is drawn; its companions share words with it in demands and attributes
    (`BY_KNOWLEDGE`) or are drawn as well. A category that has no demands is needed for its own name.
    """
    categories = len(shop.categories)
    needs, near = _needs_by_category(shop, chance), _nearness(shop)
    count = max(8, categories // 3)
    cores = [int(core) for core in np.resize(chance.permutation(categories), count)]
    situations = tuple(_situation(core, near[core], needs, chance) for core in cores)
    frequency = 1 / np.arange(1, count + 1) ** 0.5
    return DemandGraph(
        situations=situations,
        frequency=frequency / frequency.sum(),
        popularity=chance.normal(0, POPULARITY_SPREAD, len(shop.items)),
        habit=(np.arange(categories) + chance.integers(1, categories, categories)) % categories,
        consumed=chance.random(categories) < CONSUMED,
    )


def _situation(core: int, near: Floats, needs: list[list[Need]], chance: np.random.Generator) -> Situation:
    members = [core]
    for _ in range(min(int(chance.integers(2, 5)), len(needs) - 1)):
        weights = near.copy() if chance.random() < BY_KNOWLEDGE and near.any() else np.ones(len(needs))
        weights[members] = 0
        if weights.any():
            members.append(int(chance.choice(len(needs), p=weights / weights.sum())))
    chosen: dict[str, Need] = {}
    for member in members:
        own = needs[member]
        for place in chance.permutation(len(own))[:_NEEDS_OF_A_CATEGORY]:
            chosen.setdefault(own[place].text, own[place])
    return Situation(next(iter(chosen)), tuple(chosen.values()))


def _needs_by_category(shop: Shop, chance: np.random.Generator) -> list[list[Need]]:
    """Return the needs that each category meets: one a demand of the catalog, shared by all categories that have it."""
    met: dict[str, Counter[int]] = defaultdict(Counter)
    for item, category in zip(shop.items, shop.category, strict=True):
        for text in dict.fromkeys(item.demands):
            met[text][int(category)] += 1
    with_demands = {category for counted in met.values() for category in counted}
    for category in set(range(len(shop.categories))) - with_demands:
        met[shop.categories[category]][category] += 1
    found: list[list[Need]] = [[] for _ in shop.categories]
    for text, counted in sorted(met.items()):
        shares = {category: times / len(shop.shelves[category]) for category, times in sorted(counted.items())}
        whole = sum(shares.values())
        weights = tuple((category, share / whole) for category, share in shares.items())
        need = Need(text, weights, _wish(shop, list(shares), chance))
        for category in shares:
            found[category].append(need)
    return found


def _wish(shop: Shop, categories: list[int], chance: np.random.Generator) -> int | None:
    """Draw a feature that some, and not all, of the items on these shelves have."""
    shelves = np.concatenate([shop.shelves[category] for category in categories])
    held = shop.has[shelves].sum(axis=0)
    choices = np.flatnonzero((held > 0) & (held < len(shelves)))
    return int(chance.choice(choices)) if choices.size else None


def _nearness(shop: Shop) -> Floats:
    """Return the cosine of each two categories' words, weighted by rarity; 0 of a category with itself."""
    words = [Counter[str]() for _ in shop.categories]
    for item, category in zip(shop.items, shop.category, strict=True):
        texts = (*item.demands, *(value for _, value in item.attributes))
        words[category].update({word for text in texts for word in _WORD.findall(text.lower())})
    spread = Counter(word for counted in words for word in counted)
    column = {word: place for place, word in enumerate(sorted(word for word, many in spread.items() if many > 1))}
    table = np.zeros((len(words), len(column) + 1))
    for row, counted in enumerate(words):
        for word in counted.keys() & column.keys():
            table[row, column[word]] = np.log(len(words) / spread[word])
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    unit = np.divide(table, lengths, out=np.zeros_like(table), where=lengths > 0)
    near: Floats = unit @ unit.T
    np.fill_diagonal(near, 0)
    return near
