"""What a model must beat: popularity, items and categories that go together, and more of what the user has already."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from evaluators.beyond_log.hiding import UNKNOWN, Behaviors, Categories, Rows
from evaluators.beyond_log.suggestions import NONE, Scores, Suggest, Suggested, best

Matrix = NDArray[np.float32]
ScoresOf = Callable[[Sequence[Rows]], Scores]  # -> [histories, items]

LONGEST = 200  # of a history, its newest items: pairs grow with the square of it
TEXT = 0.5  # what the cosine of text weighs beside the share of co-occurrence
RIDGE = 0.02  # of the number of users; EASE shrinks by it
_LITTLE = 1e-6  # of popularity in each score, so that ties, and those nobody knows, fall back on it


@dataclass(frozen=True, eq=False)
class Counts:
    """What a visible log says: who has what, as lists of distinct items, and how many users have each item."""

    histories: tuple[Rows, ...]
    popularity: NDArray[np.float64]  # users of each item, over those of the most popular one

    @classmethod
    def of(cls, log: Behaviors, items: int) -> Self:
        """Count a log over so many items."""
        spans = zip(log.offsets[:-1], log.offsets[1:], strict=True)
        histories = tuple(_distinct(log.item[start:end]) for start, end in spans)
        users = np.bincount(np.concatenate([*histories, np.zeros(0, np.int32)]).astype(np.int64), minlength=items)
        return cls(histories, users / max(1, users.max(initial=0)))


def controls(log: Behaviors, categories: Categories, vectors: Matrix | None = None) -> dict[str, Suggest]:
    """Return the controls by name, fitted on a visible log; `vectors` are the items' texts, of length 1 or 0."""
    counts = Counts.of(log, len(categories.of_item))
    near = _neighbours(counts)
    scores: dict[str, ScoresOf] = {
        "popularity": lambda histories: np.zeros((len(histories), len(counts.popularity)), np.float32),
        "top categories": _popular_categories(counts, categories),
        "item-CF": near,
        **_category_controls(counts, categories),
        "more of the same": _same_again(categories),
    }
    if vectors is not None and vectors.any():
        scores["text cosine"] = _text(vectors)
        scores["item-CF + text"] = _summed(near, scores["text cosine"])
        scores["EASE + text"] = _summed(_shared(scores["EASE"]), scores["text cosine"])
    found: dict[str, Suggest] = {name: suggest_by(of, counts.popularity) for name, of in scores.items()}
    return found | {"own history": _history_itself}


def suggest_by(scores: ScoresOf, popularity: NDArray[np.float64] | None = None) -> Suggest:
    """Return a system that suggests what scores highest and is not in the history; ties go by popularity."""

    def suggest(histories: Sequence[Rows], k: int, exclude: NDArray[np.bool_] | None = None) -> Suggested:
        table = scores(histories).astype(np.float64)
        if popularity is not None:
            table += _LITTLE * popularity
        for row, history in enumerate(histories):
            table[row, history] = -np.inf
        return best(table, k, exclude)

    return suggest


def _history_itself(histories: Sequence[Rows], k: int, exclude: NDArray[np.bool_] | None = None) -> Suggested:
    found = np.full((len(histories), k), NONE, dtype=np.int32)
    for row, history in enumerate(histories):
        own = _distinct(history)[::-1]
        own = own if exclude is None else own[~exclude[row, own]]
        found[row, : len(own)] = own[:k]
    return found, (found >= 0).astype(np.float32)


def _neighbours(counts: Counts) -> ScoresOf:
    """Return the summed cosines of items by the users that have both, normalised by the best one."""
    items = len(counts.popularity)
    own = [history[-LONGEST:].astype(np.int64) for history in counts.histories]
    keys = [np.repeat(rows, len(rows)) * items + np.tile(rows, len(rows)) for rows in own]
    pair, together = np.unique(np.concatenate([*keys, np.zeros(0, np.int64)]), return_counts=True)
    left, right = pair // max(items, 1), pair % max(items, 1)
    times = np.bincount(left[left == right], together[left == right], items)
    apart = left != right
    left, right, cosine = left[apart], right[apart], together[apart] / np.sqrt(times[left] * times[right])[apart]
    starts = np.searchsorted(left, np.arange(items + 1))

    def scores(histories: Sequence[Rows]) -> Scores:
        table = np.zeros((len(histories), items), dtype=np.float32)
        for row, history in enumerate(histories):
            for item in _distinct(history):
                span = slice(starts[item], starts[item + 1])
                table[row, right[span]] += cosine[span]
        return _shares(table)

    return scores


def _category_controls(counts: Counts, categories: Categories) -> dict[str, ScoresOf]:
    """Return items of the categories that go with the user's: by cosine of their users, and by EASE (Steck 2019).

    Both put the best category first, with its items by popularity; "mix" gives each category a share of the list.
    """
    has = _incidence(counts.histories, categories)
    both = has.T @ has
    lengths = np.sqrt(np.maximum(np.diag(both), 1))
    cosine = both / np.outer(lengths, lengths)
    np.fill_diagonal(cosine, 0)
    inverse = np.linalg.inv(both + max(1.0, RIDGE * len(has)) * np.eye(len(both)))
    ease = -inverse / np.diag(inverse)
    np.fill_diagonal(ease, 0)
    within = _within(counts.popularity, categories)

    def by(weights: NDArray[np.float64], shared: bool) -> ScoresOf:
        def scores(histories: Sequence[Rows]) -> Scores:
            wanted = _of_items(_incidence(histories, categories) @ weights, categories)
            return (np.maximum(wanted, 0) * within if shared else wanted + 1e-3 * within).astype(np.float32)

        return scores

    return {
        "category-CF": by(cosine, shared=False),
        "category-CF mix": by(cosine, shared=True),
        "EASE": by(ease, shared=False),
        "EASE mix": by(ease, shared=True),
    }


def _popular_categories(counts: Counts, categories: Categories) -> ScoresOf:
    has = _incidence(counts.histories, categories).mean(axis=0) if counts.histories else np.zeros(1)
    row = (_of_items(has[None], categories) + 1e-3 * _within(counts.popularity, categories)).astype(np.float32)
    return lambda histories: np.repeat(row, len(histories), axis=0)


def _same_again(categories: Categories) -> ScoresOf:
    """Return each item's category's share of the history: new items of what the user has already."""

    def scores(histories: Sequence[Rows]) -> Scores:
        counted = np.zeros((len(histories), len(categories.names)))
        for row, history in enumerate(histories):
            known = categories.of_item[history]
            np.add.at(counted[row], known[known != UNKNOWN], 1 / len(history))
        return _of_items(counted, categories).astype(np.float32)

    return scores


def _text(vectors: Matrix) -> ScoresOf:
    """Return the cosine with the mean of the history's vectors, all vectors centred."""
    known = np.flatnonzero(vectors.any(axis=1))
    centred = np.zeros_like(vectors)
    centred[known] = vectors[known] - vectors[known].mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)

    def scores(histories: Sequence[Rows]) -> Scores:
        profile = np.stack([unit[history].mean(axis=0) for history in histories])
        profile /= np.maximum(np.linalg.norm(profile, axis=1, keepdims=True), 1e-12)
        return np.asarray(profile @ unit.T, dtype=np.float32)

    return scores


def _summed(near: ScoresOf, text: ScoresOf) -> ScoresOf:
    return lambda histories: near(histories) + np.float32(TEXT) * np.maximum(text(histories), 0)


def _shared(scores: ScoresOf) -> ScoresOf:
    return lambda histories: _shares(np.maximum(scores(histories), 0))


def _incidence(histories: Sequence[Rows], categories: Categories) -> NDArray[np.float64]:
    has = np.zeros((len(histories), len(categories.names)))
    for row, history in enumerate(histories):
        has[row, categories.of_items(history)] = 1
    return has


def _of_items(by_category: NDArray[np.float64], categories: Categories) -> NDArray[np.float64]:
    """Return [users, items] of [users, categories]; an item of unknown category has 0."""
    padded = np.pad(by_category, ((0, 0), (0, 1)))
    return padded[:, categories.of_item]  # UNKNOWN is the last column


def _within(popularity: NDArray[np.float64], categories: Categories) -> NDArray[np.float64]:
    """Return each item's share of its category's popularity."""
    of_item = np.where(categories.of_item == UNKNOWN, len(categories.names), categories.of_item)
    whole = np.bincount(of_item, popularity, len(categories.names) + 1)
    share: NDArray[np.float64] = popularity / np.maximum(whole[of_item], 1e-12)
    return share


def _shares(table: Scores) -> Scores:
    shares: Scores = table / np.maximum(table.max(axis=1, keepdims=True), np.float32(1e-9))
    return shares


def _distinct(history: Rows) -> Rows:
    """Return each item once, in the order in which it came last."""
    last = len(history) - 1 - np.unique(history[::-1], return_index=True)[1]
    return history[np.sort(last)]
