"""What a claim's confidence is judged by."""

from math import log

from memory.category import AttributeSpec, AttributeType
from memory.rulings import JudgedClaim
from memory.schema import Claim

RAW = "raw"  # the log-odds of the producer's own confidence; the one feature that must not count against a claim
_MOST_ODDS = 4.6  # a producer that says 0 or 1 is taken at .01 or .99
_KINDS = {
    AttributeType.TEXT: "open",
    AttributeType.ENUM: "chosen",
    AttributeType.BOOLEAN: "chosen",
    AttributeType.COUNT: "number",
    AttributeType.NUMBER: "number",
    AttributeType.QUANTITY: "number",
}


def kind_of(spec: AttributeSpec) -> str:
    """Return the kind of an attribute's values: open, chosen or number."""
    return _KINDS[spec.type]


def features(claim: Claim | JudgedClaim, kind: str) -> dict[str, float]:
    """Return the features of a claim by name; what is missing counts as 0."""
    raw = claim.confidence if claim.raw_confidence is None else claim.raw_confidence
    place = _field(claim) or "nowhere"
    place = place if place in ("title", "description", "nowhere") else "column"
    return {
        RAW: odds(raw),
        f"producer {claim.producer}": 1.0,
        f"kind {kind}": 1.0,
        f"place {place}": 1.0,
        "seconded": float(bool(claim.seconded_by)),
        "disputed": float(claim.disputed),
        "length": log(1 + len(claim.value.split())),
    }


def _field(claim: Claim | JudgedClaim) -> str | None:
    """Return the field in which the claim's evidence stands."""
    if isinstance(claim, JudgedClaim):
        return claim.field
    return claim.evidence.field if claim.evidence else None


def odds(probability: float) -> float:
    """Return the log-odds of a probability, cut to ±4.6 (.99)."""
    if not 0 < probability < 1:
        return _MOST_ODDS if probability >= 1 else -_MOST_ODDS
    return max(-_MOST_ODDS, min(_MOST_ODDS, log(probability / (1 - probability))))
