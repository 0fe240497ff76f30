"""What a calibration is worth on items that it was not fitted on."""

import random
from collections.abc import Iterable, Iterator, Sequence
from statistics import fmean, pstdev
from typing import NamedTuple

from agents.trust.confidence import CalibrationModel
from agents.trust.fitting import LabelledClaim, fit_calibration
from evaluators.calibration import calibration
from evaluators.item_scores import Judged
from memory.record import Record

HALVINGS = 20


class Spread(Record):
    """A figure over all halves."""

    mean: float
    deviation: float


class HeldOut(Record):
    """The figures of the halves of the items, each with the calibration that was fitted on the other half."""

    halvings: int
    claims: int  # judged, in both halves
    ece_before: Spread  # of the producers' own confidences
    ece: Spread
    brier_before: Spread
    brier: Spread
    precision_before: Spread  # of all claims
    coverage: Spread | None  # share of the claims at or above their threshold; None without a target
    precision: Spread | None  # of those
    without_threshold: int  # halves whose claims were all left to a person: no threshold reached the target


class _Half(NamedTuple):
    ece_before: float
    ece: float
    brier_before: float
    brier: float
    precision_before: float
    coverage: float
    precision: float | None


def held_out(claims: Sequence[LabelledClaim], target: float | None, level: float, seed: int = 0) -> HeldOut | None:
    """Return the figures of `HALVINGS` random halvings of the items; None with fewer than two items."""
    items = sorted({claim.item_id for claim in claims})
    if len(items) < 2:
        return None
    halves = [
        _measured(fit_calibration(fitted_on, model="", target_precision=target, level=level), measured_on, bool(target))
        for fitted_on, measured_on in _halves(claims, items, seed)
    ]
    kept = [half.precision for half in halves if half.precision is not None]
    return HeldOut(
        halvings=HALVINGS,
        claims=len(claims),
        ece_before=_spread(half.ece_before for half in halves),
        ece=_spread(half.ece for half in halves),
        brier_before=_spread(half.brier_before for half in halves),
        brier=_spread(half.brier for half in halves),
        precision_before=_spread(half.precision_before for half in halves),
        coverage=_spread(half.coverage for half in halves) if target else None,
        precision=_spread(kept) if target and kept else None,
        without_threshold=len(halves) - len(kept) if target else 0,
    )


def _halves(
    claims: Sequence[LabelledClaim], items: Sequence[str], seed: int
) -> Iterator[tuple[list[LabelledClaim], list[LabelledClaim]]]:
    """Yield the claims to fit on and those to measure, both ways of each halving; an item's claims stay together."""
    lot = random.Random(seed)  # noqa: S311 - a reproducible draw, no secret
    for _ in range(HALVINGS):
        half = set(lot.sample(items, len(items) // 2))
        one = [claim for claim in claims if claim.item_id in half]
        other = [claim for claim in claims if claim.item_id not in half]
        yield one, other
        yield other, one


def _measured(model: CalibrationModel, claims: Sequence[LabelledClaim], targeted: bool) -> _Half:
    pairs = [(claim, model.of(claim.features)) for claim in claims]
    before = calibration(Judged(confidence=claim.raw, right=claim.right) for claim in claims)
    after = calibration(Judged(confidence=confidence, right=claim.right) for claim, confidence in pairs)
    kept = [claim.right for claim, sure in pairs if not targeted or sure >= model.least(claim.attribute, claim.kind)]
    return _Half(
        ece_before=before.ece,
        ece=after.ece,
        brier_before=before.brier,
        brier=after.brier,
        precision_before=fmean(claim.right for claim in claims),
        coverage=len(kept) / len(claims),
        precision=fmean(kept) if kept else None,
    )


def _spread(figures: Iterable[float]) -> Spread:
    found = list(figures)
    return Spread(mean=fmean(found), deviation=pstdev(found))
