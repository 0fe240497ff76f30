"""The attribute extractor: claims about one item, by rules first, then by the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, RootModel

from agents.answering import Interviewer
from agents.item_questions import ask_about_item
from agents.phrasing import phrase_attributes, phrase_corrections, phrase_item, shown_texts
from agents.reading.rules import rule_claims
from agents.reading.text_spans import Span, find_span
from agents.reading.title_offers import offered_spans
from agents.reading.unread_columns import unread_columns
from agents.values.snapping import normalize_or_snap
from memory.category import AttributeSpec, CategoryTemplate, TitlePosition
from memory.schema import CatalogItem, Claim, ClaimSource, Evidence, Producer, UngroundedProposal, Verdict
from prompts.library import Prompt

if TYPE_CHECKING:
    from memory.encoder import TextEncoder

AGENT = "attribute_extractor"
SINGLE_OFFER_CONFIDENCE = 0.6  # of the one span that rules leave; not calibrated
PICKED_CONFIDENCE = 0.5  # of a span that a small model picked; not calibrated
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


class PickAnswer(RootModel[dict[str, str]]):
    """What a model that only picks answers: for the key one of the title spans on offer."""


@dataclass(frozen=True)
class Corrections:
    """What was refused in earlier rounds, and why; the next round does not offer it again."""

    failed: tuple[tuple[Claim, Verdict], ...] = ()
    ungrounded: tuple[UngroundedProposal, ...] = ()
    settled: frozenset[tuple[str, str]] = frozenset()  # refused in rounds before the last

    @property
    def attributes(self) -> set[str]:
        """The attributes that go back to the extractor."""
        return {claim.name for claim, _ in self.failed} | {proposal.name for proposal in self.ungrounded}

    @property
    def refused(self) -> frozenset[tuple[str, str]]:
        """The (attribute, normalized value) pairs that were refused in any round."""
        return self.settled | frozenset((claim.name, claim.normalized) for claim, _ in self.failed)


@dataclass(frozen=True)
class Extraction:
    """The claims of one round, and the proposals that no span of the text supports."""

    claims: tuple[Claim, ...]
    ungrounded: tuple[UngroundedProposal, ...] = ()


@dataclass(frozen=True)
class _Turn:
    """One turn of the extractor: the item, the attributes wanted, and what to ask with."""

    item: CatalogItem
    template: CategoryTemplate
    corrections: Corrections
    model: Interviewer
    prompt: Prompt
    shop_words: frozenset[str]
    encoder: "TextEncoder | None"
    round: int


async def extract_claims(
    item: CatalogItem,
    template: CategoryTemplate,
    *,
    model: Interviewer,
    prompt: Prompt,
    shop_words: frozenset[str] = frozenset(),
    encoder: "TextEncoder | None" = None,
    corrections: Corrections | None = None,
    round: int = 0,  # noqa: A002 - the field's own name
) -> Extraction:
    """Return claims for the template's attributes; in later rounds for those that `corrections` names.

    `shop_words` are the folded words of the taxonomy: no brand begins with one. `encoder` tells which allowed value a
    strange word is nearest to; else spelling does. Claim ids (`ROUND.NUMBER.attribute`) are unique within the item.
    """
    corrections = corrections or Corrections()
    wanted = _narrowed(template, corrections) if round else template
    keys = {spec.key for spec in wanted.attributes}
    # Rules get the whole template: which quantity is whose depends on all attributes that could have it.
    found = [claim for claim in rule_claims(item, template, corrections.refused) if claim.name in keys]
    found += [] if round else unread_columns(item, template, encoder)
    turn = _Turn(item, wanted, corrections, model, prompt, shop_words, encoder, round)
    if model.capabilities.proposes:
        answered, ungrounded = await _propose(turn)
    else:
        answered, ungrounded = await _pick(turn, found), []
    merged = _merge(found, answered, corrections.refused)
    numbered = [claim.model_copy(update={"id": f"{round}.{n}.{claim.name}"}) for n, claim in enumerate(merged)]
    return Extraction(tuple(numbered), tuple(ungrounded))


def _narrowed(template: CategoryTemplate, corrections: Corrections) -> CategoryTemplate:
    failed = tuple(spec for spec in template.attributes if spec.key in corrections.attributes)
    return template.model_copy(update={"attributes": failed})


async def _propose(turn: _Turn) -> tuple[list[Claim], list[UngroundedProposal]]:
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
            value = proposal.value.strip()
            claims.append(_claim(spec, value, evidence, proposal.confidence, encoder=turn.encoder))
    return claims, ungrounded


async def _proposals(turn: _Turn) -> list[Proposal]:
    keys = [spec.key for spec in turn.template.attributes]
    answer = await ask_about_item(
        turn.item,
        lambda text: turn.prompt.render(
            item=text,
            attributes=phrase_attributes(turn.template.attributes),
            corrections=phrase_corrections(turn.corrections.failed, turn.corrections.ungrounded),
        ),
        ProposalAnswer,
        model=turn.model,
        agent=AGENT,
        round=turn.round,
        json_schema=_proposal_schema(keys, [name for name, _ in shown_texts(turn.item)]),
    )
    return answer.parsed.claims


async def _pick(turn: _Turn, found: Sequence[Claim]) -> list[Claim]:
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
            claims.append(_claim(spec, span.text, evidence, sure, "rule" if len(offers) == 1 else "model"))
    return claims


def _offers(turn: _Turn, spec: AttributeSpec, found: Sequence[Claim]) -> list[Span]:
    spans = offered_spans(turn.item, spec, turn.template, found, turn.shop_words)
    return [span for span in spans if (spec.key, span.text) not in turn.corrections.refused]


async def _picked(turn: _Turn, spec: AttributeSpec, offers: Sequence[Span]) -> Span:
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


def _evidence(item: CatalogItem, proposal: Proposal) -> Evidence | None:
    """Return the quote's place in the item's text: in the field that was named, else in the first that has it."""
    texts = sorted(item.texts(), key=lambda entry: entry[0] != proposal.field)
    for field, text in texts:
        place = find_span(text, proposal.quote) if proposal.quote.strip() else None
        if place is not None and find_span(text[place[0] : place[1]], proposal.value.strip()) is not None:
            return Evidence.at(item, field, *place)
    return None


def _claim(
    spec: AttributeSpec,
    value: str,
    evidence: Evidence,
    confidence: float,
    producer: Producer = "model",
    *,
    encoder: "TextEncoder | None" = None,
) -> Claim:
    """Return a text claim; a value that has no normal form keeps its own, and the critic says what is wrong with it."""
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


def _ungrounded(proposal: Proposal, round_number: int) -> UngroundedProposal:
    return UngroundedProposal(
        name=proposal.attribute, value=proposal.value[:500], quote=proposal.quote[:500], round=round_number
    )


def _merge(found: Sequence[Claim], answered: Sequence[Claim], refused: frozenset[tuple[str, str]]) -> list[Claim]:
    """Return the rules' claims, then the model's that say something else and were not refused before."""
    known = {(claim.name, claim.normalized, claim.unit) for claim in found}
    fresh: dict[tuple[str, str, str | None], Claim] = {}
    for claim in answered:
        key = (claim.name, claim.normalized, claim.unit)
        if key not in known and (claim.name, claim.normalized) not in refused:
            fresh.setdefault(key, claim)
    return [*found, *fresh.values()]


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


def _pick_schema(key: str, offers: list[str]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": {key: {"type": "string", "enum": offers}},
        "required": [key],
        "additionalProperties": False,
    }
