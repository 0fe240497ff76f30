"""A shop as its shoppers meet it: items on the shelves of leaf categories, and the features that they share."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from memory.errors import ReaseqError
from memory.record import Record

MOST_FEATURES = 300  # the most frequent ones; shoppers have no taste in the rest

Feature = tuple[str, str]  # an attribute and its value


class ShopUnusable(ReaseqError):
    """Too little is known for anybody to shop there."""


class ShopItem(Record):
    """What is known of an item, as far as it moves shoppers."""

    id: str = Field(min_length=1)
    category: str = Field(min_length=1)  # the leaf
    attributes: tuple[Feature, ...] = ()
    demands: tuple[str, ...] = ()  # what somebody may want it for


@dataclass(frozen=True)
class Shop:
    """Items by number, in order of id; leaf categories by number, in order of name."""

    items: tuple[ShopItem, ...]
    categories: tuple[str, ...]
    category: NDArray[np.int64]  # of each item
    shelves: tuple[NDArray[np.int64], ...]  # the items of each category
    features: tuple[Feature, ...]  # what two items or more have
    has: NDArray[np.float32]  # [items, features]: 1 where the item has it

    @classmethod
    def of(cls, items: Iterable[ShopItem]) -> Self:
        """Open the shop; raises `ShopUnusable` where items are of fewer than two leaf categories."""
        stock = tuple(sorted(items, key=lambda item: item.id))
        categories = tuple(sorted({item.category for item in stock}))
        if len(categories) < 2:
            raise ShopUnusable(
                f"{len(stock)} items in {len(categories)} categories are too few to shop among: enrich a catalog first"
            )
        if twice := [name for name, times in Counter(item.id for item in stock).items() if times > 1]:
            raise ValueError(f"item {twice[0]!r} is there twice")
        number = {name: place for place, name in enumerate(categories)}
        category = np.array([number[item.category] for item in stock])
        shelves = tuple(np.flatnonzero(category == place) for place in range(len(categories)))
        features = _shared_features(stock)
        return cls(stock, categories, category, shelves, features, _incidence(stock, features))


def _shared_features(items: tuple[ShopItem, ...]) -> tuple[Feature, ...]:
    counted = Counter(feature for item in items for feature in dict.fromkeys(item.attributes))
    shared = [feature for feature, times in counted.items() if times > 1]
    return tuple(sorted(shared, key=lambda feature: (-counted[feature], feature))[:MOST_FEATURES])


def _incidence(items: tuple[ShopItem, ...], features: tuple[Feature, ...]) -> NDArray[np.float32]:
    column = {feature: place for place, feature in enumerate(features)}
    has = np.zeros((len(items), len(features)), dtype=np.float32)
    for row, item in enumerate(items):
        has[row, [column[feature] for feature in item.attributes if feature in column]] = 1
    return has
