"""Slices: bounds belong to the upper part, and every event is in exactly one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.ranking.slices import by_history_length, by_popularity, popularity


def test_popularity_counts_the_training_window_and_knows_items_without_any() -> None:
    assert popularity([0, 2, 2], 4).tolist() == [1, 0, 2, 0]


def test_an_item_is_cold_tail_mid_or_head() -> None:
    behaviors = [0, 1, 4, 5, 19, 20]

    found = {part.name: np.flatnonzero(part.events).tolist() for part in by_popularity(behaviors)}

    assert found == {"cold": [0], "tail": [1, 2], "mid": [3, 4], "head": [5]}


def test_bounds_are_the_callers() -> None:
    found = {part.name: np.flatnonzero(part.events).tolist() for part in by_popularity([0, 1, 2, 3], mid=2, head=3)}

    assert found == {"cold": [0], "tail": [1], "mid": [2], "head": [3]}


def test_histories_are_named_by_their_lengths() -> None:
    parts = by_history_length([0, 1, 2, 3, 9], (1, 3))

    assert [part.name for part in parts] == ["0", "1–2", "3+"]
    assert [part.events.sum() for part in parts] == [1, 2, 2]


@given(st.lists(st.integers(0, 80)))
def test_every_event_is_in_one_slice(counts: list[int]) -> None:
    for parts in (by_popularity(counts), by_history_length(counts)):
        assert (np.sum([part.events for part in parts], axis=0) == 1).all()


def test_bounds_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValueError, match="rise"):
        by_popularity([1], mid=20, head=20)
