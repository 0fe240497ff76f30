"""What is hidden of a log, and that nothing of it reaches who is to find it."""

import numpy as np
import pytest

from evaluators.beyond_log.controls import controls
from evaluators.beyond_log.hiding import Categories, content_hash, hidden_elsewhere, hide
from evaluators.beyond_log.suggestions import Rule, suggested
from tests.evaluators.beyond_log.made_up_log import log_of, made_up_log, visible_part


def test_whole_categories_are_hidden_and_one_at_least_stays() -> None:
    log, categories = made_up_log()

    hiding = hide(log, categories, share=0.9, seed=1)

    assert len(hiding) == len(log.users)
    for history, items, gone in zip(hiding.histories, hiding.items, hiding.categories, strict=True):
        assert set(categories.of_items(items)) == set(gone)
        assert not set(categories.of_items(history)) & set(gone)
        assert len(history) > 0
        assert len(gone) == 4


@pytest.mark.parametrize(("categories_of_user", "hidden"), [(2, 1), (3, 1), (5, 1), (6, 2), (8, 2), (10, 3)])
def test_a_quarter_is_hidden_rounded_to_the_nearest_and_one_at_least(categories_of_user: int, hidden: int) -> None:
    log, categories = log_of([np.arange(categories_of_user)]), Categories.of([f"c{n}" for n in range(10)])

    assert len(hide(log, categories).categories[0]) == hidden


def test_who_has_one_category_hides_nothing_and_is_not_scored() -> None:
    log, categories = log_of([np.array([0, 1]), np.array([0, 2])]), Categories.of(["c", "c", "d"])

    hiding = hide(log, categories)

    assert hiding.user.tolist() == [1]
    assert hiding.visible[:2].all()


def test_items_of_unknown_category_stay_visible() -> None:
    log, categories = log_of([np.array([0, 1, 2])]), Categories.of(["c", None, "d"])

    for seed in range(5):
        assert 1 in hide(log, categories, seed=seed).histories[0]


def test_a_draw_depends_on_seed_user_and_category_alone() -> None:
    log, categories = made_up_log()
    alone = log_of([log.item[:5].astype(np.int64)])

    every = [hide(log, categories, seed=seed).categories[0].tolist() for seed in range(8)]

    assert [hide(alone, categories, seed=seed).categories[0].tolist() for seed in range(8)] == every
    assert len({tuple(own) for own in every}) > 1


def test_nothing_that_is_hidden_reaches_who_is_to_find_it() -> None:
    log, categories = made_up_log()
    hiding = hide(log, categories)
    planted = log.item.copy()
    planted[~hiding.visible] = planted[~hiding.visible] // 5 * 5 + (planted[~hiding.visible] + 1) % 5  # the next item
    other = type(log)(log.users, log.offsets, planted)

    lists = []
    for own in (log, other):
        hidden = hide(own, categories)
        found = controls(visible_part(own, hidden.visible), categories)
        lists.append({name: suggested(suggest, hidden, categories, 10) for name, suggest in found.items()})

    assert not np.array_equal(log.item, other.item)
    for name in lists[0]:
        for rule in Rule:
            assert np.array_equal(lists[0][name].by_rule[rule], lists[1][name].by_rule[rule]), name


def test_what_a_log_hides_by_itself_is_scored_where_there_is_a_history() -> None:
    log = log_of([np.array([0]), np.array([], dtype=np.int64), np.array([2])])
    hidden = {"a000": (np.array([1, 0], np.int32), np.array([1], np.int32)), "a001": (np.array([1]), np.array([1]))}

    hiding = hidden_elsewhere(
        log, {user: (own[0].astype(np.int32), own[1].astype(np.int32)) for user, own in hidden.items()}
    )

    assert hiding.user.tolist() == [0]
    assert hiding.items[0].tolist() == [1]
    assert hiding.visible.all()


def test_the_content_hash_tells_logs_and_categories_apart_and_no_row_numbers() -> None:
    log, categories = log_of([np.array([0, 1])]), Categories.of(["c", "d"])
    swapped, other_rows = log_of([np.array([1, 0])]), Categories.of(["d", "c"])

    own = content_hash(log, ["x", "y"], categories)

    assert content_hash(swapped, ["y", "x"], other_rows) == own
    assert content_hash(swapped, ["x", "y"], categories) != own
    assert content_hash(log, ["x", "y"], other_rows) != own
