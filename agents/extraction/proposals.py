"""Values that a capable model states of its own, each with a quote of the item's text."""

from pydantic import BaseModel, ConfigDict, Field

from agents.extraction.text_claims import text_claim
from agents.extraction.turn import AGENT, Turn
from agents.item_questions import ask_about_item
from agents.phrasing import phrase_attributes, phrase_corrections, shown_texts
from agents.reading.text_spans import find_span
from memory.schema import CatalogItem, Claim, Evidence, UngroundedProposal

MOST_PROPOSALS = 200  # of one answer; the rest is noise or attack


class Proposal(BaseModel):
    """One value as the model states it."""

    model_config = ConfigDict(extra="forbid")

    attribute: str
    value: str = Field(min_length=1)
    field: str
    quote: str
    confidence: float = Field(ge=0, le=1)


class ProposalAnswer(BaseModel):
    """What a capable model answers."""

    model_config = ConfigDict(extra="forbid")

    claims: list[Proposal]


async def propose(turn: Turn) -> tuple[list[Claim], list[UngroundedProposal]]:
    """Ask a capable model for values of its own, each with a quote."""
    if not turn.template.attributes:
        return [], []
    claims: list[Claim] = []
    ungrounded: list[UngroundedProposal] = []
    for proposal in (await _proposals(turn))[:MOST_PROPOSALS]:
        spec = turn.template.spec(proposal.attribute)
        if spec is None or not proposal.value.strip():
            continue
        evidence = _evidence(turn.item, proposal)
        if evidence is None:
            ungrounded.append(_ungrounded(proposal, turn.round))
        else:
            claims.append(
                text_claim(spec, proposal.value.strip(), evidence, proposal.confidence, "model", encoder=turn.encoder)
            )
    return claims, ungrounded


async def _proposals(turn: Turn) -> list[Proposal]:
    keys = [spec.key for spec in turn.template.attributes]
    answer = await ask_about_item(
        turn.item,
        lambda text: turn.prompt.render(**_slots(turn, text)),
        ProposalAnswer,
        model=turn.model,
        agent=AGENT,
        round=turn.round,
        json_schema=_proposal_schema(keys, [name for name, _ in shown_texts(turn.item)]),
    )
    return answer.parsed.claims


def _slots(turn: Turn, item: str) -> dict[str, str]:
    """Return what the prompt takes; one that was written before there were demonstrations gets none."""
    slots = {
        "item": item,
        "attributes": phrase_attributes(turn.template.attributes),
        "corrections": phrase_corrections(turn.corrections.failed, turn.corrections.ungrounded),
    }
    if "demonstrations" in turn.prompt.inputs:
        slots["demonstrations"] = turn.demonstrate(turn.item, turn.template)
    return slots


def _evidence(item: CatalogItem, proposal: Proposal) -> Evidence | None:
    """Return the quote's place in the item's text: in the field that was named, else in the first that has it."""
    texts = sorted(item.texts(), key=lambda entry: entry[0] != proposal.field)
    for field, text in texts:
        place = find_span(text, proposal.quote) if proposal.quote.strip() else None
        if place is not None and find_span(text[place[0] : place[1]], proposal.value.strip()) is not None:
            return Evidence.at(item, field, *place)
    return None


def _ungrounded(proposal: Proposal, round_number: int) -> UngroundedProposal:
    return UngroundedProposal(
        name=proposal.attribute, value=proposal.value[:500], quote=proposal.quote[:500], round=round_number
    )


def _proposal_schema(keys: list[str], fields: list[str]) -> dict[str, object]:
    claim = {
        "type": "object",
        "properties": {
            "attribute": {"type": "string", "enum": keys},
            "value": {"type": "string"},
            "field": {"type": "string", "enum": fields},
            "quote": {"type": "string"},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "required": ["attribute", "value", "field", "quote", "confidence"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"claims": {"type": "array", "items": claim}},
        "required": ["claims"],
        "additionalProperties": False,
    }
