"""Which attributes need no model: those that cheap producers are sure of."""

from collections.abc import Iterable, Sequence

from agents.claim_checks import value_fault
from agents.trust.confidence import CalibrationModel
from memory.category import AttributeSpec, CategoryTemplate
from memory.schema import Claim

SURE = 0.9  # where no calibration says from which confidence on a claim is accepted
SURELY_ABSENT = 0.1  # the student says of an attribute that the title states it with less than this probability


def settled(
    template: CategoryTemplate,
    claims: Sequence[Claim],
    stated: Iterable[tuple[str, float]],
    calibration: CalibrationModel | None,
) -> set[str]:
    """Return the keys of attributes that are surely claimed, undisputed, or surely absent.

    An attribute of many values is settled where all of its claims are sure. A value that the attribute cannot have
    settles nothing, however surely it is written. `stated` holds how likely the item states an attribute, where that is
    known.
    """
    absent = {key for key, probability in stated if probability < SURELY_ABSENT}
    found: set[str] = set()
    for spec in template.attributes:
        own = [claim for claim in claims if claim.name == spec.key]
        sure = all(is_sure(claim, spec, calibration) and value_fault(claim, spec) is None for claim in own)
        if sure if own else spec.key in absent:
            found.add(spec.key)
    return found


def is_sure(claim: Claim, spec: AttributeSpec, calibration: CalibrationModel | None) -> bool:
    """Say whether a claim of a cheap producer is accepted without a model."""
    threshold = calibration.threshold(spec) if calibration else None
    least = max(SURE, threshold.confidence) if threshold else SURE
    return not claim.disputed and claim.producer != "model" and claim.confidence >= least
