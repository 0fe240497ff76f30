"""Intervals over users: scipy's own where scipy can give one, and right as often as they say on known systems."""

import time

import numpy as np
import pytest
from scipy import stats

from evaluators.ranking.click_through import auc, gauc
from evaluators.ranking.intervals import Totals, auc_totals, difference, gauc_totals, interval, totals
from evaluators.significance import Share, paired_difference

CHANCE = np.random.default_rng(5)
USERS = np.repeat(np.arange(150), CHANCE.integers(1, 9, 150))
BEFORE = (CHANCE.random(USERS.size) < 0.3).astype(float)
AFTER = np.maximum(BEFORE, CHANCE.random(USERS.size) < 0.08)


def test_a_metric_is_its_mean_over_events_not_over_users() -> None:
    found = interval(totals(USERS, BEFORE))

    assert found.mean == pytest.approx(BEFORE.mean())
    assert found.low < found.mean < found.high
    assert found.users == 150


def test_the_interval_is_scipys() -> None:
    own = totals(USERS, BEFORE)
    theirs = stats.bootstrap(
        (own.part, own.whole),
        lambda part, whole, axis: part.sum(axis=axis) / whole.sum(axis=axis),
        paired=True,
        n_resamples=20000,
        rng=np.random.default_rng(1),
    ).confidence_interval

    found = interval(own, resamples=20000)

    assert [found.low, found.high] == pytest.approx([theirs.low, theirs.high], abs=0.002)


def test_a_difference_is_that_of_the_paired_bootstrap_over_shares() -> None:
    before, after = totals(USERS, BEFORE), totals(USERS, AFTER)
    shares = [[Share(part, whole) for part, whole in zip(*of, strict=True)] for of in (before, after)]
    wanted = paired_difference(shares[0], shares[1])

    found = difference(before, after, resamples=5000)

    assert [found.before, found.after] == pytest.approx([wanted.before, wanted.after])
    assert [found.low, found.high] == pytest.approx([wanted.low, wanted.high], abs=0.004)
    assert found.better
    assert found.p_value == pytest.approx(wanted.p_value, abs=0.001)


def test_equal_systems_differ_by_nothing_for_sure() -> None:
    same = totals(USERS, BEFORE)

    found = difference(same, same)

    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_nothing_is_sure_of_one_user() -> None:
    found = difference(totals([7, 7], [0, 0]), totals([7, 7], [1, 0]))

    assert (found.low, found.high, found.p_value) == (-1, 1, 1)
    assert interval(totals([7], [1])).low == 0


def test_systems_on_different_events_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="same events"):
        difference(totals([1, 2], [0, 1]), totals([1, 1, 2], [0, 1, 1]))


def test_a_metric_of_no_event_is_refused() -> None:
    with pytest.raises(ValueError, match="no event"):
        interval(totals([], []))


def test_the_seed_decides() -> None:
    own = totals(USERS, BEFORE)

    assert interval(own, seed=3) == interval(own, seed=3)
    assert interval(own, seed=3) != interval(own, seed=4)


def test_auc_totals_vary_as_the_auc_of_users_drawn_anew() -> None:
    users = np.repeat(np.arange(120), 10)
    labels = np.tile([1] + [0] * 9, 120)
    taste = np.repeat(CHANCE.normal(0, 1, 120), 10)
    scores = labels * taste + CHANCE.normal(0, 1, users.size)
    rows = np.arange(users.size).reshape(120, 10)
    drawn = [rows[CHANCE.integers(0, 120, 120)].ravel() for _ in range(2000)]
    redrawn = np.quantile([auc(labels[d], scores[d]) or 0 for d in drawn], [0.025, 0.975])

    found = interval(auc_totals(users, labels, scores), resamples=2000)

    assert found.mean == pytest.approx(auc(labels, scores))
    assert [found.low, found.high] == pytest.approx(redrawn, abs=0.006)


def test_gauc_totals_have_the_gauc_as_their_ratio() -> None:
    labels = (CHANCE.random(USERS.size) < 0.4).astype(int)
    scores = CHANCE.random(USERS.size)

    found = interval(gauc_totals(USERS, labels, scores))

    assert found.mean == pytest.approx(gauc(USERS, labels, scores))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    held = 0
    for number in range(200):
        chance = np.random.default_rng(number)
        worth = chance.beta(2, 4, 80)
        users = np.repeat(np.arange(80), 4)
        found = interval(totals(users, chance.random(users.size) < worth[users]), seed=number, resamples=400)
        held += found.low <= 1 / 3 <= found.high

    assert 180 <= held <= 199  # 95 % of 200 are 190, give or take 3.1


def test_a_comparison_of_twenty_thousand_users_takes_about_a_second() -> None:
    many = Totals(CHANCE.random(20000), np.ones(20000))
    more = Totals(many.part + CHANCE.normal(0, 0.1, 20000), many.whole)
    began = time.process_time()

    difference(many, more)

    assert time.process_time() - began < 5  # a loaded machine; about half a second alone
