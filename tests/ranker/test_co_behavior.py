"""Pairs of items that the same shoppers choose."""

import numpy as np
import pytest

from memory.behaviors.sequences import Sequences
from ranker.co_behavior import CoBehaviors


def sequences(*users: list[int]) -> Sequences:
    item = np.array([row for user in users for row in user], dtype=np.int32)
    return Sequences(
        users=tuple(f"u{place}" for place in range(len(users))),
        items=tuple(f"i{row}" for row in range(int(item.max(initial=0)) + 1)),
        offsets=np.cumsum([0, *map(len, users)], dtype=np.int64),
        item=item,
        time=np.arange(len(item), dtype=np.int64),
        kind=np.zeros(len(item), dtype=np.int8),
        source=np.zeros(len(item), dtype=np.int8),
    )


def as_dict(pairs: CoBehaviors) -> dict[tuple[int, int], float]:
    rows = zip(pairs.left.tolist(), pairs.right.tolist(), pairs.weight.tolist(), strict=True)
    return {(left, right): weight for left, right, weight in rows}


def test_pairs_are_counted_over_users_and_weighed_by_how_often_each_item_occurs() -> None:
    pairs = CoBehaviors.of(sequences([0, 1, 2], [1, 0]), items=3, window=1)

    # 0-1 twice, 1-2 once; 0 is in two pairs, 1 in three, 2 in one
    assert as_dict(pairs) == pytest.approx({(0, 1): 2 / (2 * 3) ** 0.5, (1, 2): 1 / (3 * 1) ** 0.5})


def test_the_window_says_how_far_apart_two_behaviours_may_be() -> None:
    near = CoBehaviors.of(sequences([0, 1, 2, 3]), items=4, window=2)

    assert set(as_dict(near)) == {(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)}


def test_users_items_that_repeat_and_unknown_items_make_no_pairs() -> None:
    pairs = CoBehaviors.of(sequences([0, 0], [1, 5], [2]), items=3, window=3)

    assert as_dict(pairs) == {}


def test_items_that_go_together_are_found_in_either_order() -> None:
    pairs = CoBehaviors.of(sequences([0, 1], [2, 3]), items=4, window=1)

    found = pairs.neighbors().together(np.array([0, 1, 3, 0]), np.array([1, 0, 2, 1]))

    assert found.tolist() == [
        [True, False, False, True],
        [False, True, False, False],
        [False, False, True, False],
        [True, False, False, True],
    ]
