"""Calibration: near 0 where confidences come true, growing with the distance from that."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.calibration import Threshold, calibration, threshold_for
from evaluators.item_scores import Judged

claims = st.lists(
    st.builds(
        Judged, confidence=st.sampled_from([0.0, 0.2, 0.5, 0.5001, 0.9, 1.0]) | st.floats(0, 1), right=st.booleans()
    )
)


def drawn(count: int, off: float = 0.0, seed: int = 0) -> list[Judged]:
    """Return claims that come true as often as their confidence says, less `off`."""
    chance = random.Random(seed)
    confidences = [0.5 + 0.5 * chance.random() for _ in range(count)]
    return [Judged(confidence=c, right=chance.random() < c - off) for c in confidences]


def test_confidences_that_come_true_have_next_to_no_error() -> None:
    found = calibration(drawn(20_000))

    assert found.ece < 0.012
    assert len(found.bins) == 10
    assert {part.claims for part in found.bins} == {2000}


def test_the_error_is_how_much_too_sure_they_are() -> None:
    errors = [calibration(drawn(20_000, off)).ece for off in (0.05, 0.1, 0.2, 0.3)]

    assert errors == pytest.approx([0.05, 0.1, 0.2, 0.3], abs=0.012)


def test_figures_counted_by_hand() -> None:
    judged = [Judged(confidence=c, right=r) for c, r in [(0.5, False), (0.5, True), (0.9, True), (0.9, True)]]

    found = calibration(judged, bins=2)

    assert [(b.claims, b.confidence, b.accuracy) for b in found.bins] == [(2, 0.5, 0.5), (2, 0.9, 1.0)]
    assert found.ece == pytest.approx(0.05)
    assert found.brier == pytest.approx((0.25 + 0.25 + 0.01 + 0.01) / 4)


@given(claims, st.randoms(use_true_random=False), st.integers(1, 12))
def test_bounds_hold_and_order_is_of_no_account(judged: list[Judged], order: random.Random, bins: int) -> None:
    shuffled = order.sample(judged, len(judged))

    found = calibration(judged, bins)

    assert found == calibration(shuffled, bins)
    assert 0 <= found.ece <= 1
    assert 0 <= found.brier <= 1
    assert sum(part.claims for part in found.bins) == len(judged)
    assert len(found.bins) <= bins
    assert all(one.highest < other.lowest for one, other in zip(found.bins, found.bins[1:], strict=False))


def test_the_threshold_keeps_as_many_claims_as_the_precision_allows() -> None:
    judged = [Judged(confidence=c, right=r) for c, r in [(0.9, True), (0.8, True), (0.7, False), (0.6, True)]]

    assert threshold_for(judged, 1.0) == Threshold(target=1.0, confidence=0.8, precision=1.0, kept=0.5)
    assert threshold_for(judged, 0.75) == Threshold(target=0.75, confidence=0.6, precision=0.75, kept=1.0)
    assert threshold_for([Judged(confidence=0.9, right=False)], 0.5) is None


@given(claims, st.floats(0.01, 1))
def test_claims_from_the_threshold_on_have_the_precision(judged: list[Judged], target: float) -> None:
    found = threshold_for(judged, target)

    if found is not None:
        kept = [claim.right for claim in judged if claim.confidence >= found.confidence]
        assert sum(kept) / len(kept) >= target
        assert found.kept == len(kept) / len(judged)
