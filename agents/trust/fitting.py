"""Fitting a calibration to judged claims, and the thresholds that keep a target precision."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents.trust.confidence import ALL, NEVER, CalibrationModel, Threshold
from agents.trust.features import RAW
from evaluators.significance import precision_bound
from memory.record import Record

RIDGE = 1.0  # weight of the penalty on all weights but the intercept: few claims say little of a rare feature
_STEPS = 100
_ENOUGH = 1e-9

Floats = NDArray[np.float64]


class LabelledClaim(Record):
    """A claim's features, and whether it is right."""

    item_id: str
    attribute: str
    value: str = ""  # in its normal form
    kind: str
    features: dict[str, float]
    raw: float  # its producer's own confidence
    right: bool


def fit_calibration(
    judged: Sequence[LabelledClaim], *, model: str, target_precision: float | None = None, level: float = 0.95
) -> CalibrationModel:
    """Return the calibration that makes the judged claims likeliest, with the thresholds of a target precision.

    Newton's method on the penalized logistic loss; the weight of the producer's own confidence is kept at 0 or above.
    Without claims every confidence is 1/2.
    """
    names = sorted({name for claim in judged for name in claim.features} | {RAW})
    rows = np.array([[claim.features.get(name, 0.0) for name in names] for claim in judged], dtype=np.float64)
    right = np.array([claim.right for claim in judged], dtype=np.float64)
    rows = np.column_stack([np.ones(len(judged)), rows.reshape(len(judged), len(names))])
    weights = _fitted(rows, right, names)
    if weights[1 + names.index(RAW)] < 0:
        rows[:, 1 + names.index(RAW)] = 0.0
        weights = _fitted(rows, right, names)
    fitted = CalibrationModel(
        model=model,
        claims=len(judged),
        intercept=float(weights[0]),
        weights=dict(zip(names, map(float, weights[1:]), strict=True)),
        target_precision=target_precision,
        level=level,
    )
    return fitted if target_precision is None else with_thresholds(fitted, judged, target_precision, level)


def with_thresholds(
    model: CalibrationModel, judged: Sequence[LabelledClaim], target: float, level: float = 0.95
) -> CalibrationModel:
    """Return the calibration with thresholds: by attribute and kind where these claims allow one, and for all.

    A threshold is the lowest confidence from which on the lower bound of the claims' precision (Clopper & Pearson 1934,
    one-sided, at `level`) reaches the target. Of all claims it is `NEVER` where none does.
    """
    groups: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for claim in judged:
        entry = (model.of(claim.features), claim.right)
        for name in (claim.attribute, f"kind {claim.kind}", ALL):
            groups[name].append(entry)
    found = {name: _threshold(entries, target, level) for name, entries in groups.items()}
    found[ALL] = found.get(ALL) or Threshold(confidence=NEVER, claims=0, right=0, lower_bound=0)
    kept = {name: threshold for name, threshold in sorted(found.items()) if threshold}
    return model.model_copy(update={"target_precision": target, "level": level, "thresholds": kept})


def _threshold(entries: Sequence[tuple[float, bool]], target: float, level: float) -> Threshold | None:
    ordered = sorted(entries, reverse=True)
    best: Threshold | None = None
    right = 0
    for claims, (confidence, is_right) in enumerate(ordered, start=1):
        right += is_right
        if claims < len(ordered) and ordered[claims][0] == confidence:
            continue  # equal confidences are never parted
        bound = precision_bound(right, claims, level)
        if bound >= target:
            best = Threshold(confidence=confidence, claims=claims, right=right, lower_bound=bound)
    return best


def _fitted(rows: Floats, right: Floats, names: Sequence[str]) -> Floats:
    weights = np.zeros(rows.shape[1])
    penalty = np.full(rows.shape[1], RIDGE)
    penalty[0] = 1e-3  # so that claims that are all right do not send it to infinity
    prior = np.zeros(rows.shape[1])
    prior[1 + names.index(RAW)] = 1.0  # without evidence, a producer is believed
    weights += prior
    for _ in range(_STEPS):
        likely = 1 / (1 + np.exp(-np.clip(rows @ weights, -30, 30)))
        gradient = rows.T @ (likely - right) + penalty * (weights - prior)
        curvature = (rows * (likely * (1 - likely))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights -= step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < _ENOUGH:
            break
    return weights
