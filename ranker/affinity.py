"""What goes with what, counted in the training window: items, and what they have in common (brand, category, …)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # who only looks counts up needs neither polars nor SQL
    from memory.behaviors.sequences import Sequences
    from memory.item_vectors.knowledge_table import KnowledgeTable

ITEM, HISTORY = "item", "history"
DENSE_CODES = 4096  # up to so many codes the counts are one matrix (64 MB); above, sorted pairs
PRIOR = 0.5  # pseudo-count of observed and expected pairs
NEWEST_FIRST = 0.7  # weight of a behaviour against the one after it
FEATURES = ("recent", "greatest", "mean", "same", "popularity")
ROWS_READ = 4  # times the pairs asked for: where less goes with a history, all of it is read, not searched pair by pair
CHUNK = 512  # examples whose features are counted at a time

Codes = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Behind:
    """Examples as rows: `history` [examples, behaviours] newest first, -1 where there is none; `candidates` [e, c].

    `counted` [examples] says that the behaviour which is the first candidate was in the window that was counted: it is
    taken out again, so that no example sees its own label.
    """

    history: NDArray[np.int32]
    candidates: NDArray[np.int32]
    counted: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Affinity:
    """One view of the items: the code of each (its brand, its leaf category, itself), and how often codes go together.

    Behaviours at most `window` places apart count `decay` ** (distance - 1), in both directions.
    """

    name: str
    code: Codes  # [items]
    window: int
    decay: float
    behaviours: Floats  # [codes]
    marginal: Floats  # [codes]: the sum of each row of counts
    pairs: Codes  # sorted keys: code * codes + code; none where `counts` is a matrix
    counts: Floats  # [pairs], or [codes, codes]

    @classmethod
    def count(cls, name: str, code: Codes, seen: "Sequences", window: int = 3, decay: float = 0.7) -> Self:
        """Count one view of the behaviours seen."""
        codes, row = int(code.max(initial=0)) + 1, code[seen.item]
        user = np.repeat(np.arange(len(seen.users)), np.diff(seen.offsets))
        keys, weights = [], []
        for distance in range(1, window + 1):
            near = user[distance:] == user[:-distance]
            first, second = row[:-distance][near], row[distance:][near]
            keys += [first * codes + second, second * codes + first]
            weights += [np.full(2 * len(first), decay ** (distance - 1))]
        pairs, place = np.unique(np.concatenate(keys), return_inverse=True)
        counts = np.bincount(place, np.concatenate(weights), minlength=len(pairs)).astype(np.float32)
        marginal = np.bincount(pairs // codes, counts, minlength=codes).astype(np.float32)
        behaviours = np.bincount(row, minlength=codes).astype(np.float32)
        if codes <= DENSE_CODES:
            matrix = np.zeros(codes * codes, dtype=np.float32)
            matrix[pairs] = counts
            pairs, counts = pairs[:0], matrix.reshape(codes, codes)
        return cls(name, code, window, decay, behaviours, marginal, pairs, counts)

    def features(self, behind: Behind) -> Floats:
        """Return [examples, candidates, len(FEATURES)]: lifts weighed by recency, greatest, mean; sameness; popularity.

        A lift is log((together + 1/2) / (expected + 1/2)).
        """
        real: NDArray[np.bool_] = behind.history >= 0
        lift, same, alike = self.pairs_of(behind)
        recency = np.where(real, NEWEST_FIRST ** np.arange(real.shape[1]), 0).astype(np.float32)
        recency /= np.maximum(recency.sum(axis=1, keepdims=True), 1e-9)
        length = np.maximum(real.sum(axis=1), 1)[:, None]
        greatest = np.where(real[:, None, :], lift, -np.inf).max(axis=2, initial=-1e9)
        return np.stack(
            [
                np.einsum("ecj,ej->ec", lift, recency),
                np.where(real.any(axis=1, keepdims=True), greatest, 0),
                lift.sum(axis=2) / length,
                np.einsum("ecj,ej->ec", same, recency),
                np.log1p(self.behaviours[self.code[behind.candidates]] - alike),
            ],
            axis=2,
        ).astype(np.float32)

    def pairs_of(self, behind: Behind) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Return lift and sameness of each candidate and behaviour, [e, c, behaviours], 0 where there is none.

        And which candidates [e, c] are of the code that was counted with the example's label, and taken out.
        """
        real: NDArray[np.bool_] = behind.history >= 0
        past, offered = self.code[behind.history], self.code[behind.candidates]
        alike = self._alike(offered, behind.counted)
        together = self._together(past, offered)
        equal = np.equal(past[:, None, :], offered[:, :, None])
        if alike.any():
            together -= self._own_pairs(alike, equal)
        lift = self._lift(together, past, offered)
        lift *= real[:, None, :]
        return lift, (equal & real[:, None, :]).astype(np.float32), alike

    def _alike(self, offered: Codes, counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which candidates have the code of a first one that was counted: it is taken out of all of them."""
        alike: NDArray[np.bool_] = offered == offered[:, :1]
        alike[~counted] = False
        return alike

    def _own_pairs(self, alike: NDArray[np.bool_], equal: NDArray[np.bool_]) -> Floats:
        """Return what the counted examples themselves added to the counts, [examples, candidates, behaviours]."""
        distance = np.arange(equal.shape[2])
        own = np.where(distance < self.window, self.decay**distance, 0).astype(np.float32)
        return own * np.expand_dims(alike, 2) * np.where(equal, np.float32(2), np.float32(1))

    def _lift(self, together: Floats, past: Codes, offered: Codes) -> Floats:
        """Return the lifts [examples, candidates, behaviours] of how often codes go together."""
        part = self.marginal[offered] / np.float32(max(float(self.marginal.sum()), 1))
        expected = part[:, :, None] * self.marginal[past][:, None, :]
        lift = (np.maximum(together, 0) + np.float32(PRIOR)) / (expected + np.float32(PRIOR))
        return np.log(lift, out=lift)

    def _together(self, past: Codes, offered: Codes) -> Floats:
        """Return how often each candidate and behaviour go together, [examples, candidates, behaviours]."""
        if self.counts.ndim == 2:
            return self.counts[past[:, None, :], offered[:, :, None]]
        if len(past) == 1:
            first, last = np.searchsorted(self.pairs, past[0] * len(self.marginal) + [[0], [len(self.marginal)]])
            if (last - first).sum() <= ROWS_READ * past.size * offered.size:
                return self._read_rows(past[0], offered[0], first, last - first)[None]
        keys = past[:, None, :] * len(self.marginal) + offered[:, :, None]
        place = np.minimum(np.searchsorted(self.pairs, keys), len(self.pairs) - 1)
        return np.where(self.pairs[place] == keys, self.counts[place], np.float32(0))

    def _read_rows(self, past: Codes, offered: Codes, first: Codes, size: Codes) -> Floats:
        """Return the same of one example [candidates, behaviours], from all that goes with each behaviour."""
        wanted, place = np.unique(offered, return_inverse=True)
        column = np.full(len(self.marginal), -1)
        column[wanted] = np.arange(len(wanted))
        row = np.repeat(np.arange(len(past)), size)
        pair = np.arange(len(row)) + np.repeat(first - np.cumsum(size) + size, size)
        found = column[self.pairs[pair] - past[row] * len(self.marginal)]
        counts = np.zeros((len(wanted), len(past)), dtype=np.float32)
        known = found >= 0
        counts[found[known], row[known]] = self.counts[pair[known]]
        return counts[place]


def features_of(behind: Behind, views: Sequence[Affinity]) -> NDArray[np.float16]:
    """Return [examples, candidates, views * FEATURES], counted in chunks of histories of about equal length."""
    lengths = (behind.history >= 0).sum(axis=1)
    counted = np.empty((*behind.candidates.shape, len(views) * len(FEATURES)), dtype=np.float16)
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), CHUNK):
        rows = order[start : start + CHUNK]
        longest = max(1, int(lengths[rows].max()))
        part = Behind(behind.history[rows, :longest], behind.candidates[rows], behind.counted[rows])
        if views:
            counted[rows] = np.concatenate([view.features(part) for view in views], axis=2)
    return counted


def affinities(seen: "Sequences", known: "KnowledgeTable | None" = None, groups: Sequence[str] = ()) -> list[Affinity]:
    """Return the views that a ranker reads: the items near each other and anywhere in one history, then each group."""
    item = np.arange(len(seen.items), dtype=np.int64)
    views = [Affinity.count(ITEM, item, seen), Affinity.count(HISTORY, item, seen, window=20, decay=1.0)]
    if known is not None:
        views += [Affinity.count(group, codes_of(known, group), seen) for group in groups]
    return views


def codes_of(known: "KnowledgeTable", attribute: str) -> Codes:
    """Return a number for each item's surest value of an attribute; 0 where nothing is known."""
    places = [place for place, (name, _) in enumerate(known.features) if name == attribute]
    number = np.zeros(len(known.features), dtype=np.int64)
    number[places] = np.arange(1, len(places) + 1)
    row = np.repeat(np.arange(len(known.ids)), np.diff(known.offsets))
    order = np.lexsort((-known.feature, known.confidence))  # the surest last; of equals, the first
    order = order[number[known.feature[order]] > 0]
    code = np.zeros(len(known.ids), dtype=np.int64)
    code[row[order]] = number[known.feature[order]]
    return code


def clusters(vectors: Floats, count: int, *, rounds: int = 15, seed: int = 0) -> Codes:
    """Return the cluster of each item by spherical k-means of unit vectors: text as a view of what goes with what."""
    chance = np.random.default_rng(seed)
    centres = vectors[chance.choice(len(vectors), min(count, len(vectors)), replace=False)]
    for _ in range(rounds):
        near = np.argmax(vectors @ centres.T, axis=1)
        sums = np.zeros_like(centres)
        np.add.at(sums, near, vectors)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-12), centres)
    return np.asarray(np.argmax(vectors @ centres.T, axis=1), dtype=np.int64)
