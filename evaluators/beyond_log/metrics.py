"""How much of what is hidden a list finds: items, leaf categories, what means nearly the same; and what is new."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators.beyond_log.hiding import Categories, Hiding, Rows
from evaluators.beyond_log.nearness import Matrix, Nearness, consistency, near_share
from evaluators.ranking.intervals import Totals

Floats = NDArray[np.float64]

CUTS = (10, 20)
CATEGORY_RECALL, RECALL, NDCG = "category recall", "recall", "NDCG"
SEMANTIC_RECALL, NOVELTY, CONSISTENCY = "semantic recall", "novelty", "consistency"
DEMANDS = "demand agreement"
FOUND = (CATEGORY_RECALL, RECALL, NDCG, SEMANTIC_RECALL, CONSISTENCY, DEMANDS)  # of which more is a gain


@dataclass(frozen=True, eq=False)
class Gold:
    """What lists are held against: what is hidden, and what is known of meaning, where anything is."""

    hiding: Hiding
    categories: Categories
    near: Nearness | None = None
    demands: tuple[Matrix, ...] | None = None  # of each scored user: vectors of what was wanted, in people's own words


def list_metrics(lists: Rows, gold: Gold, cuts: Sequence[int] = CUTS) -> dict[str, Totals]:
    """Return the totals of each metric at each cut, such as "category recall@10"; `lists` are [users, items].

    A user adds 1 to the whole of a metric or, where it is not defined for him, nothing, whatever a list holds.
    """
    found: dict[str, Totals] = {}
    for cut in cuts:
        for name, of in _metrics(lists[:, :cut], gold, cut).items():
            found[f"{name}@{cut}"] = of
    return found


def hits(lists: Rows, hidden: Sequence[Rows]) -> NDArray[np.bool_]:
    """Return which places of lists [users, k] hold a hidden item."""
    found = np.zeros(lists.shape, dtype=np.bool_)
    for user, (row, own) in enumerate(zip(lists, hidden, strict=True)):
        found[user] = np.isin(row, own)
    return found


def category_hits(lists: Rows, categories: Categories, wanted: Sequence[Rows]) -> Floats:
    """Return for each user how many of some categories a list holds an item of."""
    pairs = zip(lists, wanted, strict=True)
    return np.array([np.isin(own, categories.of_items(row)).sum() for row, own in pairs], dtype=float)


def _metrics(lists: Rows, gold: Gold, cut: int) -> dict[str, Totals]:
    hiding, categories = gold.hiding, gold.categories
    hidden = np.array([len(own) for own in hiding.items], dtype=float)
    gone = np.array([len(own) for own in hiding.categories], dtype=float)
    found = hits(lists, hiding.items)
    metrics = {
        CATEGORY_RECALL: _means(category_hits(lists, categories, hiding.categories) / gone),
        RECALL: defined_where(hidden > 0, found.sum(axis=1) / np.maximum(hidden, 1)),
        NDCG: defined_where(hidden > 0, _ndcg(found, hidden, cut)),
        NOVELTY: _means(_novelty(lists, hiding, categories)),
    }
    if gold.near is not None:
        own = [gold.near.vectors[items] for items in hiding.items]
        metrics[SEMANTIC_RECALL] = defined_where(hidden > 0, near_share(gold.near, lists, hiding.items))
        metrics[CONSISTENCY] = defined_where(hidden > 0, consistency(gold.near.vectors, lists, own))
        if gold.demands is not None:
            stated = np.array([len(vectors) > 0 for vectors in gold.demands])
            metrics[DEMANDS] = defined_where(stated, consistency(gold.near.vectors, lists, gold.demands))
    return {name: metrics[name] for name in (*FOUND, NOVELTY) if name in metrics}


def _ndcg(found: NDArray[np.bool_], hidden: Floats, cut: int) -> Floats:
    discounts = 1 / np.log2(np.arange(2, cut + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(hidden, cut).astype(int)]
    gained: Floats = (found * discounts[: found.shape[1]]).sum(axis=1)
    shares: Floats = gained / np.maximum(ideal, 1e-12)
    return shares


def _novelty(lists: Rows, hiding: Hiding, categories: Categories) -> Floats:
    """Return the share of a list's categories that the visible history lacks; 0 for a list without any."""
    found = np.zeros(len(lists))
    for user, (row, history) in enumerate(zip(lists, hiding.histories, strict=True)):
        listed = categories.of_items(row)
        if listed.size:
            found[user] = 1 - np.isin(listed, categories.of_items(history)).mean()
    return found


def _means(values: Floats) -> Totals:
    return Totals(values, np.ones(len(values)))


def defined_where(defined: NDArray[np.bool_], values: Floats) -> Totals:
    """Return the totals of a mean over the users for whom a metric is defined."""
    return Totals(np.where(defined, values, 0.0), defined.astype(float))
