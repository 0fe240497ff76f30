"""Which semantic IDs a catalog has: the items of an ID, and the digits that may follow when some are known."""

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import NDArray

from memory.errors import ReaseqError

UNKNOWN = -2  # stands for a digit that is not known yet
Codes = NDArray[np.int64]


class TooManyIds(ReaseqError):
    """Digits and codes are so many that an ID cannot be written as one number."""


class ValidIds:
    """The distinct rows of `codes` [items, L]; digit l counts from 0 below `sizes[l]`.

    Look-ups are binary searches in sorted tables, one for each set of known digits, made when it is first asked for:
    left to right needs L of them, any order at most L · 2^(L - 1). Raises `TooManyIds`.
    """

    def __init__(self, codes: Codes, sizes: Sequence[int]) -> None:
        if prod(sizes) >= 2**62:
            raise TooManyIds(
                f"{len(sizes)} digits of {max(sizes)} codes are more IDs than can be told apart: use fewer"
            )
        self._codes, self.sizes = codes.astype(np.int64), tuple(sizes)
        self._tables: dict[tuple[bytes, int], Codes] = {}
        whole = _key(self._codes, np.ones(len(self.sizes), dtype=np.bool_), self.sizes)
        self._order = np.argsort(whole, kind="stable")
        self._keys, self._counts = np.unique(whole, return_counts=True)
        self._starts = np.cumsum(self._counts) - self._counts

    @property
    def distinct(self) -> Codes:
        """The IDs, each once, in rising order: [IDs, L]."""
        distinct: Codes = self._codes[self._order[self._starts]]
        return distinct

    @property
    def counts(self) -> Codes:
        """How many items have each of `distinct`."""
        return self._counts

    def items(self, digits: Codes) -> tuple[Codes, Codes]:
        """Return the items of whole IDs [K, L]: offsets [K + 1], and item rows, rising within each ID.

        An ID that the catalog lacks has no items.
        """
        every = np.ones(len(self.sizes), dtype=np.bool_)
        key = _key(digits, every, self.sizes)
        place = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        there = (self._keys[place] == key) & _in_range(digits, every, self.sizes)
        count = np.where(there, self._counts[place], 0)
        offsets = np.concatenate([[0], np.cumsum(count)])
        return offsets, self._order[_spans(self._starts[place], count)]

    def next(self, digits: Codes, place: int) -> NDArray[np.bool_]:
        """Return which codes digit `place` may have, bool [K, sizes[place]].

        `digits` [K, L] has `UNKNOWN` where nothing is known yet; what stands at `place` itself is not looked at. A row
        whose known digits no ID has gets no code.
        """
        known = digits != UNKNOWN
        known[:, place] = False
        allowed = np.zeros((len(digits), self.sizes[place]), dtype=np.bool_)
        patterns, pattern = np.unique(known, axis=0, return_inverse=True)
        for number, own in enumerate(patterns):
            rows = np.flatnonzero(pattern.reshape(-1) == number)
            rows = rows[_in_range(digits[rows], own, self.sizes)]
            table, size = self._table(own, place), self.sizes[place]
            key = _key(digits[rows], own, self.sizes) * size
            start, end = np.searchsorted(table, key), np.searchsorted(table, key + size)
            allowed[np.repeat(rows, end - start), table[_spans(start, end - start)] % size] = True
        return allowed

    def _table(self, known: NDArray[np.bool_], place: int) -> Codes:
        """Return (known digits, code at `place`) of all IDs as sorted numbers."""
        name = (known.tobytes(), place)
        if name not in self._tables:
            key = _key(self._codes, known, self.sizes) * self.sizes[place]
            self._tables[name] = np.unique(key + self._codes[:, place])
        return self._tables[name]


def _key(digits: Codes, known: NDArray[np.bool_], sizes: Sequence[int]) -> Codes:
    """Return the known digits as one number a row, the first digit weighing most."""
    key = np.zeros(len(digits), dtype=np.int64)
    for place in np.flatnonzero(known).tolist():
        key = key * sizes[place] + digits[:, place]
    return key


def _in_range(digits: Codes, known: NDArray[np.bool_], sizes: Sequence[int]) -> NDArray[np.bool_]:
    inside = (digits >= 0) & (digits < np.array(sizes))
    return np.asarray((inside | ~known).all(axis=1), dtype=np.bool_)


def _spans(starts: Codes, lengths: Codes) -> Codes:
    """Return the places of all spans, one span after the other."""
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))
