"""The attribute extractor: claims about one item, by cheap producers first, then by models for what remains."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agents.answering import Interviewer
from agents.extraction.aids import NO_AIDS, Aids
from agents.extraction.cascade import settled
from agents.extraction.corrections import Corrections
from agents.extraction.merging import merged
from agents.extraction.picks import pick
from agents.extraction.proposals import propose
from agents.extraction.student_claims import StudentReading
from agents.extraction.turn import AGENT, Turn, narrowed
from agents.reading.rules import rule_claims
from agents.reading.unread_values import unread_values
from agents.trust.confidence import calibrated
from memory.category import CategoryTemplate
from memory.schema import CatalogItem, Claim, UngroundedProposal
from prompts.library import Prompt

__all__ = ["AGENT", "Corrections", "Extraction", "extract_claims"]


@dataclass(frozen=True)
class Extraction:
    """The claims of one round, and the proposals that no span of the text supports."""

    claims: tuple[Claim, ...]
    ungrounded: tuple[UngroundedProposal, ...] = ()


async def extract_claims(
    item: CatalogItem,
    template: CategoryTemplate,
    *,
    model: Interviewer,
    prompt: Prompt,
    shop_words: frozenset[str] = frozenset(),
    aids: Aids = NO_AIDS,
    given: Sequence[Claim] = (),
    corrections: Corrections | None = None,
    round: int = 0,  # noqa: A002 - the field's own name
) -> Extraction:
    """Return claims for the template's attributes; in later rounds for those that `corrections` names.

    `shop_words` are the folded words of the taxonomy: no brand begins with one. Claim ids are unique within the item
    and over rounds: `ROUND.NUMBER.attribute`. `given` claims come first; one for a single value leaves none to ask for.
    """
    corrections = corrections or Corrections()
    wanted = narrowed(template, corrections.attributes if round else _unsettled(template, given))
    # Rules get the whole template: which quantity is whose depends on all attributes that could have it.
    found, reading = _found(item, template, wanted, aids, corrections)
    found = [*given, *found]
    turn = Turn(item, wanted, corrections, model, prompt, shop_words, aids.demonstrate, aids.encoder, round)
    answered, ungrounded = await _answered(turn, found, reading, aids)
    together = calibrated(merged([*found, *answered], wanted, corrections.refused), wanted, aids.calibration)
    together, more = await _escalated(turn, together, aids)
    ungrounded = [*ungrounded, *more]
    numbered = [claim.model_copy(update={"id": f"{round}.{n}.{claim.name}"}) for n, claim in enumerate(together)]
    return Extraction(tuple(numbered), tuple(ungrounded))


def _unsettled(template: CategoryTemplate, given: Sequence[Claim]) -> set[str]:
    """Return the attributes that may have more values than those given."""
    settled = {claim.name for claim in given}
    return {spec.key for spec in template.attributes if spec.many or spec.key not in settled}


def _found(
    item: CatalogItem, template: CategoryTemplate, wanted: CategoryTemplate, aids: Aids, corrections: Corrections
) -> tuple[list[Claim], StudentReading]:
    """Return what rules, look-up and student find without a language model, and what the student thinks is absent."""
    reading = aids.student.read(item, template) if aids.student else StudentReading()
    looked_up = aids.look_up.claims(item, template) if aids.look_up else []
    keys = {spec.key for spec in wanted.attributes}
    read = [*rule_claims(item, template, corrections.refused), *looked_up, *reading.claims]
    known = {claim.name for claim in read}
    unread = [] if corrections.attributes else unread_values(item, template, aids.encoder, known)
    claims = [*read, *unread]
    found = merged((claim for claim in claims if claim.name in keys), wanted, corrections.refused)
    return found, reading


async def _answered(
    turn: Turn, found: Sequence[Claim], reading: StudentReading, aids: Aids
) -> tuple[list[Claim], list[UngroundedProposal]]:
    """Return what the model adds, as far as it can be trusted."""
    if turn.model.capabilities.proposes:
        return await propose(_unsure(turn, found, reading, aids))
    return await pick(turn, found), []


def _unsure(turn: Turn, found: Sequence[Claim], reading: StudentReading, aids: Aids) -> Turn:
    """Return the turn without the attributes that need no model, where these are left to cheap producers."""
    if not aids.cascade or turn.round:
        return turn
    # The student reads titles: of an item with more text it cannot say that an attribute is stated nowhere.
    stated = reading.stated if [name for name, _ in turn.item.texts()] == ["title"] else ()
    sure = settled(turn.template, calibrated(found, turn.template, aids.calibration), stated, aids.calibration)
    return replace(turn, template=narrowed(turn.template, {spec.key for spec in turn.template.attributes} - sure))


async def _escalated(turn: Turn, claims: list[Claim], aids: Aids) -> tuple[list[Claim], list[UngroundedProposal]]:
    """Ask the stronger model for the disputed attributes, and only those; the value that it states goes first."""
    disputed = {claim.name for claim in claims if claim.disputed}
    if not disputed or aids.escalation is None:
        return claims, []
    asked = replace(
        turn, model=aids.escalation.model, prompt=aids.escalation.prompt, template=narrowed(turn.template, disputed)
    )
    answered, ungrounded = await propose(asked)
    said = merged([*answered, *claims], turn.template, turn.corrections.refused)
    by_stronger = {claim.name for claim in answered}
    surest = {name: max(c.confidence for c in said if c.name == name) for name in by_stronger}
    first = {name: next(c for c in said if c.name == name) for name in by_stronger}
    return [
        claim.model_copy(update={"confidence": surest[claim.name]}) if claim is first.get(claim.name) else claim
        for claim in said
    ], ungrounded
