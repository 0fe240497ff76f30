"""Which items the same shoppers choose one soon after another: the pairs that item vectors are aligned to."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from memory.behaviors.sequences import Sequences

Keys = NDArray[np.int64]


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
        found: list[Keys] = []
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

    def keys(self) -> Keys:
        """Return left · items + right of each pair, rising."""
        return self.left * self.items + self.right

    def contains(self, keys: Keys, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which of (left, right), in any order, are among `keys`; shapes are broadcast."""
        asked = np.minimum(left, right) * self.items + np.maximum(left, right)
        places = np.minimum(np.searchsorted(keys, asked), max(0, len(keys) - 1))
        return np.asarray(keys[places] == asked) if len(keys) else np.zeros(asked.shape, dtype=np.bool_)
