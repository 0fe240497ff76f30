"""What is true of simulated shoppers and no shop knows: which categories they need, which of these the log hides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators.beyond_log.hiding import Behaviors, Categories, Hiding, Rows, hidden_elsewhere
from evaluators.beyond_log.metrics import defined_where, listed_categories
from evaluators.ranking.intervals import Totals
from evaluators.shoppers.simulation import ShopperTruth
from memory.errors import ReaseqError

Floats = NDArray[np.float64]

NEED_RECALL, NEED_PRECISION, NEEDS_MET = "recall by need", "precision of need", "hidden needs met"


class TruthUnfit(ReaseqError):
    """The truth tells of other categories than the items have."""


@dataclass(frozen=True, eq=False)
class Truth:
    """Of each scored shopper: how much each category is needed, which the log hides, and the needs that it hides."""

    need: Floats  # [users, categories]; a row adds up to 1
    hidden: NDArray[np.bool_]  # [users, categories]
    seen: NDArray[np.bool_]  # [users, categories]: of the visible history
    needs: tuple[tuple[Rows, ...], ...]  # of each user, hidden needs: the categories that meet each


def hidden_in_truth(
    log: Behaviors, items: Sequence[str], categories: Categories, truths: Sequence[ShopperTruth]
) -> Hiding:
    """Return what the log hides of its shoppers; raises `TruthUnfit`."""
    rows, place = {item: row for row, item in enumerate(items)}, _places(categories)
    hidden: dict[str, tuple[Rows, Rows]] = {}
    for told in truths:
        names = {*told.hidden_categories, *told.affinity}
        if unknown := sorted(names - place.keys()):
            raise TruthUnfit(f"the truth of {told.user} names the category {unknown[0]!r}, which no item has")
        own = np.array(sorted({rows[b.item] for b in told.hidden if b.item in rows}), dtype=np.int32)
        hidden[told.user] = own, np.array([place[name] for name in told.hidden_categories], dtype=np.int32)
    return hidden_elsewhere(log, hidden)


def truth_of(users: Sequence[str], hiding: Hiding, categories: Categories, truths: Sequence[ShopperTruth]) -> Truth:
    """Return the truth of the scored users."""
    told, place = {one.user: one for one in truths}, _places(categories)
    shape = len(hiding), len(categories.names)
    need, hidden, seen = np.zeros(shape), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    needs = []
    for row, (user, history) in enumerate(zip(hiding.user, hiding.histories, strict=True)):
        own = told[users[user]]
        need[row, [place[name] for name in own.affinity]] = list(own.affinity.values())
        hidden[row, hiding.categories[row]] = True
        seen[row, categories.of_items(history)] = True
        needs.append(tuple(_met_by(one.categories, place) for one in own.needs if one.hidden))
    return Truth(need, hidden, seen, tuple(needs))


def truth_metrics(lists: Rows, truth: Truth, categories: Categories, cuts: Sequence[int]) -> dict[str, Totals]:
    """Return what only the truth can tell of lists [users, items], at each cut.

    "recall by need": hidden categories that are found, weighted by how much the shopper needs them. "precision of
    need": share of the listed items whose category the shopper needs and the log does not show. "hidden needs met":
    share of the needs of which the log shows nothing that some listed category meets.
    """
    found: dict[str, Totals] = {}
    for cut in cuts:
        own = listed_categories(lists[:, :cut], categories)
        found[f"{NEED_RECALL}@{cut}"] = _need_recall(own, truth)
        found[f"{NEED_PRECISION}@{cut}"] = _need_precision(lists[:, :cut], truth, categories)
        found[f"{NEEDS_MET}@{cut}"] = _needs_met(own, truth)
    return found


def _need_recall(listed: NDArray[np.bool_], truth: Truth) -> Totals:
    wanted = np.where(truth.hidden, truth.need, 0)
    whole = wanted.sum(axis=1)
    part = np.where(listed, wanted, 0).sum(axis=1)
    return defined_where(whole > 0, np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _need_precision(lists: Rows, truth: Truth, categories: Categories) -> Totals:
    right = np.pad((truth.need > 0) & ~truth.seen, ((0, 0), (0, 1)))  # the last column is of unknown categories
    of_place = np.where(lists >= 0, categories.of_item[lists], -1)
    hit = np.take_along_axis(right, np.where(of_place < 0, right.shape[1] - 1, of_place), axis=1)
    return defined_where(np.ones(len(lists), np.bool_), hit.sum(axis=1) / max(1, lists.shape[1]))


def _needs_met(listed: NDArray[np.bool_], truth: Truth) -> Totals:
    met = [[own[need].any() for need in needs] for own, needs in zip(listed, truth.needs, strict=True)]
    part = np.array([np.mean(own) if own else 0.0 for own in met])
    return defined_where(np.array([bool(own) for own in met]), part)


def _met_by(categories: Mapping[str, float], place: Mapping[str, int]) -> Rows:
    return np.array([place[name] for name in categories if name in place], dtype=np.int32)


def _places(categories: Categories) -> dict[str, int]:
    return {name: row for row, name in enumerate(categories.names)}
