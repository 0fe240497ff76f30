"""Ranks of the true item and what they are worth, against cases worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from evaluators.ranking.next_item import Ties, event_scores, gains, hits, ranks, reciprocals

LEFT_OUT = -np.inf


def test_the_highest_score_has_rank_one_whatever_its_number() -> None:
    scores = [[0.1, 0.9, 0.5], [3.0, 2.0, 1.0]]

    found = ranks(scores, [1, 2])

    assert found.tolist() == [1, 3]


def test_a_model_that_scores_all_alike_finds_nothing_unless_ties_share_their_mean_rank() -> None:
    alike = np.zeros((1, 5))

    pessimistic, mean = ranks(alike, [0]), ranks(alike, [0], ties=Ties.MEAN)

    assert [pessimistic[0], mean[0]] == [5, 3]


def test_items_that_are_left_out_stand_before_nobody() -> None:
    scores = [[LEFT_OUT, LEFT_OUT, 0.2, 0.7]]

    found = ranks(scores, [2])

    assert found.tolist() == [2]


def test_a_true_item_that_is_left_out_counts_as_not_found() -> None:
    found = ranks([[LEFT_OUT, 0.2, 0.7]], [0])

    assert found.tolist() == [0]
    assert {name: values.tolist() for name, values in event_scores(found, [2]).items()} == {
        "HR@2": [0],
        "NDCG@2": [0],
        "MRR": [0],
    }


def test_a_score_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        ranks([[0.1, np.nan]], [0])


def test_hits_gains_and_reciprocals_of_known_ranks() -> None:
    known = [1, 3, 11]

    assert hits(known, 10).tolist() == [1, 1, 0]
    assert gains(known, 10).tolist() == [1, 0.5, 0]
    assert reciprocals(known) == pytest.approx([1, 1 / 3, 1 / 11])


@pytest.mark.parametrize("rank", [-1, 0.5, np.nan])
def test_what_is_no_rank_is_refused(rank: float) -> None:
    with pytest.raises(ValueError, match="no rank"):
        hits([1, rank], 10)


@given(arrays.arrays(float, (4, 7), elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0])), st.sampled_from(list(Ties)))
def test_a_rank_is_one_more_than_the_items_before_it_counted_one_by_one(
    scores: np.ndarray[tuple[int, int], np.dtype[np.float64]], ties: Ties
) -> None:
    true = [0, 2, 4, 6]

    found = ranks(scores, true, ties=ties)

    for rank, row, item in zip(found, scores, true, strict=True):
        before = [float(other > row[item]) for other in row]
        alike = sum(other == row[item] for other in row) - 1
        assert rank == 1 + sum(before) + (alike if ties is Ties.PESSIMISTIC else alike / 2)


@given(st.lists(st.integers(0, 60), min_size=1), st.integers(1, 50))
def test_a_longer_list_never_scores_less_and_gains_stay_below_hits(known: list[int], k: int) -> None:
    shorter, longer = event_scores(known, [k]), event_scores(known, [k + 5])

    assert (shorter[f"HR@{k}"] <= longer[f"HR@{k + 5}"]).all()
    assert (shorter[f"NDCG@{k}"] <= shorter[f"HR@{k}"]).all()
    assert (shorter[f"NDCG@{k}"] <= longer[f"NDCG@{k + 5}"]).all()
