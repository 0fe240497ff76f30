"""When two items mean nearly the same: cosines of their texts' vectors, and from which cosine on that is no chance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from evaluators.beyond_log.hiding import UNKNOWN, Categories, Rows
from evaluators.beyond_log.suggestions import AT_ONCE, NONE, others

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]

PERCENTILE = 99.0
PAIRS = 200_000
KEPT = 100_000_000  # cosines that are computed once and kept; beyond, they are computed as they are asked for
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


@dataclass(frozen=True, eq=False)
class Golden:
    """The vectors that each user's list is compared with: rows of a table, [users, most], -1 where there are fewer."""

    rows: Rows
    table: Matrix  # [rows, dimensions]
    cosines: Matrix | None  # [rows, items], where that is not too much to keep

    @classmethod
    def of(cls, gold: Sequence[Rows], table: Matrix, vectors: Matrix) -> Self:
        """Lay the rows of each user out side by side; `vectors` are those of the items that lists hold."""
        rows = np.full((len(gold), max(map(len, gold), default=0)), NONE, dtype=np.int32)
        for user, own in enumerate(gold):
            rows[user, : len(own)] = own
        return cls(rows, table, table @ vectors.T if len(table) * len(vectors) <= KEPT else None)

    @property
    def there(self) -> NDArray[np.bool_]:
        """Which of the rows are there, [users, most]."""
        there: NDArray[np.bool_] = self.rows != NONE
        return there

    def some(self, users: NDArray[np.int64]) -> Self:
        """Return the gold of some users, in the order given."""
        return replace(self, rows=self.rows[users])


def cosines_to(golden: Golden, vectors: Matrix, lists: Rows) -> Matrix:
    """Return the cosine of each listed item to each gold vector, [users, k, most]; -1 where either is not there."""
    found = np.full((*lists.shape, golden.rows.shape[1]), -1, dtype=np.float32)
    for start in range(0, len(lists), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        rows, listed = golden.rows[some], lists[some]
        if golden.cosines is None:
            cosines = vectors[listed] @ golden.table[rows].transpose(0, 2, 1)
        else:
            cosines = golden.cosines[rows[:, None, :], listed[:, :, None]]
        found[some] = np.where((listed != NONE)[:, :, None] & (rows != NONE)[:, None, :], cosines, -1)
    return found


def near_share(cosines: Matrix, golden: Golden, threshold: float) -> Floats:
    """Return for each user the share of gold that some listed item is near to; 0 where there is no gold."""
    near = (cosines.max(axis=1, initial=-1) >= threshold) & golden.there
    shares: Floats = near.sum(axis=1) / np.maximum(golden.there.sum(axis=1), 1)
    return shares


def consistency(golden: Golden, vectors: Matrix, lists: Rows, cuts: Sequence[int], seed: int = 0) -> list[Floats]:
    """Return for each cut and user how near a list is to what is gold for the user, beyond how near to others' gold.

    The mean over listed items of the best cosine to one of the user's gold vectors, minus the same for other users'
    (`ROUNDS` of them): what any list of popular things has in common with anybody's gold is taken out so. 0 where
    nothing is listed or there is no gold.
    """
    users = np.flatnonzero(golden.there.any(axis=1))
    listed, own = lists[users], golden.some(users)
    circle = others(users.size, ROUNDS, seed)
    near = cosines_to(own, vectors, listed).max(axis=2, initial=-1)
    for other in circle:
        near -= cosines_to(own.some(other), vectors, listed).max(axis=2, initial=-1) / len(circle)
    there = listed != NONE
    found = []
    for cut in cuts:
        means = np.zeros(len(lists))
        counted = np.where(there, near, 0)[:, :cut].sum(axis=1)
        means[users] = counted / np.maximum(there[:, :cut].sum(axis=1), 1)
        found.append(means)
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
