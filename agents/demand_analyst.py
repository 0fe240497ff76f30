"""The demand analyst: what somebody may want of an item, from the category and from a capable model's knowledge."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from agents.answering import Interviewer
from agents.item_questions import ask_about_item
from agents.phrasing import phrase_category_demands, phrase_claims, phrase_path
from memory.category import CategoryTemplate
from memory.relation import Relation
from memory.schema import CatalogItem, Claim, Demand
from memory.text import plain_text
from prompts.library import Prompt

AGENT = "demand_analyst"
MOST_DEMANDS = 12  # of a model; what it says beyond them is not read
LONGEST_DEMAND = 200  # characters
MOST_REASONS = 20  # claims that one demand rests on
# Of a category's demands: constants that rank them among each other and below what a model is sure of; not calibrated.
CATEGORY_PLAUSIBILITY = 0.9
CATEGORY_TYPICALITY = 0.5


class ProposedDemand(BaseModel):
    """One demand as the model states it."""

    model_config = ConfigDict(extra="forbid")

    relation: Relation
    text: str
    positive: bool
    plausibility: float = Field(ge=0, le=1)
    typicality: float = Field(ge=0, le=1)
    rests_on: list[str]


class DemandsAnswer(BaseModel):
    """What the model answers."""

    model_config = ConfigDict(extra="forbid")

    demands: list[ProposedDemand]


async def propose_demands(
    item: CatalogItem, template: CategoryTemplate, accepted: Sequence[Claim], *, model: Interviewer, prompt: Prompt
) -> list[Demand]:
    """Return the demands of the category, then those that a capable model adds; none has been judged yet.

    They are knowledge of the world: none has evidence, and the item's text proves none.
    """
    known = category_demands(template)
    if not model.capabilities.supposes:
        return known
    answer = await ask_about_item(
        item,
        lambda text: prompt.render(
            item=text,
            category=phrase_path(template.path),
            claims=phrase_claims(accepted),
            known_demands=phrase_category_demands(template.demands),
        ),
        DemandsAnswer,
        model=model,
        agent=AGENT,
        json_schema=_resting_on([claim.id for claim in accepted]),
    )
    phrased = [(proposal, _cleaned(proposal.text)) for proposal in answer.parsed.demands[:MOST_DEMANDS]]
    kept = [(proposal, text) for proposal, text in phrased if text]
    return known + [_demand(f"d{n}", proposal, text) for n, (proposal, text) in enumerate(kept, len(known) + 1)]


def category_demands(template: CategoryTemplate) -> list[Demand]:
    """Return what somebody may want of anything in the category."""
    return [
        Demand(
            id=f"d{number}",
            relation=demand.relation,
            text=demand.text,
            plausibility=CATEGORY_PLAUSIBILITY,
            typicality=CATEGORY_TYPICALITY,
            producer="template",
        )
        for number, demand in enumerate(template.demands, 1)
    ]


def _cleaned(text: str) -> str:
    """Return the phrase in the one normal form, on one line; empty where it is no phrase."""
    phrase = " ".join(plain_text(text).split())
    return phrase if len(phrase) <= LONGEST_DEMAND else ""


def _demand(demand_id: str, proposal: ProposedDemand, text: str) -> Demand:
    return Demand(
        id=demand_id,
        text=text,
        rests_on=tuple(dict.fromkeys(proposal.rests_on[:MOST_REASONS])),
        producer="model",
        **proposal.model_dump(exclude={"text", "rests_on"}),
    )


def _resting_on(claim_ids: list[str]) -> dict[str, object]:
    """Return the schema of an answer whose demands rest on accepted claims alone."""
    reasons = (
        {"type": "array", "items": {"type": "string", "enum": claim_ids}}
        if claim_ids
        else {"type": "array", "items": {"type": "string"}, "maxItems": 0}
    )
    share = {"type": "number", "minimum": 0, "maximum": 1}
    demand = {
        "type": "object",
        "properties": {
            "relation": {"type": "string", "enum": [relation.value for relation in Relation]},
            "text": {"type": "string"},
            "positive": {"type": "boolean"},
            "plausibility": share,
            "typicality": share,
            "rests_on": reasons,
        },
        "required": ["relation", "text", "positive", "plausibility", "typicality", "rests_on"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"demands": {"type": "array", "items": demand, "maxItems": MOST_DEMANDS}},
        "required": ["demands"],
        "additionalProperties": False,
    }
