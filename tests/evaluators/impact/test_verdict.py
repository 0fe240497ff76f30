"""The verdict: what is lost decides before what is won, chance decides nothing, and what does not matter is told."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.impact.report import Decision, SideCost
from evaluators.impact.verdict import Figure, adjusted, needed, verdict_on
from evaluators.ranking.intervals import difference, totals
from evaluators.significance import Difference, Share, paired_difference

CHEAP, DEAR = SideCost(items=9, calls=1, tokens=100, cost=None), SideCost(items=9, calls=1, tokens=200, cost=None)


def differing(by: float, low: float, high: float, p_value: float, items: int = 100) -> Difference:
    return Difference(items=items, before=0.5, after=0.5 + by, difference=by, low=low, high=high, p_value=p_value)


BETTER, WORSE = differing(0.05, 0.02, 0.08, 0.001), differing(-0.05, -0.08, -0.02, 0.001)
OPEN, SAME = differing(0.01, -0.03, 0.05, 0.6), differing(0.001, -0.002, 0.004, 0.5)


def figures(*found: Difference) -> list[Figure]:
    return [Figure(f"figure {number}", one, "users") for number, one in enumerate(found)]


@pytest.mark.parametrize(
    ("found", "decision", "passed"),
    [
        ([BETTER], Decision.SHIP, True),
        ([BETTER, SAME, OPEN], Decision.SHIP, True),
        ([WORSE], Decision.KEEP_OLD, False),
        ([BETTER, WORSE], Decision.KEEP_OLD, False),
        ([WORSE, OPEN], Decision.KEEP_OLD, False),
        ([OPEN], Decision.UNDECIDED, True),
        ([SAME, OPEN], Decision.UNDECIDED, True),
        ([SAME], Decision.KEEP_OLD, True),
        ([], Decision.UNDECIDED, True),
    ],
)
def test_what_is_sure_decides(found: list[Difference], decision: Decision, passed: bool) -> None:
    verdict = verdict_on(figures(*found), (CHEAP, CHEAP))

    assert (verdict.decision, verdict.passed) == (decision, passed)
    assert verdict.reasons


def test_what_changes_nothing_is_shipped_where_it_is_cheaper() -> None:
    cheaper, dearer = (verdict_on(figures(SAME), costs) for costs in ((DEAR, CHEAP), (CHEAP, DEAR)))

    assert cheaper.decision is Decision.SHIP
    assert "an item costs 50% less" in cheaper.reasons[0]
    assert dearer.decision is Decision.KEEP_OLD
    assert "an item costs 100% more" in dearer.reasons[0]


def test_money_goes_before_tokens_where_both_sides_have_a_price() -> None:
    small = CHEAP.model_copy(update={"tokens": 500, "cost": Decimal("0.01")})
    great = CHEAP.model_copy(update={"cost": Decimal("0.02")})

    assert verdict_on(figures(SAME), (great, small)).decision is Decision.SHIP


def test_a_loss_for_sure_that_is_within_the_tolerance_does_not_matter() -> None:
    tiny = differing(-0.002, -0.003, -0.001, 0.001)

    verdict = verdict_on(figures(tiny), (CHEAP, CHEAP), tolerance=0.005)
    strict = verdict_on(figures(tiny), (CHEAP, CHEAP), tolerance=0.0)

    assert verdict.measured[0].same
    assert verdict.passed
    assert not strict.passed


def test_a_figure_among_many_needs_a_smaller_p_value() -> None:
    doubtful = differing(0.02, 0.001, 0.04, 0.03)

    assert verdict_on(figures(doubtful), (CHEAP, CHEAP)).decision is Decision.SHIP
    assert verdict_on(figures(doubtful, OPEN, OPEN), (CHEAP, CHEAP)).decision is Decision.UNDECIDED


def test_holm_raises_p_values_as_in_his_example() -> None:
    assert adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjusted([]) == []


@given(st.lists(st.floats(0, 1), max_size=8))
def test_raised_p_values_keep_their_order_and_are_never_lower(p_values: list[float]) -> None:
    raised = adjusted(p_values)

    assert all(one >= other for one, other in zip(raised, p_values, strict=True))
    assert all(one <= 1 for one in raised)
    order = np.argsort(p_values, kind="stable")
    assert np.all(np.diff(np.array(raised)[order]) >= 0)


def test_as_many_users_as_are_said_to_be_needed_tell_the_difference() -> None:
    """A gain of 0.02 with a spread of 0.3: as many users as are named find it about eight times in ten."""
    chance = np.random.default_rng(0)

    def seen(users: int) -> Difference:
        gains = chance.normal(0.02, 0.3, users)
        return difference(totals(range(users), np.zeros(users)), totals(range(users), gains))

    wanted = needed(differing(0.02, 0.02 - 1.96 * 0.03, 0.02 + 1.96 * 0.03, 0.5), 0.0)  # of 100 users
    assert wanted is not None
    found = [seen(wanted).better for _ in range(100)]

    assert 1700 < wanted < 1850  # (1.96 + 0.84)² 0.3² / 0.02²
    assert 68 <= sum(found) <= 92


def test_nothing_more_is_needed_where_nothing_differs() -> None:
    alike = [Share(1, 2)] * 5

    assert needed(paired_difference(alike, alike), 0.005) is None
    assert needed(differing(0.0, -0.05, 0.05, 1.0), 0.0) is None
    assert (needed(differing(0.0, -0.05, 0.05, 1.0), 0.01) or 0) > 100


def test_what_is_not_settled_says_how_many_more_would_tell() -> None:
    verdict = verdict_on(figures(OPEN), (CHEAP, CHEAP))

    assert verdict.measured[0].needed
    assert f"about {verdict.measured[0].needed - 100:,} more users would tell" in verdict.reasons[0]
