"""Which items the same shoppers choose one soon after another: the pairs that item vectors are aligned to."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from memory.behaviors.sequences import Sequences


@dataclass(frozen=True, eq=False)
class CoBehaviors:
    """Pairs of item rows, each once with the smaller row first, in rising order; an item is no pair with itself."""

    items: int  # rows below this may occur
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    weight: NDArray[np.float64]  # n_ij / (n_i n_j)^a, where n counts pairs

    @classmethod
    def of(cls, sequences: Sequences, items: int, window: int = 3, exponent: float = 0.5) -> Self:
        """Return the pairs at most `window` behaviours of one user apart; item rows from `items` on are passed over.

        `exponent` is a: .5 counts as a cosine does, more of it favours rare items.
        """
        user = np.repeat(np.arange(len(sequences.users)), np.diff(sequences.offsets))
        item = sequences.item.astype(np.int64)
        found: list[NDArray[np.int64]] = []
        for distance in range(1, window + 1):
            first, second = item[:-distance], item[distance:]
            kept = (user[:-distance] == user[distance:]) & (first != second) & (np.maximum(first, second) < items)
            found.append(np.minimum(first, second)[kept] * items + np.maximum(first, second)[kept])
        keys, counts = np.unique(np.concatenate(found), return_counts=True)
        left, right = keys // max(items, 1), keys % max(items, 1)
        each = np.bincount(left, counts, items) + np.bincount(right, counts, items)
        return cls(items, left, right, counts / (each[left] * each[right]) ** exponent)

    def __len__(self) -> int:
        return len(self.left)

    def some(self, chosen: NDArray[np.bool_]) -> Self:
        """Return some of the pairs."""
        return type(self)(self.items, self.left[chosen], self.right[chosen], self.weight[chosen])

    def neighbors(self) -> "Neighbors":
        """Return what each item goes with."""
        order = np.argsort(both := np.concatenate([self.left, self.right]), kind="stable")
        partners = np.concatenate([self.right, self.left])[order]
        return Neighbors(np.searchsorted(both[order], np.arange(self.items + 1)), partners)


@dataclass(frozen=True, eq=False)
class Neighbors:
    """What each item goes with: those of row i are `partners[offsets[i]:offsets[i + 1]]`."""

    offsets: NDArray[np.int64]
    partners: NDArray[np.int64]

    def together(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of the items `rows` go with which of the items `columns`: shape (rows, columns)."""
        distinct, of_column = np.unique(columns, return_inverse=True)
        place = np.full(len(self.offsets) - 1, -1)
        place[distinct] = np.arange(len(distinct))
        counts = self.offsets[rows + 1] - self.offsets[rows]
        ends = np.cumsum(counts)
        places = place[self.partners[np.repeat(self.offsets[rows] - ends + counts, counts) + np.arange(counts.sum())]]
        found = np.zeros((len(rows), len(distinct)), dtype=np.bool_)
        found[np.repeat(np.arange(len(rows)), counts)[places >= 0], places[places >= 0]] = True
        return found[:, of_column]
