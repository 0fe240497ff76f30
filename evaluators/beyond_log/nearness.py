"""When two items mean nearly the same: cosines of their texts' vectors, and from which cosine on that is no chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from evaluators.beyond_log.hiding import UNKNOWN, Categories, Rows
from evaluators.beyond_log.suggestions import others

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]

PERCENTILE = 99.0
PAIRS = 200_000
ROUNDS = 4  # other users that each user's suggestions are compared with


@dataclass(frozen=True, eq=False)
class Nearness:
    """Items' vectors (of length 1; zeros where an item has no text), and the cosine from which two items are near."""

    vectors: Matrix
    threshold: float
    of_random: float  # share of random pairs of items that are near
    of_category: float  # share of pairs of one leaf category that are near

    @classmethod
    def of(cls, vectors: Matrix, categories: Categories, threshold: float | None = None, seed: int = 0) -> Self:
        """Measure random pairs; without a threshold, near is what 1 % of random pairs are."""
        chance = np.random.default_rng(seed)
        known = np.flatnonzero(vectors.any(axis=1))
        if known.size < 2:
            return cls(vectors, 1.0 if threshold is None else threshold, 0.0, 0.0)
        left, right = chance.choice(known, PAIRS), chance.choice(known, PAIRS)
        cosines = _cosines(vectors, left[left != right], right[left != right])
        least = float(np.percentile(cosines, PERCENTILE)) if threshold is None else threshold
        inside = _of_one_category(vectors, categories, known, chance)
        return cls(
            vectors, least, float((cosines >= least).mean()), float((inside >= least).mean() if len(inside) else 0)
        )


def near_share(near: Nearness, suggested: Rows, hidden: Sequence[Rows]) -> Floats:
    """Return for each user the share of hidden items that are near to a suggested one; 0 where nothing is hidden."""
    found = np.zeros(len(hidden))
    for user, (row, own) in enumerate(zip(suggested, hidden, strict=True)):
        listed = row[row >= 0]
        if listed.size and own.size:
            cosines = near.vectors[own] @ near.vectors[listed].T
            found[user] = (cosines.max(axis=1) >= near.threshold).mean()
    return found


def consistency(vectors: Matrix, suggested: Rows, gold: Sequence[Matrix], seed: int = 0) -> Floats:
    """Return for each user how near suggestions are to what is gold for the user, beyond how near to others' gold.

    The mean over suggested items of the best cosine to one of the user's gold vectors, minus the same for other users'
    (`ROUNDS` of them): what any list of popular things has in common with anybody's gold is taken out so. 0 where
    nothing is suggested or there is no gold.
    """
    with_gold = np.flatnonzero([len(own) > 0 for own in gold])
    listed, golden = suggested[with_gold], [gold[user] for user in with_gold.tolist()]
    near = _best_cosines(vectors, listed, golden)
    circle = others(len(golden), ROUNDS, seed)
    shuffled = [_best_cosines(vectors, listed, [golden[other] for other in of]) for of in circle.tolist()]
    found = np.zeros(len(gold))
    found[with_gold] = near - np.mean(shuffled, axis=0) if shuffled else near
    return found


def _best_cosines(vectors: Matrix, suggested: Rows, gold: Sequence[Matrix]) -> Floats:
    found = np.zeros(len(gold))
    for user, (row, own) in enumerate(zip(suggested, gold, strict=True)):
        listed = row[row >= 0]
        if listed.size and len(own):
            found[user] = (vectors[listed] @ own.T).max(axis=1).mean()
    return found


def _of_one_category(
    vectors: Matrix, categories: Categories, known: NDArray[np.int64], chance: np.random.Generator
) -> Matrix:
    filed = known[categories.of_item[known] != UNKNOWN]
    order = filed[np.argsort(categories.of_item[filed] + chance.random(filed.size) * 0.5)]  # shuffled within each
    left, right = order[:-1], order[1:]
    same = categories.of_item[left] == categories.of_item[right]
    return _cosines(vectors, left[same], right[same])


def _cosines(vectors: Matrix, left: NDArray[np.int64], right: NDArray[np.int64]) -> Matrix:
    parts = [
        np.einsum("pd,pd->p", vectors[left[start : start + 20_000]], vectors[right[start : start + 20_000]])
        for start in range(0, len(left), 20_000)
    ]
    return np.concatenate([*parts, np.zeros(0, np.float32)]).astype(np.float32)
