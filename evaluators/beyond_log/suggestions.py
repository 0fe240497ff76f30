"""What a system suggests to each user, under three rules of what may be on the list."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from evaluators.beyond_log.hiding import UNKNOWN, Categories, Hiding, Rows

Scores = NDArray[np.floating[Any]]
Suggested = tuple[Rows, NDArray[np.float32]]  # items [users, k], -1 where there are fewer; how sure, 0 there

DEPTH = 1000  # of the lists that rules choose from
AT_ONCE = 256  # users asked about together
NONE = -1
_LITTLE = 1e-6  # of an item's own score, so that a category's items keep their order


class Rule(StrEnum):
    """What may be on a list. Hidden categories are never visible ones, so that to bar these is free for anybody."""

    ANY = "any"
    NEW = "new"
    SPREAD = "one each"

    @property
    def meaning(self) -> str:
        """The rule in words."""
        return _MEANINGS[self]


_MEANINGS = {
    Rule.ANY: "items of any category",
    Rule.NEW: "items of categories that the visible history lacks",
    Rule.SPREAD: "one item of each category that the visible history lacks",
}


class Suggest(Protocol):
    """A system: the best k items for each history that are not in it, and how sure it is."""

    def __call__(self, histories: Sequence[Rows], k: int, exclude: NDArray[np.bool_] | None = None) -> Suggested:
        """Return items [users, k] and confidences; `exclude` [users, items] bars items."""


@dataclass(frozen=True, eq=False)
class Lists:
    """One system's lists of a user each, [users, k], best first, -1 where there are fewer; `deep` is any category."""

    by_rule: Mapping[Rule, Rows]
    deep: Rows  # [users, depth]


def suggested(suggest: Suggest, hiding: Hiding, categories: Categories, k: int) -> Lists:
    """Ask a system for its lists under each rule: it is told what is barred, and may fill its list with the rest."""
    items, found = len(categories.of_item), []
    for histories in _batches(hiding.histories):
        deep = suggest(histories, min(DEPTH, items))[0]
        barred = np.stack([visible_items(categories, history) for history in histories])
        found.append(_ruled(deep, suggest(histories, items, barred)[0], barred, categories, k))
    return _joined(found)


def listed(deep: Rows, hiding: Hiding, categories: Categories, k: int) -> Lists:
    """Return lists under each rule of a list that is as long as it is: what a rule bars is left out."""
    barred = np.stack([visible_items(categories, history) for history in hiding.histories])
    return _ruled(deep, deep, barred, categories, k)


def best(scores: Scores, k: int, exclude: NDArray[np.bool_] | None = None) -> Suggested:
    """Return the k best of scores [users, items] that are finite and not barred; of equals, the first row."""
    allowed = np.isfinite(scores) if exclude is None else np.isfinite(scores) & ~exclude
    scores = np.where(allowed, scores, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k].astype(np.int32)
    found = np.take_along_axis(scores, order, axis=1).astype(np.float32)
    left = np.isfinite(found)
    return np.where(left, order, NONE).astype(np.int32), np.where(left, found, 0).astype(np.float32)


def by_category(suggest: Suggest, categories: Categories) -> Suggest:
    """Return a system that adds up how sure another one is of a category's items: the best category comes first.

    One that spreads its belief over many items of a category seldom has any of them far up its own list.
    """

    def found(histories: Sequence[Rows], k: int, exclude: NDArray[np.bool_] | None = None) -> Suggested:
        rows, sure = suggest(histories, len(categories.of_item), exclude)
        place = np.where(rows >= 0, categories.of_item[rows], UNKNOWN)
        mass = np.zeros((len(rows), len(categories.names) + 1))
        np.add.at(mass, (np.arange(len(rows))[:, None], place), np.where(place == UNKNOWN, 0, sure))
        scores = np.full((len(rows), len(categories.of_item)), -np.inf)
        believed = np.take_along_axis(mass, place % mass.shape[1], axis=1) + _LITTLE * sure
        for row, (listed, own) in enumerate(zip(rows, believed, strict=True)):
            scores[row, listed[listed >= 0]] = own[listed >= 0]
        return best(scores, k)

    return found


def visible_items(categories: Categories, history: Rows) -> NDArray[np.bool_]:
    """Return which items lie in a category of the history or in none that is known: no hidden item does."""
    barred = np.zeros(len(categories.names) + 1, dtype=np.bool_)
    barred[categories.of_items(history)] = True
    barred[UNKNOWN] = True  # the last one
    return barred[categories.of_item]


def of_another(deep: Rows, seed: int = 0) -> Rows:
    """Return each user's list as if it were another one's: users in a circle whose order is drawn."""
    return deep[others(len(deep), 1, seed)[0]] if len(deep) > 1 else np.full_like(deep, NONE)


def others(users: int, rounds: int, seed: int = 0) -> NDArray[np.int64]:
    """Return `rounds` other users for each user, [rounds, users]; fewer rounds where there are not as many others."""
    circle = np.random.default_rng(seed).permutation(users)
    place = np.argsort(circle)
    steps = range(1, min(rounds, users - 1) + 1)
    return np.array([circle[(place + step) % users] for step in steps], dtype=np.int64).reshape(-1, users)


def _ruled(deep: Rows, new: Rows, barred: NDArray[np.bool_], categories: Categories, k: int) -> Lists:
    kept, spread = [], []
    for row, own_barred in zip(new, barred, strict=True):
        own = row[row >= 0]
        own = own[~own_barred[own]]
        first = np.full(len(categories.names) + 1, len(own))
        first[categories.of_item[own[::-1]]] = np.arange(len(own))[::-1]  # the last one written is the first of each
        kept.append(own)
        spread.append(own[np.sort(first[first < len(own)])[:k]])
    deep = _filled(deep, max(k, min(DEPTH, deep.shape[1])))
    return Lists({Rule.ANY: deep[:, :k], Rule.NEW: _table(kept, k), Rule.SPREAD: _table(spread, k)}, deep)


def _joined(parts: Sequence[Lists]) -> Lists:
    by_rule = {rule: np.concatenate([part.by_rule[rule] for part in parts]) for rule in Rule}
    return Lists(by_rule, np.concatenate([part.deep for part in parts]))


def _table(rows: Sequence[Rows], k: int) -> Rows:
    table = np.full((len(rows), k), NONE, dtype=np.int32)
    for place, row in enumerate(rows):
        table[place, : len(row)] = row[:k]
    return table


def _filled(rows: Rows, k: int) -> Rows:
    """Return the first k columns; where there are fewer, nothing is in the rest."""
    missing = k - rows.shape[1]
    return rows[:, :k] if missing <= 0 else np.pad(rows, ((0, 0), (0, missing)), constant_values=NONE)


def _batches(histories: Sequence[Rows]) -> Iterator[Sequence[Rows]]:
    for start in range(0, len(histories), AT_ONCE):
        yield histories[start : start + AT_ONCE]
