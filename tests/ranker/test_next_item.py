"""The ranker of the whole catalog: what it counts, what it knows of items without behaviours, what it must not see."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from learning.counting import Log, drift, histories_of, lift, neighbours, recency, transitions
from ranker.config import NextItemConfig
from ranker.fusion import lessons
from ranker.next_item import NextItemRanker
from ranker.similarity import Similarity
from tests.ranker.behaviour_logs import Behaviours, behaviours

torch.set_num_threads(1)
KINDS = ("nail polish", "face cream", "hair oil", "lip stick")
PER_KIND = 15
TITLES = tuple(f"{kind} number{number}" for kind in KINDS for number in range(PER_KIND))


@dataclass(frozen=True)
class Facts:
    titles: tuple[str, ...]
    features: tuple[tuple[str, str], ...]
    offsets: NDArray[np.int64]
    feature: NDArray[np.int32]


def shoppers_of_one_kind(users: int = 200, hidden: tuple[int, ...] = (), seed: int = 0) -> Behaviours:
    """Each user buys things of one kind; nobody buys what is hidden."""
    chance = np.random.default_rng(seed)
    kinds = [np.setdiff1d(np.arange(PER_KIND) + kind * PER_KIND, hidden) for kind in range(len(KINDS))]
    return behaviours(*[chance.permutation(kinds[chance.integers(len(KINDS))])[:6].tolist() for _ in range(users)])


def kinds_known() -> Facts:
    numbers = np.repeat(np.arange(len(KINDS)), PER_KIND).astype(np.int32)
    return Facts(TITLES, tuple(("category", kind) for kind in KINDS), np.arange(len(TITLES) + 1), numbers)


def test_transitions_are_chances_that_fade_with_the_steps_between() -> None:
    log = Log.of(behaviours([0, 1, 2], [0, 2]), 3)

    scores = transitions(log, window=2, decay=0.5).spread(histories_of([np.array([0], np.int32)]), torch.ones(1, 1))

    assert scores[0].tolist() == pytest.approx([0.0, 1 / 2.5, 1.5 / 2.5])


def test_transitions_backwards_tell_what_came_before() -> None:
    links = transitions(Log.of(behaviours([0, 1], [2, 1]), 3), backwards=True)

    scores = links.spread(histories_of([np.array([1], np.int32)]), torch.ones(1, 1))

    assert scores[0].tolist() == pytest.approx([0.5, 0.0, 0.5])


def test_neighbours_are_mutual_and_never_an_item_itself() -> None:
    links = neighbours(Log.of(behaviours([0, 1, 0], [1, 2]), 3))

    table = torch.zeros(3, 3)
    table[links.source, links.item] = links.weight

    assert torch.equal(table, table.T)
    assert table.diagonal().tolist() == [0, 0, 0]


def test_a_spread_equals_the_dense_product() -> None:
    log = Log.of(shoppers_of_one_kind(40), len(TITLES))
    links = transitions(log)
    dense = torch.zeros(len(TITLES), len(TITLES))
    dense[links.source, links.item] = links.weight
    history = histories_of([np.array([3, 1, 4], np.int32), np.array([], np.int32)])

    scores = links.spread(history, recency(history, 0.7))

    assert torch.allclose(scores[0], dense[4] + 0.7 * dense[1] + 0.49 * dense[3])
    assert not scores[1].any()


def test_drift_orders_items_by_when_they_are_bought() -> None:
    log = Log.of(behaviours([0, 1, 2], [1, 2, 3], [0, 2, 3]), 4)

    assert drift(log).argsort().tolist() == [0, 1, 2, 3]


def test_what_follows_more_often_than_by_chance_has_a_lift_above_none() -> None:
    log = Log.of(behaviours(*([[0, 1], [2, 3]] * 10)), 5)

    table = lift(log, torch.tensor([0, 1, 2, 3, -1]))

    assert table[0, 1] > 0 > table[0, 3]


def test_it_finds_the_kind_that_a_user_buys() -> None:
    ranker = NextItemRanker.fit(shoppers_of_one_kind(), TITLES, config=NextItemConfig(candidates=30))

    scores = ranker.score([np.array([0, 1, 2], np.int32)])

    assert scores.shape == (1, len(TITLES))
    assert (np.argsort(-scores[0])[:5] < PER_KIND).all()
    assert np.isneginf(scores[0, [0, 1, 2]]).all()


def test_an_item_without_behaviours_is_ranked_from_knowledge_alone() -> None:
    hidden = (14, 29, 44, 59)
    plain = ["x"] * len(TITLES)
    log = shoppers_of_one_kind(400, hidden=hidden)
    ranker = NextItemRanker.fit(log, plain, knowledge=kinds_known(), config=NextItemConfig(candidates=60))

    cold = ranker.score([np.array([0, 1, 2], np.int32)])[0, list(hidden)]

    assert cold.argmax() == 0


def test_equal_seeds_give_equal_scores_and_others_do_not() -> None:
    log, history = shoppers_of_one_kind(), [np.array([20, 21], np.int32)]
    first, second, other = (
        NextItemRanker.fit(log, TITLES, config=NextItemConfig(candidates=20, epochs=1, seed=seed)).score(history)
        for seed in (0, 0, 1)
    )

    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_a_reason_names_the_nearest_behaviour_and_what_is_shared() -> None:
    ranker = NextItemRanker.fit(
        shoppers_of_one_kind(), TITLES, knowledge=kinds_known(), config=NextItemConfig(candidates=30)
    )

    best = ranker.top(np.array([50, 0, 1], np.int32), k=1)[0]

    assert best.reason is not None
    assert best.reason.history_item in {0, 1}
    assert ("category", "nail polish") in best.reason.shared


def test_lessons_are_listed_without_the_counts_of_the_user_who_answers() -> None:
    loner = behaviours([0, 1, 2], *([[3, 4, 5]] * 30))
    similarity = Similarity.of([""] * 6, None, {})

    found = lessons(Log.of(loner, 6), similarity, folds=2, last=1, count=6, seed=0)
    follows = found.features[:, :, found.names.index("following")].float().exp()
    own = follows.gather(1, found.true[:, None])

    assert (own < 0.01).sum() == 1  # nobody else buys 1 and 2: the answer of the loner is not counted for him


def test_what_nobody_has_wanted_is_no_wrong_answer_to_learn_from() -> None:
    log = Log.of(shoppers_of_one_kind(100, hidden=(14, 29, 44, 59)), len(TITLES))

    found = lessons(log, Similarity.of(TITLES, None, {}), folds=2, last=1, count=len(TITLES), seed=0)
    base, popularity = (found.features[:, :, found.names.index(name)] for name in ("base", "popularity"))

    assert (popularity[base >= 0] > 0).all()
