"""Claims with evidence, as every producer but the rules makes them."""

from typing import TYPE_CHECKING

from agents.values.snapping import normalize_or_snap
from memory.category import AttributeSpec
from memory.schema import Claim, ClaimSource, Evidence, Producer

if TYPE_CHECKING:
    from memory.encoder import TextEncoder


def text_claim(
    spec: AttributeSpec,
    value: str,
    evidence: Evidence,
    confidence: float,
    producer: Producer,
    *,
    encoder: "TextEncoder | None" = None,
) -> Claim:
    """Return a text claim; a value that has no normal form keeps its own, and the critic says what is wrong with it.

    A word that comes near an allowed value is taken for it, with less confidence.
    """
    normal, score = normalize_or_snap(value, spec, encoder)
    return Claim(
        id=spec.key,
        name=spec.key,
        value=value,
        normalized=normal.text,
        unit=normal.unit,
        source=ClaimSource.TEXT,
        evidence=evidence,
        confidence=confidence if score is None else confidence * score,
        producer=producer,
        snapped=score,
    )
