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


class Rule(StrEnum):
    """What may be on a list. Hidden categories are never visible ones, so that to bar these is free for anybody."""

    ANY = "any category"
    NEW = "new categories"
    SPREAD = "new categories, one item each"


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
    depth = min(DEPTH, len(categories.of_item))
    deep, new = [], []
    for histories in _batches(hiding.histories):
        deep.append(_filled(suggest(histories, depth)[0], depth))
        barred = np.stack([visible_items(categories, history) for history in histories])
        new.append(_filled(suggest(histories, depth, barred)[0], depth))
    return _ruled(np.concatenate(deep), np.concatenate(new), hiding, categories, k)


def listed(deep: Rows, hiding: Hiding, categories: Categories, k: int) -> Lists:
    """Return lists under each rule of a list that is as long as it is: what a rule bars is left out."""
    return _ruled(deep, deep, hiding, categories, k)


def best(scores: Scores, k: int, exclude: NDArray[np.bool_] | None = None) -> Suggested:
    """Return the k best of scores [users, items] that are finite and not barred; of equals, the first row."""
    allowed = np.isfinite(scores) if exclude is None else np.isfinite(scores) & ~exclude
    scores = np.where(allowed, scores, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k].astype(np.int32)
    found = np.take_along_axis(scores, order, axis=1).astype(np.float32)
    left = np.isfinite(found)
    return np.where(left, order, NONE).astype(np.int32), np.where(left, found, 0).astype(np.float32)


def visible_items(categories: Categories, history: Rows) -> NDArray[np.bool_]:
    """Return which items lie in a category of the history or in none that is known: no hidden item does."""
    barred: NDArray[np.bool_] = np.isin(categories.of_item, [*categories.of_items(history), UNKNOWN])
    return barred


def of_another(deep: Rows, seed: int = 0) -> Rows:
    """Return each user's list as if it were another one's: users in a circle whose order is drawn."""
    return deep[others(len(deep), 1, seed)[0]] if len(deep) > 1 else np.full_like(deep, NONE)


def others(users: int, rounds: int, seed: int = 0) -> NDArray[np.int64]:
    """Return `rounds` other users for each user, [rounds, users]; fewer rounds where there are not as many others."""
    circle = np.random.default_rng(seed).permutation(users)
    place = np.argsort(circle)
    steps = range(1, min(rounds, users - 1) + 1)
    return np.array([circle[(place + step) % users] for step in steps], dtype=np.int64).reshape(-1, users)


def _ruled(deep: Rows, new: Rows, hiding: Hiding, categories: Categories, k: int) -> Lists:
    kept, spread = [], []
    for row, history in zip(new, hiding.histories, strict=True):
        own = row[row >= 0]
        own = own[~visible_items(categories, history)[own]]
        first = np.unique(categories.of_item[own], return_index=True)[1]
        kept.append(own)
        spread.append(own[np.sort(first)])
    return Lists({Rule.ANY: _filled(deep, k), Rule.NEW: _table(kept, k), Rule.SPREAD: _table(spread, k)}, deep)


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
