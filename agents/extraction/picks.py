"""Title spans for open attributes: what rules leave on offer, and what a small model picks of it."""

from collections.abc import Sequence

from pydantic import RootModel

from agents.extraction.text_claims import text_claim
from agents.extraction.turn import AGENT, Turn
from agents.phrasing import phrase_item
from agents.reading.rules import says_nothing
from agents.reading.text_spans import Span
from agents.reading.title_offers import offered_spans
from memory.category import AttributeSpec, TitlePosition
from memory.schema import Claim, Evidence

SINGLE_OFFER_CONFIDENCE = 0.6  # of the one span that rules leave; not calibrated
PICKED_CONFIDENCE = 0.5  # of a span that a small model picked; not calibrated


class PickAnswer(RootModel[dict[str, str]]):
    """What a model that only picks answers: for the key one of the title spans on offer."""


async def pick(turn: Turn, found: Sequence[Claim]) -> list[Claim]:
    """Claim title spans for the open attributes that no rule could read, one attribute after the other.

    Where rules leave one span, that is it; where they leave several, the model picks, or nothing is claimed where it
    may not. It may not answer "absent": measured, SmolLM2-135M then says so of nearly every model (docs/adr/0004).
    """
    known = {claim.name for claim in found}
    wanted = [s for s in turn.template.attributes if s.title_position is not None and s.key not in known]
    claims: list[Claim] = []
    # The brand first: the model's name is looked for behind it.
    for spec in sorted(wanted, key=lambda spec: spec.title_position is not TitlePosition.START):
        offers = _offers(turn, spec, [*found, *claims])
        if len(offers) == 1 or (offers and turn.model.capabilities.picks):
            span = offers[0] if len(offers) == 1 else await _picked(turn, spec, offers)
            evidence = Evidence.at(turn.item, span.field, span.start, span.end)
            sure = SINGLE_OFFER_CONFIDENCE if len(offers) == 1 else PICKED_CONFIDENCE
            claims.append(text_claim(spec, span.text, evidence, sure, "rule" if len(offers) == 1 else "model"))
    return claims


def _offers(turn: Turn, spec: AttributeSpec, found: Sequence[Claim]) -> list[Span]:
    spans = offered_spans(turn.item, spec, turn.template, found, turn.shop_words)
    refused = turn.corrections.refused
    return [span for span in spans if (spec.key, span.text) not in refused and not says_nothing(span.text)]


async def _picked(turn: Turn, spec: AttributeSpec, offers: Sequence[Span]) -> Span:
    rendered = turn.prompt.render(item=phrase_item(turn.item, fields=("title",)), attributes=spec.key, corrections="")
    answer = await turn.model.ask(
        rendered,
        PickAnswer,
        agent=AGENT,
        item_id=turn.item.id,
        round=turn.round,
        json_schema=_pick_schema(spec.key, [span.text for span in offers]),
    )
    picked = answer.parsed.root.get(spec.key)
    # A server that does not hold the answer to the schema may say anything; then the first offer stands.
    return next((span for span in offers if span.text == picked), offers[0])


def _pick_schema(key: str, offers: list[str]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {key: {"type": "string", "enum": offers}},
        "required": [key],
        "additionalProperties": False,
    }
