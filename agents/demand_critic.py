"""The demand critic: rules on each demand, by code first, then by the model on what a model stated."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agents.answering import Interviewer
from agents.demand_checks import check_demands
from agents.item_questions import ask_about_item
from agents.phrasing import phrase_claims, phrase_demands, phrase_path
from memory.category import CategoryTemplate
from memory.demand_space import DemandSpace
from memory.schema import CatalogItem, Claim, Decision, Demand, Reason, Verdict
from prompts.library import Prompt, RenderedPrompt

AGENT = "demand_critic"
NOTE_LIMIT = 200


class RulingOnDemand(BaseModel):
    """What the model says of one demand."""

    model_config = ConfigDict(extra="forbid")

    demand_id: str
    decision: Literal[Decision.ACCEPT, Decision.REJECT]
    note: str


class DemandRulings(BaseModel):
    """What the model says of all demands that it was shown."""

    model_config = ConfigDict(extra="forbid")

    rulings: list[RulingOnDemand]


async def review_demands(
    item: CatalogItem,
    demands: Sequence[Demand],
    template: CategoryTemplate,
    accepted: Sequence[Claim],
    *,
    space: DemandSpace | None,
    model: Interviewer,
    prompt: Prompt,
) -> list[Verdict]:
    """Return one verdict a demand, in order; one that the model leaves unruled is rejected.

    A category's own demands are not put to the model.
    """
    verdicts = check_demands(demands, accepted, department=template.path[0], space=space)
    accepted_ids = {verdict.claim_id for verdict in verdicts if verdict.decision is Decision.ACCEPT}
    passed = [demand for demand in demands if demand.id in accepted_ids and demand.producer == "model"]
    if not passed or not model.capabilities.weighs:
        return verdicts

    def render(text: str) -> RenderedPrompt:
        category, claims = phrase_path(template.path), phrase_claims(accepted)
        return prompt.render(item=text, category=category, claims=claims, demands=phrase_demands(passed))

    schema = _one_ruling_each([demand.id for demand in passed])
    answer = await ask_about_item(item, render, DemandRulings, model=model, agent=AGENT, json_schema=schema)
    ruled = _strictest(answer.parsed.rulings)
    judged = {demand.id: _verdict(demand, ruled.get(demand.id)) for demand in passed}
    return [judged.get(verdict.claim_id, verdict) for verdict in verdicts]


def _strictest(rulings: Sequence[RulingOnDemand]) -> dict[str, RulingOnDemand]:
    """Return one ruling a demand; of two the stricter: a text that talks the model into a second one gains nothing."""
    return {ruling.demand_id: ruling for ruling in sorted(rulings, key=lambda r: r.decision is Decision.REJECT)}


def _verdict(demand: Demand, ruling: RulingOnDemand | None) -> Verdict:
    if ruling is None:
        decision, reason, note = Decision.REJECT, Reason.UNRULED, ""
    else:
        decision, note = ruling.decision, ruling.note[:NOTE_LIMIT]
        reason = Reason.SUPPORTED if decision is Decision.ACCEPT else Reason.IMPLAUSIBLE
    return Verdict(claim_id=demand.id, decision=decision, reason=reason, checked_by="model", note=note)


def _one_ruling_each(ids: list[str]) -> dict[str, object]:
    """Return the schema of as many rulings as demands, each on one of them: no id is new or mistyped."""
    ruling = {
        "type": "object",
        "properties": {
            "demand_id": {"type": "string", "enum": ids},
            "decision": {"type": "string", "enum": ["accept", "reject"]},
            "note": {"type": "string"},
        },
        "required": ["demand_id", "decision", "note"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"rulings": {"type": "array", "items": ruling, "minItems": len(ids), "maxItems": len(ids)}},
        "required": ["rulings"],
        "additionalProperties": False,
    }
