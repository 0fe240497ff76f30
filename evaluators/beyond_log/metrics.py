"""How much of what is hidden a list finds: items, leaf categories, what means nearly the same; and what is new."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluators.beyond_log.hiding import UNKNOWN, Categories, Hiding, Rows
from evaluators.beyond_log.nearness import Golden, Matrix, Nearness, consistency, cosines_to, near_share
from evaluators.ranking.intervals import Totals

Floats = NDArray[np.float64]

CUTS = (10, 20)
CATEGORY_RECALL, RECALL, NDCG = "category recall", "recall", "NDCG"
SEMANTIC_RECALL, NOVELTY, CONSISTENCY = "semantic recall", "novelty", "consistency"
DEMANDS = "demand agreement"
FOUND = (CATEGORY_RECALL, RECALL, NDCG, SEMANTIC_RECALL, CONSISTENCY, DEMANDS)  # of which more is a gain


class Demands(NamedTuple):
    """What people said they wanted: vectors of their own words, and which of them are each scored user's."""

    vectors: Matrix
    of_user: tuple[Rows, ...]


@dataclass(frozen=True, eq=False)
class Gold:
    """What lists are held against: what is hidden, and what is known of meaning, where anything is."""

    hiding: Hiding
    categories: Categories
    near: Nearness | None = None
    demands: Demands | None = None

    @cached_property
    def hidden(self) -> NDArray[np.bool_]:
        """Which categories are hidden of each user, [users, categories]."""
        return _marked(self.hiding.categories, len(self.categories.names))

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Which categories each user's visible history has, [users, categories]."""
        own = [self.categories.of_items(history) for history in self.hiding.histories]
        return _marked(own, len(self.categories.names))

    @cached_property
    def counts(self) -> Floats:
        """How many items are hidden of each user."""
        return np.array([len(own) for own in self.hiding.items], dtype=float)

    @cached_property
    def meanings(self) -> Golden:
        """The vectors of the hidden items."""
        assert self.near is not None  # noqa: S101 - asked for only then
        return Golden.of(self.hiding.items, self.near.vectors, self.near.vectors)

    @cached_property
    def wishes(self) -> Golden:
        """The vectors of the demands."""
        assert self.near is not None  # noqa: S101 - asked for only then
        assert self.demands is not None  # noqa: S101
        return Golden.of(self.demands.of_user, self.demands.vectors, self.near.vectors)


def list_metrics(lists: Rows, gold: Gold, cuts: Sequence[int] = CUTS) -> dict[str, Totals]:
    """Return the totals of each metric at each cut, such as "category recall@10"; `lists` are [users, items].

    A user adds 1 to the whole of a metric or, where it is not defined for him, nothing, whatever a list holds.
    """
    found = hits(lists, gold.hiding.items)
    by_name: dict[str, list[Totals]] = defaultdict(list)
    for cut in cuts:
        listed = listed_categories(lists[:, :cut], gold.categories)
        defined, hidden = gold.counts > 0, np.maximum(gold.counts, 1)
        of_hidden = (listed & gold.hidden).sum(axis=1) / gold.hidden.sum(axis=1)
        by_name[CATEGORY_RECALL].append(_means(of_hidden))
        by_name[RECALL].append(defined_where(defined, found[:, :cut].sum(axis=1) / hidden))
        by_name[NDCG].append(defined_where(defined, _ndcg(found[:, :cut], gold.counts, cut)))
        new = (listed & ~gold.seen).sum(axis=1) / np.maximum(listed.sum(axis=1), 1)
        by_name[NOVELTY].append(_means(new))
    by_name |= _by_meaning(lists, gold, cuts)
    names = [name for name in (*FOUND, NOVELTY) if name in by_name]
    return {f"{name}@{cut}": by_name[name][place] for place, cut in enumerate(cuts) for name in names}


def hits(lists: Rows, hidden: Sequence[Rows]) -> NDArray[np.bool_]:
    """Return which places of lists [users, k] hold a hidden item."""
    most = 1 + max((int(own.max(initial=0)) for own in (*hidden, lists)), default=0)
    keys = [user * most + own.astype(np.int64) for user, own in enumerate(hidden)]
    asked = np.arange(len(lists))[:, None] * most + lists
    found: NDArray[np.bool_] = np.isin(asked, np.concatenate([*keys, np.zeros(0, np.int64)])) & (lists >= 0)
    return found


def listed_categories(lists: Rows, categories: Categories) -> NDArray[np.bool_]:
    """Return which categories lists hold an item of, [users, categories]."""
    place = np.where(lists >= 0, categories.of_item[lists], UNKNOWN)
    marked = np.zeros((len(lists), len(categories.names) + 1), dtype=np.bool_)
    np.put_along_axis(marked, np.where(place == UNKNOWN, len(categories.names), place), True, axis=1)
    return marked[:, :-1]


def defined_where(defined: NDArray[np.bool_], values: Floats) -> Totals:
    """Return the totals of a mean over the users for whom a metric is defined."""
    return Totals(np.where(defined, values, 0.0), defined.astype(float))


def _by_meaning(lists: Rows, gold: Gold, cuts: Sequence[int]) -> dict[str, list[Totals]]:
    if gold.near is None:
        return {}
    vectors, defined = gold.near.vectors, gold.counts > 0
    cosines = cosines_to(gold.meanings, vectors, lists)
    shares = [near_share(cosines[:, :cut], gold.meanings, gold.near.threshold) for cut in cuts]
    like = consistency(gold.meanings, vectors, lists, cuts)
    found = {
        SEMANTIC_RECALL: [defined_where(defined, of) for of in shares],
        CONSISTENCY: [defined_where(defined, of) for of in like],
    }
    if gold.demands is not None:
        stated = np.array([len(own) > 0 for own in gold.demands.of_user])
        found[DEMANDS] = [defined_where(stated, of) for of in consistency(gold.wishes, vectors, lists, cuts)]
    return found


def _ndcg(found: NDArray[np.bool_], hidden: Floats, cut: int) -> Floats:
    discounts = 1 / np.log2(np.arange(2, cut + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discounts)])[np.minimum(hidden, cut).astype(int)]
    gained: Floats = (found * discounts[: found.shape[1]]).sum(axis=1)
    shares: Floats = gained / np.maximum(ideal, 1e-12)
    return shares


def _marked(places: Sequence[Rows], width: int) -> NDArray[np.bool_]:
    marked = np.zeros((len(places), width), dtype=np.bool_)
    for row, own in enumerate(places):
        marked[row, own] = True
    return marked


def _means(values: Floats) -> Totals:
    return Totals(values, np.ones(len(values)))
