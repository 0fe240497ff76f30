"""How high the true next item stands: HR@K, NDCG@K and MRR of each event, from the rank of its one true item."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

CUTS = (5, 10, 20)


class Ties(StrEnum):
    """What other items of the same score do to the rank of the true one."""

    PESSIMISTIC = "pessimistic"  # all of them stand before it: a model that scores all alike finds nothing
    MEAN = "mean"  # half of them do: the rank that chance gives on average, a half where their number is odd


def ranks(scores: ArrayLike, true_items: ArrayLike, *, ties: Ties = Ties.PESSIMISTIC) -> Floats:
    """Return the rank of each event's true item, 1 the highest, from the scores of all items [events, items].

    What is left out of a ranking has the score -inf; a true item that is left out itself has the rank 0, which all
    metrics count as not found. Raises ValueError for a NaN: it would stand behind everything unseen.
    """
    table, true = np.asarray(scores), np.asarray(true_items)
    if np.isnan(table).any():
        raise ValueError("a score is NaN")
    own = np.take_along_axis(table, true[:, None], axis=1)
    better = (table > own).sum(axis=1)
    equal = (table == own).sum(axis=1) - 1
    found = 1 + better + equal * (1.0 if ties is Ties.PESSIMISTIC else 0.5)
    return np.where(np.isneginf(own[:, 0]), 0.0, found)


def hits(ranks: ArrayLike, k: int) -> Floats:
    """Return HR@K of each event: 1 where the true item is among the first k, else 0."""
    found = _checked(ranks)
    return ((found > 0) & (found <= k)).astype(float)


def gains(ranks: ArrayLike, k: int) -> Floats:
    """Return NDCG@K of each event: 1 / log2(1 + rank) among the first k, else 0; one true item, so the ideal is 1."""
    found = _checked(ranks)
    discounted: Floats = hits(found, k) / np.log2(1 + np.maximum(found, 1))
    return discounted


def reciprocals(ranks: ArrayLike) -> Floats:
    """Return the reciprocal rank of each event over the whole ranking, 0 where it is not in it; MRR is their mean."""
    found = _checked(ranks)
    return np.where(found > 0, 1 / np.maximum(found, 1), 0.0)


def event_scores(ranks: ArrayLike, cuts: Sequence[int] = CUTS) -> dict[str, Floats]:
    """Return each metric's value at each event: "HR@5" …, "NDCG@5" …, "MRR"."""
    found = _checked(ranks)
    scores = {f"HR@{k}": hits(found, k) for k in cuts} | {f"NDCG@{k}": gains(found, k) for k in cuts}
    return scores | {"MRR": reciprocals(found)}


def _checked(ranks: ArrayLike) -> Floats:
    found = np.asarray(ranks, dtype=float)
    wrong = found[~((found == 0) | (found >= 1))]
    if wrong.size:
        raise ValueError(f"{wrong[0]} is no rank: ranks begin with 1, and 0 is for what is not in the ranking")
    return found
