"""Metrics by hand, chance for what is somebody else's, rules, controls and the strongest of them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluators.beyond_log.controls import controls
from evaluators.beyond_log.hiding import Categories, Hiding, Rows, hide
from evaluators.beyond_log.judging import Jury, Sitting
from evaluators.beyond_log.metrics import Demands, Gold, list_metrics
from evaluators.beyond_log.nearness import Nearness
from evaluators.beyond_log.suggestions import Rule, by_category, listed, of_another, others, suggested
from tests.evaluators.beyond_log.made_up_log import made_up_log, visible_part

CATEGORIES = Categories.of(["a", "a", "b", "b", "c", None])
ONE = Hiding(
    user=np.array([0]),
    histories=(np.array([0], np.int32),),
    items=(np.array([2, 4], np.int32),),
    categories=(np.array([1, 2], np.int32),),
    visible=np.ones(1, np.bool_),
)


def means(lists: list[list[int]], gold: Gold, cut: int = 3) -> dict[str, float]:
    found = list_metrics(np.array(lists, dtype=np.int32), gold, (cut,))
    return {name.partition("@")[0]: of.part.sum() / of.whole.sum() for name, of in found.items()}


def test_the_metrics_are_those_of_their_definitions() -> None:
    found = means([[1, 4, 3]], Gold(ONE, CATEGORIES))

    assert found["category recall"] == 1  # b by item 3, c by item 4
    assert found["recall"] == 0.5
    assert found["NDCG"] == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))
    assert found["novelty"] == pytest.approx(2 / 3)


def test_an_empty_list_finds_nothing_and_an_unknown_category_is_none() -> None:
    for rows in ([[-1, -1, -1]], [[5, -1, -1]]):
        assert set(means(rows, Gold(ONE, CATEGORIES)).values()) == {0.0}


def test_meaning_is_found_where_a_list_is_near_and_only_beyond_what_others_have() -> None:
    two = Hiding(
        np.arange(2), ONE.histories * 2, (np.array([2]), np.array([4])), (np.array([1]), np.array([2])), ONE.visible
    )
    vectors = np.eye(6, dtype=np.float32)
    vectors[3] = [0, 0, 0.8, 0.6, 0, 0]
    gold = Gold(
        two, CATEGORIES, Nearness(vectors, 0.7, 0, 0), Demands(vectors, (np.array([2]), np.array([], np.int32)))
    )

    own, same, swapped = (means(rows, gold, 1) for rows in ([[3], [4]], [[3], [3]], [[4], [3]]))

    assert own["semantic recall"] == 1
    assert own["consistency"] == pytest.approx(0.9)
    assert same["consistency"] == pytest.approx(0)
    assert swapped["consistency"] == pytest.approx(-0.9)
    assert own["demand agreement"] == pytest.approx(0.8)  # of the one user of whom a demand is stated


def test_near_is_what_one_in_a_hundred_random_pairs_is() -> None:
    vectors = np.random.default_rng(0).normal(size=(200, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    near = Nearness.of(vectors, Categories.of(["a", "b"] * 100))

    assert near.of_random == pytest.approx(0.01, abs=0.001)
    assert 0 < near.threshold < 1


def test_rules_bar_visible_categories_and_spread_the_list() -> None:
    lists = listed(np.array([[1, 2, 3, 5, 4]], np.int32), ONE, CATEGORIES, 4)

    assert lists.by_rule[Rule.ANY].tolist() == [[1, 2, 3, 5]]
    assert lists.by_rule[Rule.NEW].tolist() == [[2, 3, 4, -1]]
    assert lists.by_rule[Rule.SPREAD].tolist() == [[2, 4, -1, -1]]


def test_others_are_never_the_user_himself_and_each_is_drawn_once() -> None:
    found = others(7, 4)

    assert not (found == np.arange(7)).any()
    assert all(sorted(row) == list(range(7)) for row in found.tolist())
    assert others(1, 4).size == 0
    assert of_another(np.array([[3]], np.int32)).tolist() == [[-1]]


def test_suggestions_of_shuffled_users_find_what_chance_finds() -> None:
    log, categories = made_up_log()
    hiding = hide(log, categories)
    gold = Gold(hiding, categories)
    oracle = np.full((len(hiding), 1), -1, dtype=np.int32)
    oracle[:, 0] = [own[0] for own in hiding.items]

    own = means(oracle.tolist(), gold, 1)["category recall"]
    shuffled = np.mean([means(of_another(oracle, seed).tolist(), gold, 1)["category recall"] for seed in range(20)])

    same = np.mean([one[0] == other[0] for one in hiding.categories for other in hiding.categories])
    assert own == 1
    assert shuffled == pytest.approx(same, abs=0.02)


def test_who_goes_by_categories_of_the_tribe_beats_popularity_and_it_is_personal() -> None:
    log, categories = made_up_log()
    hiding = hide(log, categories)
    jury = Jury(Gold(hiding, categories), cuts=(2,))
    found = controls(visible_part(log, hiding.visible), categories)

    sittings = {}
    for name in ("popularity", "category-CF", "EASE", "own history", "more of the same"):
        sittings[name] = Sitting(name, is_control=True)
        sittings[name].hear(jury, suggested(found[name], hiding, categories, 2))

    recall = {
        n: next(j for j in s.judged() if j.rule is Rule.SPREAD).metrics["category recall@2"].mean
        for n, s in sittings.items()
    }
    assert recall["category-CF"] > 0.9 > 0.5 > recall["popularity"]
    assert recall["EASE"] > 0.9
    assert recall["own history"] == 0
    another = sittings["EASE"].another[0]["category recall@2"]
    assert another.part.sum() / another.whole.sum() < 0.7


def test_belief_in_many_items_of_a_category_adds_up() -> None:
    def spread(histories: object, k: int, exclude: object = None) -> tuple[Rows, NDArray[np.float32]]:
        return np.array([[4, 2, 3, 5, -1]], np.int32), np.array([[0.4, 0.3, 0.3, 0.1, 0]], np.float32)

    rows, _ = by_category(spread, CATEGORIES)([np.array([0], np.int32)], 4)

    assert rows.tolist() == [[2, 3, 4, 5]]


def test_text_is_a_control_where_there_is_any() -> None:
    log, categories = made_up_log()
    vectors = np.eye(60, dtype=np.float32)

    assert "text cosine" not in controls(log, categories)
    assert {"text cosine", "item-CF + text", "EASE + text"} <= controls(log, categories, vectors).keys()


def test_no_control_suggests_what_the_history_has_but_the_history_itself() -> None:
    log, categories = made_up_log()
    histories: list[Rows] = [log.item[:5], log.item[5:10]]

    for name, suggest in controls(log, categories).items():
        rows, sure = suggest(histories, 60)
        for history, row in zip(histories, rows, strict=True):
            assert (set(row[row >= 0]) <= set(history)) if name == "own history" else not set(row) & set(history)
        assert ((sure != 0) <= (rows >= 0)).all()
