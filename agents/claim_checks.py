"""What code can check of a claim without a model: evidence, type, unit, vocabulary, fit and contradiction."""

from collections.abc import Sequence

from agents.reading.text_spans import find_span
from agents.values.normalization import ValueProblem, normalize
from memory.category import AttributeSpec, CategoryTemplate
from memory.schema import CatalogItem, Claim, Decision, Reason, Verdict

# What code makes of a column or a label stays as it is, however often it is asked.
STATED_REASONS = {Reason.NOT_IN_VOCABULARY, Reason.WRONG_TYPE, Reason.WRONG_UNIT, Reason.OUT_OF_RANGE}
# A claim that failed for one of these is settled; sending it back could not make it better.
FINAL_REASONS = {Reason.NOT_IN_TEMPLATE, Reason.CONTRADICTION, Reason.DUPLICATE}


def check_claims(
    item: CatalogItem,
    claims: Sequence[Claim],
    template: CategoryTemplate,
    *,
    accepted: Sequence[Claim] = (),
    round: int = 0,  # noqa: A002 - the field's own name
) -> list[Verdict]:
    """Return one verdict a claim, in order; `accepted` are claims of earlier rounds that stand."""
    standing = list(accepted)
    verdicts: dict[str, Verdict] = {}
    # The most confident claim of an attribute is ruled on first, so that a weaker one contradicts it, not the reverse.
    for claim in sorted(claims, key=lambda claim: -claim.confidence):
        reason, note = _first_fault(item, claim, template, standing)
        if reason is Reason.SUPPORTED:
            standing.append(claim)
        verdicts[claim.id] = Verdict(
            claim_id=claim.id,
            decision=_decision(reason, claim),
            reason=reason,
            checked_by="code",
            note=note,
            round=round,
        )
    return [verdicts[claim.id] for claim in claims]


def _decision(reason: Reason, claim: Claim) -> Decision:
    if reason is Reason.SUPPORTED:
        return Decision.ACCEPT
    settled = reason in FINAL_REASONS or (claim.producer in ("field", "rule") and reason in STATED_REASONS)
    return Decision.REJECT if settled else Decision.REVISE


def _first_fault(
    item: CatalogItem, claim: Claim, template: CategoryTemplate, standing: Sequence[Claim]
) -> tuple[Reason, str]:
    """Return the first thing wrong with the claim and a note on it, or `SUPPORTED`."""
    spec = template.spec(claim.name)
    if spec is None:
        return Reason.NOT_IN_TEMPLATE, f"{template.category_id} has no attribute {claim.name}"
    fault = value_fault(claim, spec) or _evidence_fault(item, claim)
    if fault:
        return fault
    rivals = [other for other in standing if other.name == claim.name]
    if any((o.normalized, o.unit) == (claim.normalized, claim.unit) for o in rivals):
        return Reason.DUPLICATE, f"{claim.name} has this value already"
    if rivals and not spec.many:
        return Reason.CONTRADICTION, f"{claim.name} is already {rivals[0].normalized}"
    return Reason.SUPPORTED, ""


def value_fault(claim: Claim, spec: AttributeSpec) -> tuple[Reason, str] | None:
    """Return what is wrong with the value's type, unit or vocabulary; None where nothing is."""
    try:
        stored = normalize(f"{claim.normalized} {claim.unit}" if claim.unit else claim.normalized, spec)
    except ValueProblem as problem:
        return problem.reason, str(problem)
    if (stored.text, stored.unit) != (claim.normalized, claim.unit):
        return Reason.WRONG_TYPE, f"{claim.normalized!r} is not the normal form {stored.text!r}"
    return None


def _evidence_fault(item: CatalogItem, claim: Claim) -> tuple[Reason, str] | None:
    """Return what is wrong with the evidence: it must stand in this item's text and contain the value."""
    if claim.evidence is None:
        return None
    evidence = claim.evidence
    if item.source(evidence.field)[evidence.start : evidence.end] != evidence.quote:
        return Reason.EVIDENCE_LACKS_VALUE, "the evidence is not of this item"
    if find_span(evidence.quote, claim.value) is None:
        return Reason.EVIDENCE_LACKS_VALUE, f"the quote {evidence.quote!r} does not contain {claim.value!r}"
    return None
