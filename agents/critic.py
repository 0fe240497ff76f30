"""The critic: rules on each claim, by code first, then by the model where it can judge."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.answering import Interviewer
from agents.claim_checks import check_claims
from agents.extraction.aids import NO_AIDS, Aids
from agents.extraction.cascade import is_sure
from agents.item_questions import ask_about_item
from agents.phrasing import phrase_claims, phrase_path
from agents.trust.abstention import abstaining
from memory.category import CategoryTemplate
from memory.schema import CatalogItem, Claim, Decision, Reason, Verdict
from prompts.library import Prompt

AGENT = "critic"
NOTE_LIMIT = 200
STRICTEST_FIRST = (Decision.REJECT, Decision.REVISE, Decision.ACCEPT)  # what a model may say


class RulingOnClaim(BaseModel):
    """What the model says of one claim."""

    model_config = ConfigDict(extra="forbid")

    claim_id: str
    decision: Literal[Decision.ACCEPT, Decision.REVISE, Decision.REJECT]
    note: str


class Ruling(BaseModel):
    """What the model says of all claims that it was shown."""

    model_config = ConfigDict(extra="forbid")

    verdicts: list[RulingOnClaim]


async def review_claims(
    item: CatalogItem,
    claims: Sequence[Claim],
    template: CategoryTemplate,
    *,
    accepted: Sequence[Claim] = (),
    model: Interviewer,
    prompt: Prompt,
    aids: Aids = NO_AIDS,
    round: int = 0,  # noqa: A002 - the field's own name
) -> list[Verdict]:
    """Return one verdict a claim, in order; a claim that the model leaves unruled is rejected.

    `accepted` are the claims let through in earlier rounds; a new claim may not contradict them. In a cascade the model
    is not asked about claims that are sure without it; what is accepted with less confidence than the calibration asks
    for is left to a person.
    """
    verdicts = check_claims(item, claims, template, accepted=accepted, round=round)
    passed = [claim for claim, verdict in zip(claims, verdicts, strict=True) if verdict.decision is Decision.ACCEPT]
    asked = [claim for claim in passed if not (aids.cascade and _is_sure(claim, template, aids))]
    if asked and model.capabilities.judges:
        judged = await _judged(item, asked, template, model=model, prompt=prompt, round_number=round)
        verdicts = [judged.get(verdict.claim_id, verdict) for verdict in verdicts]
    return abstaining(claims, verdicts, template, aids.calibration)


def _is_sure(claim: Claim, template: CategoryTemplate, aids: Aids) -> bool:
    spec = template.spec(claim.name)
    return spec is not None and is_sure(claim, spec, aids.calibration)


async def _judged(
    item: CatalogItem,
    passed: Sequence[Claim],
    template: CategoryTemplate,
    *,
    model: Interviewer,
    prompt: Prompt,
    round_number: int,
) -> dict[str, Verdict]:
    """Return the model's verdicts on claims that code let through, by claim id."""
    answer = await ask_about_item(
        item,
        lambda text: prompt.render(item=text, category=phrase_path(template.path), claims=phrase_claims(passed)),
        Ruling,
        model=model,
        agent=AGENT,
        round=round_number,
        json_schema=_one_ruling_each([claim.id for claim in passed]),
    )
    ruled = _strictest(answer.parsed.verdicts)
    return {claim.id: _verdict(claim, ruled.get(claim.id), round_number) for claim in passed}


def _strictest(rulings: Sequence[RulingOnClaim]) -> dict[str, RulingOnClaim]:
    """Return one ruling a claim; of two the stricter: a text that talks the model into a second one gains nothing."""
    return {ruling.claim_id: ruling for ruling in sorted(rulings, key=_leniency, reverse=True)}


def _leniency(ruling: RulingOnClaim) -> int:
    return STRICTEST_FIRST.index(ruling.decision)


def _verdict(claim: Claim, ruling: RulingOnClaim | None, round_number: int) -> Verdict:
    if ruling is None:
        decision, reason, note = Decision.REJECT, Reason.UNRULED, ""
    else:
        decision, note = ruling.decision, ruling.note[:NOTE_LIMIT]
        reason = Reason.SUPPORTED if decision is Decision.ACCEPT else Reason.UNSUPPORTED
    return Verdict(
        claim_id=claim.id, decision=decision, reason=reason, checked_by="model", note=note, round=round_number
    )


def _one_ruling_each(ids: list[str]) -> dict[str, object]:
    """Return the schema of as many rulings as claims, each on one of them: no id is new or mistyped."""
    ruling = {
        "type": "object",
        "properties": {
            "claim_id": {"type": "string", "enum": ids},
            "decision": {"type": "string", "enum": ["accept", "revise", "reject"]},
            "note": {"type": "string"},
        },
        "required": ["claim_id", "decision", "note"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"verdicts": {"type": "array", "items": ruling, "minItems": len(ids), "maxItems": len(ids)}},
        "required": ["verdicts"],
        "additionalProperties": False,
    }
