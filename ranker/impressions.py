"""Impressions for training and judging a click-through ranker: what came next, and negatives drawn by a fixed seed."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from memory.behaviors.sequences import Sequences
from ranker.affinity import Behind, Codes

NEGATIVES = 9
LONGEST = 50  # behaviours of a history that are read, the newest ones
ROUNDS = 20  # of drawing anew what a user has already; after half of them from everything


class Negatives(StrEnum):
    """Where negatives come from."""

    UNIFORM = "uniform"
    POPULARITY = "popularity"  # by behaviours in the training window
    SAME_LEAF = "same-leaf"  # of the positive's own leaf category


@dataclass(frozen=True, eq=False)
class Events:
    """Behaviours that are to be foretold: `place` counts from the user's oldest one, 0."""

    user: NDArray[np.int64]
    place: NDArray[np.int64]


def events(sequences: Sequences, *, last: int, first: int = 1, held_out: int = 0) -> Events:
    """Return the behaviours from `first` (counted from the oldest) to the `last`-th from the end, 0-based rows.

    With `held_out` only that one behaviour of each user: `held_out=1` is the last one. Users with no history before
    it have none.
    """
    lengths = np.diff(sequences.offsets)
    if held_out:
        user = np.flatnonzero(lengths - held_out >= first)
        return Events(user, lengths[user] - held_out)
    counts = np.maximum(lengths - last + 1 - first, 0)
    user = np.repeat(np.arange(len(lengths)), counts)
    return Events(user, first + np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts))


def impressions(
    sequences: Sequences,
    seen: Sequences,
    of: Events,
    negatives: Negatives,
    seed: int,
    *,
    leaf: Codes | None = None,
) -> Behind:
    """Return each event with its history and candidates, the positive first, then `NEGATIVES` others.

    `seen` is the training window (the beginning of each user's sequence). No negative is what the user had up to the
    event, or in that window. `leaf` is the leaf category of each item, needed for `Negatives.SAME_LEAF`.
    """
    start = sequences.offsets[of.user]
    back = np.arange(1, min(LONGEST, int(of.place.max(initial=1))) + 1)
    there = of.place[:, None] >= back
    past = sequences.item[np.where(there, (start + of.place)[:, None] - back, 0)]
    positive = sequences.item[start + of.place]
    window = np.diff(seen.offsets)[of.user]
    draw = _Draw(np.random.default_rng(seed), len(sequences.items), seen, negatives, leaf)
    taken = _Taken.of(sequences)
    drawn = draw(np.repeat(positive, NEGATIVES), anywhere=False)
    user, until = np.repeat(of.user, NEGATIVES), np.repeat(np.maximum(of.place + 1, window), NEGATIVES)
    for turn in range(ROUNDS):
        bad = np.flatnonzero(taken.before(user, drawn, until))
        drawn[bad] = draw(np.repeat(positive, NEGATIVES)[bad], anywhere=turn >= ROUNDS // 2)
    candidates = np.concatenate([positive[:, None], drawn.reshape(-1, NEGATIVES)], axis=1)
    return Behind(np.where(there, past, -1).astype(np.int32), candidates.astype(np.int32), of.place < window)


@dataclass(frozen=True, eq=False)
class _Taken:
    """When each user first had each item."""

    items: int
    keys: NDArray[np.int64]  # sorted: user * items + item
    place: NDArray[np.int64]

    @classmethod
    def of(cls, sequences: Sequences) -> "_Taken":
        lengths = np.diff(sequences.offsets)
        user = np.repeat(np.arange(len(lengths)), lengths)
        keys, first = np.unique(user * len(sequences.items) + sequences.item, return_index=True)
        return cls(len(sequences.items), keys, first - sequences.offsets[user[first]])

    def before(self, user: NDArray[np.int64], item: NDArray[np.int64], until: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether each user had each item at a place before `until`."""
        key = user * self.items + item
        found = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        taken: NDArray[np.bool_] = (self.keys[found] == key) & (self.place[found] < until)
        return taken


class _Draw:
    """Draws items for positives."""

    def __init__(
        self, chance: np.random.Generator, items: int, seen: Sequences, negatives: Negatives, leaf: Codes | None
    ) -> None:
        self.chance, self.items = chance, items
        self.leaf = leaf if negatives is Negatives.SAME_LEAF else None
        self.by_popularity = seen.item if negatives is Negatives.POPULARITY else None
        if negatives is Negatives.SAME_LEAF and leaf is None:
            raise ValueError("negatives of the same leaf category need each item's leaf category")
        if self.leaf is not None:
            self.order = np.argsort(self.leaf, kind="stable")
            self.starts = np.searchsorted(self.leaf[self.order], np.arange(self.leaf.max() + 2))

    def __call__(self, positive: NDArray[np.int32], *, anywhere: bool) -> NDArray[np.int64]:
        """Return one item a positive; `anywhere`: from all items, where the fitting ones are used up."""
        chance = self.chance.random(len(positive))
        if self.by_popularity is not None:
            return self.by_popularity[(chance * len(self.by_popularity)).astype(np.int64)].astype(np.int64)
        if self.leaf is None or anywhere:
            return (chance * self.items).astype(np.int64)
        leaf = self.leaf[positive]
        size = self.starts[leaf + 1] - self.starts[leaf]
        return self.order[self.starts[leaf] + (chance * size).astype(np.int64)]
