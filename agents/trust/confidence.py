"""Calibrated confidences: a logistic model over a claim's features, and the thresholds of a target precision."""

import hashlib
from collections.abc import Iterable, Mapping
from math import exp
from pathlib import Path
from typing import Literal, Self

import orjson
from pydantic import Field, ValidationError, model_validator

from agents.trust.features import RAW, features, kind_of
from memory.category import AttributeSpec, CategoryTemplate
from memory.errors import ReaseqError
from memory.record import Record
from memory.schema import Claim

ALL = "*"  # the threshold of attributes of which too few claims were judged to have one of their own
NEVER = 1.01  # no confidence is this high: every claim is left to a person


class CalibrationUnreadable(ReaseqError):
    """A file is no calibration."""


class Threshold(Record):
    """From which confidence on claims are accepted, and what that was worth where it was found."""

    confidence: float = Field(ge=0, le=NEVER)
    claims: int = Field(ge=0)  # judged ones at or above it
    right: int = Field(ge=0)
    lower_bound: float = Field(ge=0, le=1)  # of their precision (Clopper-Pearson, one-sided)


class CalibrationModel(Record):
    """What confidences are calibrated by; Platt's logistic calibration (1999) with further features.

    `thresholds` are by attribute key, by kind ("kind open", "kind chosen", "kind number"), and "*".
    """

    format: Literal["reaseq-calibration/1"] = "reaseq-calibration/1"
    model: str  # the spec of the model whose claims it was fitted on
    claims: int = Field(ge=0)  # how many judged ones it was fitted on
    intercept: float
    weights: dict[str, float]
    target_precision: float | None = None
    level: float = 0.95  # of the lower bounds
    thresholds: dict[str, Threshold] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _more_is_never_less(self) -> Self:
        if self.weights.get(RAW, 0.0) < 0:
            raise ValueError("the weight of a producer's own confidence is negative")
        return self

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of all of it."""
        return hashlib.sha256(orjson.dumps(self.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)).hexdigest()

    def confidence(self, claim: Claim, spec: AttributeSpec) -> float:
        """Return how likely the claim is right; it never falls where the producer's own confidence rises."""
        return self.of(features(claim, kind_of(spec)))

    def of(self, measured: Mapping[str, float]) -> float:
        """Return the probability that these features give."""
        score = self.intercept + sum(self.weights.get(name, 0.0) * value for name, value in measured.items())
        return 1 / (1 + exp(-max(-30.0, min(30.0, score))))

    def threshold(self, spec: AttributeSpec) -> Threshold | None:
        """Return the attribute's own threshold, else that of its kind, else that of all; None where none is asked."""
        return self._threshold(spec.key, kind_of(spec))

    def least(self, attribute: str, kind: str) -> float:
        """Return the confidence from which on claims of an attribute of this kind are accepted; 0 where any is."""
        threshold = self._threshold(attribute, kind)
        return threshold.confidence if threshold else 0.0

    def _threshold(self, attribute: str, kind: str) -> Threshold | None:
        found = (self.thresholds.get(name) for name in (attribute, f"kind {kind}", ALL))
        return next((threshold for threshold in found if threshold), None)


def calibrated(claims: Iterable[Claim], template: CategoryTemplate, model: CalibrationModel | None) -> list[Claim]:
    """Return the claims with calibrated confidences, their producers' own beside them; a person's stay."""
    return [_calibrated(claim, template.spec(claim.name), model) for claim in claims]


def read_calibration(path: Path) -> CalibrationModel:
    """Return the calibration of a file; `CalibrationUnreadable` names file and reason."""
    try:
        return CalibrationModel.model_validate_json(path.read_bytes())
    except OSError as error:
        raise CalibrationUnreadable(f"{path}: {error.strerror or error}") from error
    except ValidationError as error:
        raise CalibrationUnreadable(f"{path} is no calibration: {error.errors()[0]['msg']}") from None


def _calibrated(claim: Claim, spec: AttributeSpec | None, model: CalibrationModel | None) -> Claim:
    if model is None or spec is None or claim.producer == "human":
        return claim
    return claim.model_copy(update={"confidence": model.confidence(claim, spec), "raw_confidence": claim.confidence})
