"""Claims with evidence, as every producer but the rules makes them."""

from agents.values.normalization import ValueProblem, normalize
from memory.category import AttributeSpec
from memory.schema import Claim, ClaimSource, Evidence, Producer


def text_claim(spec: AttributeSpec, value: str, evidence: Evidence, confidence: float, producer: Producer) -> Claim:
    """Return a text claim; a value that has no normal form keeps its own, and the critic says what is wrong with it."""
    try:
        normal = normalize(value, spec)
        normalized, unit = normal.text, normal.unit
    except ValueProblem:
        normalized, unit = value, None
    return Claim(
        id=spec.key,
        name=spec.key,
        value=value,
        normalized=normalized,
        unit=unit,
        source=ClaimSource.TEXT,
        evidence=evidence,
        confidence=confidence,
        producer=producer,
    )
