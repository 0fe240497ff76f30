"""Paired differences: against scipy, against every exchange counted out, and on systems of known worth."""

import itertools
import random
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluators.gate import is_loss
from evaluators.significance import ScipyMissing, Share, paired_difference

shares = st.builds(Share, part=st.integers(0, 6), whole=st.integers(6, 12))
ITEMS = 60
PAIRS = 400


def micro(items: list[Share]) -> float:
    return sum(share.part for share in items) / sum(share.whole for share in items)


def system(worth: float, difficulty: list[float], chance: random.Random) -> list[Share]:
    """Return the shares of a system that finds each value with its worth, less the difficulty of the item."""
    shares = []
    for number, difficult in enumerate(difficulty):
        values = 2 + number % 7
        right = sum(chance.random() < worth - difficult for _ in range(values))
        shares.append(Share(2 * right, 2 * values))
    return shares


def difficulties(chance: random.Random) -> list[float]:
    return [0.3 * chance.random() for _ in range(ITEMS)]


def test_the_ratio_is_of_sums_not_a_mean_over_items() -> None:
    before, after = [Share(0, 1), Share(8, 10)], [Share(1, 1), Share(8, 10)]

    found = paired_difference(before, after)

    assert [found.before, found.after] == pytest.approx([8 / 11, 9 / 11])


def test_equal_answers_differ_by_nothing_for_sure() -> None:
    same = [Share(1, 2), Share(2, 2), Share(0, 2)]

    found = paired_difference(same, same)

    assert (found.low, found.high, found.p_value) == (0, 0, 1)


def test_of_one_item_nothing_is_sure() -> None:
    found = paired_difference([Share(2, 2)], [Share(0, 2)])

    assert (found.low, found.high, found.p_value) == (-1, 1, 1)


def test_the_interval_is_scipys_own_where_all_items_weigh_the_same() -> None:
    chance = np.random.default_rng(7)
    before, after = chance.binomial(10, 0.6, 40), chance.binomial(10, 0.7, 40)

    found = paired_difference([Share(n, 10) for n in before], [Share(n, 10) for n in after], seed=3, resamples=20_000)

    wanted = stats.bootstrap(((after - before) / 10,), np.mean, n_resamples=20_000, rng=np.random.default_rng(5))
    assert (found.low, found.high) == pytest.approx(tuple(wanted.confidence_interval), abs=0.004)


def test_the_p_value_is_that_of_all_exchanges() -> None:
    before = [Share(1, 4), Share(3, 5), Share(0, 3), Share(2, 2), Share(1, 6), Share(2, 4)]
    after = [Share(2, 4), Share(5, 5), Share(1, 3), Share(1, 2), Share(4, 6), Share(4, 4)]
    pairs = list(zip(before, after, strict=True))
    worlds = [
        [pair[::-1] if swapped else pair for pair, swapped in zip(pairs, swaps, strict=True)]
        for swaps in itertools.product([False, True], repeat=len(pairs))
    ]
    differences = [micro([new for _, new in world]) - micro([old for old, _ in world]) for world in worlds]
    observed = differences[0]
    beyond = min(sum(d >= observed - 1e-12 for d in differences), sum(d <= observed + 1e-12 for d in differences))

    found = paired_difference(before, after)

    assert found.p_value == pytest.approx(min(1, 2 * beyond / len(worlds)))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(shares, shares), min_size=2, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_items_is_of_no_account_and_a_way_back_has_the_other_sign(
    pairs: list[tuple[Share, Share]], order: random.Random
) -> None:
    before, after = [old for old, _ in pairs], [new for _, new in pairs]
    shuffled = order.sample(pairs, len(pairs))

    found = paired_difference(before, after, resamples=200)
    reordered = paired_difference([old for old, _ in shuffled], [new for _, new in shuffled], resamples=200)
    back = paired_difference(after, before, resamples=200)

    assert reordered.difference == pytest.approx(found.difference)
    assert back.difference == pytest.approx(-found.difference)
    assert -1 <= found.low <= found.high <= 1
    assert 0 < found.p_value <= 1


def test_the_same_seed_gives_the_same_figures() -> None:
    chance = random.Random(2)
    before, after = system(0.8, difficulties(chance), chance), system(0.7, difficulties(chance), chance)

    assert paired_difference(before, after, seed=4) == paired_difference(before, after, seed=4)


def test_systems_of_equal_worth_fail_at_most_one_gate_in_twenty() -> None:
    chance = random.Random(11)
    false_alarms = 0
    for number in range(PAIRS):
        difficulty = difficulties(chance)
        figures = [(system(0.9, difficulty, chance), system(0.9, difficulty, chance)) for _ in range(2)]
        ruled = [is_loss(paired_difference(old, new, seed=number, resamples=400)) for old, new in figures]
        false_alarms += any(ruled)  # a gate looks at two figures

    assert false_alarms / PAIRS <= 0.05


def test_a_real_loss_is_found_and_its_interval_holds_it() -> None:
    chance = random.Random(12)
    found = held = 0
    for number in range(100):
        difficulty = difficulties(chance)
        old, new = system(0.95, difficulty, chance), system(0.80, difficulty, chance)
        difference = paired_difference(old, new, seed=number, resamples=400)
        found += is_loss(difference)
        held += difference.low <= -0.15 <= difference.high

    assert found >= 90
    assert held >= 88  # of 95 that are promised; a third resampling noise, a third few resamples


def test_an_allowed_loss_is_no_loss() -> None:
    chance = random.Random(13)
    difficulty = difficulties(chance)
    difference = paired_difference(system(0.95, difficulty, chance), system(0.80, difficulty, chance))

    assert is_loss(difference)
    assert not is_loss(difference, tolerance=0.3)


def test_without_scipy_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)

    with pytest.raises(ScipyMissing, match="pip install"):
        paired_difference([Share(1, 2), Share(1, 2)], [Share(2, 2), Share(1, 2)])
