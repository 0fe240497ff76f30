"""AUC, GAUC, logloss and calibration, against pairs counted one by one and cases worked out by hand."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.ranking.click_through import (
    auc,
    calibration_ratio,
    gauc,
    log_losses,
    placements,
    reliability,
    user_aucs,
)

impressions = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(-4, 4)), min_size=1, max_size=40)


def counted(labels: list[int], scores: list[int]) -> float | None:
    """Return the AUC, pair by pair."""
    clicked = [score for label, score in zip(labels, scores, strict=True) if label]
    passed = [score for label, score in zip(labels, scores, strict=True) if not label]
    pairs = [1.0 if c > p else 0.5 if c == p else 0.0 for c in clicked for p in passed]
    return sum(pairs) / len(pairs) if pairs else None


def columns(rows: list[tuple[int, int, int]]) -> tuple[list[int], list[int], list[int]]:
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def test_auc_of_a_known_case_with_a_tie() -> None:
    assert auc([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1]) == 3.5 / 4


def test_without_both_classes_there_is_no_auc() -> None:
    assert auc([1, 1], [0.2, 0.3]) is None
    assert auc([], []) is None
    assert gauc([1, 2], [1, 0], [0.2, 0.3]) is None


@given(impressions)
def test_auc_is_the_share_of_pairs_in_order(rows: list[tuple[int, int, int]]) -> None:
    _, labels, scores = columns(rows)

    assert auc(labels, scores) == pytest.approx(counted(labels, scores))


@given(impressions)
def test_only_the_order_of_scores_matters_to_auc_and_gauc(rows: list[tuple[int, int, int]]) -> None:
    users, labels, scores = columns(rows)
    moved = [math.exp(score / 3) * 7 - 2 for score in scores]

    assert auc(labels, moved) == auc(labels, scores)
    assert gauc(users, labels, moved) == gauc(users, labels, scores)


@given(impressions)
def test_scores_turned_round_turn_auc_round(rows: list[tuple[int, int, int]]) -> None:
    _, labels, scores = columns(rows)
    found, turned = auc(labels, scores), auc(labels, [-score for score in scores])

    assert (found is None and turned is None) or found == pytest.approx(1 - (turned or 0))


@given(impressions)
def test_gauc_weighs_each_users_auc_by_his_impressions(rows: list[tuple[int, int, int]]) -> None:
    users, labels, scores = columns(rows)
    of_users = {user: [row for row in rows if row[0] == user] for user in set(users)}
    aucs = {user: counted(*columns(own)[1:]) for user, own in of_users.items()}
    weights = {user: len(own) for user, own in of_users.items() if aucs[user] is not None}
    wanted = sum((aucs[user] or 0) * weight for user, weight in weights.items()) / sum(weights.values() or [1])

    found = gauc(users, labels, scores)

    assert found == pytest.approx(wanted) if weights else found is None
    assert user_aucs(users, labels, scores).users.tolist() == sorted(weights)


@given(impressions)
def test_placements_of_either_class_have_the_auc_as_their_mean(rows: list[tuple[int, int, int]]) -> None:
    _, labels, scores = columns([(0, 1, 2), (0, 0, 1), *rows])

    placed, clicked = placements(labels, scores), np.array(labels) == 1

    assert placed[clicked].mean() == pytest.approx(counted(labels, scores))
    assert placed[~clicked].mean() == pytest.approx(counted(labels, scores))


def test_logloss_of_a_known_case_and_of_certainty_that_is_wrong() -> None:
    losses = log_losses([1, 0, 1], [0.5, 0.25, 0.0])

    assert losses[:2] == pytest.approx([math.log(2), -math.log(0.75)])
    assert 10 < losses[2] < 20


def test_calibration_is_predicted_over_observed_clicks() -> None:
    assert calibration_ratio([1, 0, 0, 1], [0.9, 0.7, 0.6, 0.8]) == pytest.approx(1.5)
    assert calibration_ratio([0, 0], [0.1, 0.2]) is None


def test_each_bin_of_reliability_says_what_was_predicted_and_what_came() -> None:
    low, high = reliability([0, 1, 1, 1], [0.1, 0.3, 0.6, 0.8], bins=2)

    assert (low.impressions, low.lowest, low.highest, low.predicted, low.observed) == (2, 0.1, 0.3, 0.2, 0.5)
    assert (high.impressions, high.observed) == (2, 1)
    assert high.predicted == pytest.approx(0.7)


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])), max_size=60))
def test_bins_hold_every_impression_once_and_never_part_equal_probabilities(rows: list[tuple[int, float]]) -> None:
    labels, probabilities = [row[0] for row in rows], [row[1] for row in rows]

    bins = reliability(labels, probabilities)

    assert sum(found.impressions for found in bins) == len(rows)
    assert all(found.highest < other.lowest for found, other in itertools.pairwise(bins))
    assert sum(found.impressions * found.observed for found in bins) == pytest.approx(sum(labels))


@pytest.mark.parametrize(
    ("labels", "scores", "problem"),
    [([0, 2], [0.1, 0.2], "0 and 1"), ([0, 1], [0.1, math.nan], "NaN"), ([0, 1], [0.1], "same impressions")],
)
def test_what_cannot_be_scored_is_refused(labels: list[int], scores: list[float], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        auc(labels, scores)


def test_a_score_that_is_no_probability_has_no_logloss() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        log_losses([1], [1.2])
