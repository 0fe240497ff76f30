"""What the diffusion module reads of the material: tokens, what is known of items, their categories, demands."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from diffusion.category_ties import category_ties
from diffusion.histories import Demands
from diffusion.item_table import ItemKnowledge
from diffusion.tokens import Tokens
from learning.material import Material
from learning.whitening import Whitening
from memory.item_vectors.knowledge_table import CATEGORY, DEMAND, Feature, KnowledgeTable

WHITENED = 128  # dimensions of item vectors
LEAST_ITEMS = 2  # that have a feature which is learned from


@dataclass(frozen=True, eq=False)
class Reading:
    """The material as tensors; row i of each is item i."""

    tokens: Tokens
    known: ItemKnowledge
    group: Tensor  # [items]: the leaf category's number, -1 for none
    demands: Demands | None
    features: tuple[Feature, ...] = ()  # which the numbers of `known.feature` are
    whitenings: tuple[Whitening, ...] = ()  # of each kind of vectors
    categories: tuple[str, ...] = ()  # the leaf categories' names, by number
    ties: tuple[Tensor, ...] = ()  # how near categories are to each other, [C, C] each
    counts: Tensor | None = None  # [items]: how often each item stands in the behaviours


class AsFitted(NamedTuple):
    """What a fitted model read of its material, so that more that is known changes nothing of how it reads."""

    whitenings: tuple[Whitening, ...]  # of each kind of vectors
    features: tuple[Feature, ...]


def reading_of(material: Material, tokens: Tokens | None = None, as_fitted: AsFitted | None = None) -> Reading:
    """Return what an arm of the material may be read of; tokens are items, unless others are given."""
    items = len(material.behaviors.items)
    raw = [own for _, own in sorted(material.vectors.items())]
    if as_fitted is None:
        seen = np.unique(material.behaviors.item)
        whitenings = tuple(Whitening.fit(_known_rows(own, seen), dimensions_for(len(own))) for own in raw)
    else:
        whitenings = as_fitted.whitenings
    vectors = tuple(torch.from_numpy(map_.apply(own)) for map_, own in zip(whitenings, raw, strict=True))
    table = material.knowledge
    offsets, feature, features = (None, None, ()) if table is None else _features(table, as_fitted)
    group = np.full(items, -1, dtype=np.int64) if table is None else groups_of(table)
    return Reading(
        tokens=tokens or Tokens.of_items(items),
        known=ItemKnowledge(vectors, offsets, feature, len(features)),
        features=features,
        whitenings=whitenings,
        group=torch.from_numpy(group),
        categories=() if table is None else tuple(table.features[place][1] for place in _places(table, CATEGORY)),
        ties=() if table is None else category_ties(table, group),
        demands=None if table is None or not vectors else _demands(table, vectors[0]),
        counts=torch.from_numpy(np.bincount(material.behaviors.item, minlength=items)),
    )


def dimensions_for(items: int) -> int:
    """Return how many dimensions vectors of so many items keep: a power of two, at most a fourth of them.

    With as many dimensions as items, whitening makes all items equally unlike.
    """
    return min(WHITENED, 1 << int(math.log2(max(2, items // 4))))


def groups_of(table: KnowledgeTable) -> NDArray[np.int64]:
    """Return the number of each item's leaf category, -1 where it is not known."""
    names = {feature: None for feature in table.features if feature[0] == CATEGORY}
    number = {place: names_place for names_place, place in enumerate(_places(table, CATEGORY))}
    group = np.full(len(table.ids), -1, dtype=np.int64)
    row = np.repeat(np.arange(len(table.ids)), np.diff(table.offsets))
    for item, feature in zip(row.tolist(), table.feature.tolist(), strict=True) if names else ():
        if feature in number:
            group[item] = number[feature]
    return group


def _known_rows(vectors: NDArray[np.float32], seen: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return the vectors of the items that were seen and have one; of all that have one, where these are few."""
    rows = vectors[seen]
    rows = rows[np.any(rows != 0, axis=1)]
    return rows if len(rows) > WHITENED else vectors[np.any(vectors != 0, axis=1)]


def _places(table: KnowledgeTable, attribute: str) -> list[int]:
    return [place for place, (name, _) in enumerate(table.features) if name == attribute]


def _features(table: KnowledgeTable, as_fitted: AsFitted | None) -> tuple[Tensor, Tensor, tuple[Feature, ...]]:
    """Return the features that several items have, and not most of them, or those of a model, under their numbers."""
    if as_fitted is None:
        count = np.bincount(table.feature, minlength=len(table.features))
        often = np.flatnonzero((count >= LEAST_ITEMS) & (count <= len(table.ids) / 2))
        names = tuple(table.features[place] for place in often)
    else:
        names = as_fitted.features
    numbers = {name: place for place, name in enumerate(names)}
    number = np.array([numbers.get(name, -1) for name in table.features], dtype=np.int64)
    kept = number >= 0
    chosen = kept[table.feature]
    row = np.repeat(np.arange(len(table.ids)), np.diff(table.offsets))[chosen]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(table.ids)))])
    feature = number[table.feature[chosen]]
    return torch.from_numpy(offsets), torch.from_numpy(feature.astype(np.int64)), names


def _demands(table: KnowledgeTable, vectors: Tensor) -> Demands | None:
    """Return the demands of the knowledge base; each one's vector is the mean of those of the items that meet it."""
    places = _places(table, DEMAND)
    if not places:
        return None
    number = np.full(len(table.features), -1, dtype=np.int64)
    number[places] = np.arange(len(places))
    row = np.repeat(np.arange(len(table.ids)), np.diff(table.offsets))
    chosen = number[table.feature] >= 0
    row, demand, sure = row[chosen], number[table.feature[chosen]], table.confidence[chosen]
    met = np.bincount(demand, minlength=len(places))
    rarity = np.log((1 + len(table.ids)) / (1 + met)).astype(np.float32)
    total = torch.zeros(len(places), vectors.shape[1])
    total.index_add_(0, torch.from_numpy(demand), vectors[torch.from_numpy(row)])
    offsets = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(table.ids)))])
    return Demands(
        texts=tuple(table.features[place][1] for place in places),
        vectors=torch.nn.functional.normalize(total, dim=1),
        offsets=torch.from_numpy(offsets),
        demand=torch.from_numpy(demand),
        weight=torch.from_numpy((sure * rarity[demand]).astype(np.float32)),
    )
