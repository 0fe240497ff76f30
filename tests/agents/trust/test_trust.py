"""Calibrated confidences and thresholds, on made-up claims of which the truth is known."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.trust.abstention import abstaining
from agents.trust.confidence import (
    NEVER,
    CalibrationModel,
    CalibrationUnreadable,
    Threshold,
    calibrated,
    read_calibration,
)
from agents.trust.features import RAW, features, odds
from agents.trust.fitting import LabelledClaim, fit_calibration
from agents.trust.held_out import held_out
from evaluators.calibration import calibration
from evaluators.item_scores import Judged
from evaluators.significance import precision_bound
from memory.schema import Decision, Reason, Verdict
from tests.agents.extraction.bottles import TEMPLATE, bottle, claimed

TARGET = 0.9
probabilities = st.floats(0, 1, allow_nan=False)


def claims(count: int, seed: int) -> list[LabelledClaim]:
    """Return claims of three producers: right as often as said, never so sure as said, and far better than said."""
    lot = random.Random(seed)
    return [_claim(number, lot) for number in range(count)]


def _claim(number: int, lot: random.Random) -> LabelledClaim:
    producer, raw = lot.choice(["rule", "student", "student", "model"]), lot.uniform(0.5, 0.99)
    truth = {"rule": raw, "student": raw * 0.5, "model": 0.5 + raw / 2}[producer]
    return LabelledClaim(
        item_id=f"i{number // 4}",
        attribute=lot.choice(["brand", "color"]),
        kind="open",
        features={RAW: odds(raw), f"producer {producer}": 1.0},
        raw=raw,
        right=lot.random() < truth,
    )


def test_calibration_brings_confidences_near_the_truth_on_claims_it_has_not_seen() -> None:
    model = fit_calibration(claims(3000, seed=1), model="m")
    fresh = claims(3000, seed=2)

    before = calibration(Judged(confidence=claim.raw, right=claim.right) for claim in fresh)
    after = calibration(Judged(confidence=model.of(claim.features), right=claim.right) for claim in fresh)

    assert before.ece > 0.08
    assert after.ece < before.ece / 2
    assert after.brier < before.brier


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), probabilities, probabilities, st.booleans())
def test_more_confidence_of_a_producer_never_makes_less(seed: int, one: float, other: float, liars: bool) -> None:
    judged = claims(40, seed)
    if liars:  # the surer, the wronger: the fit would like a negative weight
        judged = [claim.model_copy(update={"right": claim.raw < 0.7}) for claim in judged]
    model = fit_calibration(judged, model="m")

    low, high = (model.of({RAW: odds(p), "producer student": 1.0}) for p in sorted((one, other)))

    assert 0 <= low <= high <= 1


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 400), st.integers(1, 400), st.floats(0.5, 0.99))
def test_the_lower_bound_is_below_the_share_and_grows_with_what_is_right(right: int, of: int, level: float) -> None:
    right = min(right, of)

    bound = precision_bound(right, of, level)

    assert 0 <= bound <= right / of
    assert right == of or bound <= precision_bound(right + 1, of, level)


def test_all_right_is_sure_enough_from_59_claims_on() -> None:
    assert precision_bound(58, 58) < 0.95 <= precision_bound(59, 59)


def test_a_threshold_keeps_the_target_precision_on_claims_it_has_not_seen() -> None:
    kept_too_little = 0
    for seed in range(40):
        model = fit_calibration(claims(600, seed), model="m", target_precision=TARGET)
        fresh = claims(4000, seed + 1000)
        kept = [c.right for c in fresh if model.of(c.features) >= model.least(c.attribute, c.kind)]
        kept_too_little += bool(kept) and sum(kept) / len(kept) < TARGET

    # The bound is one-sided at 95 %; the threshold was chosen on the same claims, so some more may fail.
    assert kept_too_little <= 4


def test_without_enough_claims_every_one_is_left_to_a_person() -> None:
    model = fit_calibration(claims(20, seed=0), model="m", target_precision=0.99)

    assert model.least("brand", "open") == NEVER


def test_without_claims_every_confidence_is_a_guess_by_what_the_producer_says() -> None:
    model = fit_calibration([], model="m")

    assert model.of({RAW: odds(0.5)}) == pytest.approx(0.5)
    assert model.of({RAW: odds(0.9)}) > 0.8


def test_held_out_figures_need_two_items() -> None:
    one_item = [claim.model_copy(update={"item_id": "i"}) for claim in claims(30, seed=0)]

    figures = held_out(claims(400, seed=0), TARGET, 0.95)

    assert held_out(one_item, TARGET, 0.95) is None
    assert figures is not None
    assert figures.ece.mean < figures.ece_before.mean
    assert figures.coverage is not None
    assert 0 < figures.coverage.mean < 1


def test_a_claim_below_its_attributes_threshold_is_left_to_a_person() -> None:
    item = bottle("Acme Pro bottle 500 ml")
    threshold = Threshold(confidence=0.9, claims=80, right=80, lower_bound=0.96)
    model = CalibrationModel(
        model="m", claims=1, intercept=0, weights={RAW: 1}, target_precision=0.95, thresholds={"brand": threshold}
    )
    unsure, sure = (
        calibrated([claimed(item, "brand", "Acme", "student", raw)], TEMPLATE, model)[0] for raw in (0.6, 0.95)
    )
    other = claimed(item, "model", "Pro", "student", 0.1)
    by_hand = claimed(item, "brand", "Acme", "human", 0.1)
    told = [claim.model_copy(update={"id": str(n)}) for n, claim in enumerate([unsure, sure, other, by_hand])]
    accepted = [
        Verdict(claim_id=claim.id, decision=Decision.ACCEPT, reason=Reason.SUPPORTED, checked_by="code")
        for claim in told
    ]

    verdicts = abstaining(told, accepted, TEMPLATE, model)

    assert [verdict.decision.value for verdict in verdicts] == ["abstain", "accept", "accept", "accept"]
    assert verdicts[0].reason is Reason.LOW_CONFIDENCE
    assert "0.900 keeps a precision of 0.95" in verdicts[0].note
    assert unsure.raw_confidence == 0.6


def test_what_was_refused_is_not_turned_into_an_abstention() -> None:
    claim = claimed(bottle("Acme bottle"), "brand", "Acme", "student", 0.1)
    never = Threshold(confidence=NEVER, claims=0, right=0, lower_bound=0)
    model = CalibrationModel(model="m", claims=1, intercept=0, weights={}, thresholds={"*": never})
    refused = Verdict(claim_id=claim.id, decision=Decision.REVISE, reason=Reason.UNSUPPORTED, checked_by="model")

    assert abstaining([claim], [refused], TEMPLATE, model) == [refused]


def test_features_are_the_same_before_and_after_calibration() -> None:
    claim = claimed(bottle("Acme bottle"), "brand", "Acme", "student", 0.7)
    model = fit_calibration(claims(50, seed=0), model="m")

    [after] = calibrated([claim], TEMPLATE, model)

    assert after.confidence != claim.confidence
    assert features(after, "open") == features(claim, "open")


def test_a_file_that_is_no_calibration_is_named(tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text('{"model": "m", "claims": 1, "intercept": 0, "weights": {"raw": -1}}', encoding="utf-8")

    with pytest.raises(CalibrationUnreadable, match=r"wrong\.json is no calibration: .*negative"):
        read_calibration(file)
    with pytest.raises(CalibrationUnreadable, match=r"none\.json: No such file"):
        read_calibration(tmp_path / "none.json")
