"""Claims that nothing speaks against but that they are not sure enough: they are left to a person."""

from collections.abc import Sequence

from agents.trust.confidence import CalibrationModel
from memory.category import CategoryTemplate
from memory.schema import Claim, Decision, Reason, Verdict


def abstaining(
    claims: Sequence[Claim],
    verdicts: Sequence[Verdict],
    template: CategoryTemplate,
    calibration: CalibrationModel | None,
) -> list[Verdict]:
    """Return the verdicts, those that accept a claim below its attribute's threshold turned into abstentions."""
    if calibration is None or not calibration.thresholds:
        return list(verdicts)
    pairs = zip(claims, verdicts, strict=True)
    return [_abstained(claim, verdict, template, calibration) or verdict for claim, verdict in pairs]


def _abstained(
    claim: Claim, verdict: Verdict, template: CategoryTemplate, calibration: CalibrationModel
) -> Verdict | None:
    spec = template.spec(claim.name)
    threshold = calibration.threshold(spec) if spec else None
    sure = claim.producer == "human" or threshold is None or claim.confidence >= threshold.confidence
    if sure or verdict.decision is not Decision.ACCEPT or threshold is None:
        return None
    least = "no confidence" if threshold.confidence > 1 else f"{threshold.confidence:.3f}"
    note = f"{claim.confidence:.3f}, where {least} keeps a precision of {calibration.target_precision}"
    return verdict.model_copy(
        update={"decision": Decision.ABSTAIN, "reason": Reason.LOW_CONFIDENCE, "checked_by": "code", "note": note}
    )
