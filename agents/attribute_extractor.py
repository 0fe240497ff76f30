"""The attribute extractor: claims about one item, by cheap producers first, then by models for what remains."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from agents.answering import Interviewer
from agents.claim_checks import value_fault
from agents.extraction.aids import NO_AIDS, Aids
from agents.extraction.cascade import settled
from agents.extraction.merging import merged
from agents.extraction.picks import pick
from agents.extraction.proposals import propose
from agents.extraction.student_claims import StudentReading
from agents.extraction.turn import AGENT, Turn, narrowed
from agents.reading.rules import rule_claims
from agents.reading.unread_values import unread_values
from agents.trust.confidence import calibrated
from memory.category import CategoryTemplate
from memory.corrections import Corrections
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
    stronger, more = await _escalated(turn, merged([*found, *answered], wanted, corrections.refused), aids)
    together = calibrated(stronger.claims, wanted, aids.calibration)
    together = _with_first(together, stronger.names)
    numbered = [claim.model_copy(update={"id": f"{round}.{n}.{claim.name}"}) for n, claim in enumerate(together)]
    return Extraction(tuple(numbered), (*ungrounded, *more))


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


class _Escalated(NamedTuple):
    """The claims, and the attributes whose first one the stronger model states."""

    claims: list[Claim]
    names: frozenset[str] = frozenset()


async def _escalated(turn: Turn, claims: list[Claim], aids: Aids) -> tuple[_Escalated, list[UngroundedProposal]]:
    """Ask the stronger model for the disputed attributes, and only those; a possible value that it states is first."""
    disputed = {claim.name for claim in claims if claim.disputed}
    if not disputed or aids.escalation is None:
        return _Escalated(claims), []
    asked = replace(
        turn, model=aids.escalation.model, prompt=aids.escalation.prompt, template=narrowed(turn.template, disputed)
    )
    answered, ungrounded = await propose(asked)
    refused = turn.corrections.refused
    first = [claim for claim in answered if (claim.name, claim.normalized) not in refused and _is_possible(claim, turn)]
    said = merged([*first, *claims, *answered], turn.template, refused)
    return _Escalated(said, frozenset(claim.name for claim in first)), ungrounded


def _is_possible(claim: Claim, turn: Turn) -> bool:
    spec = turn.template.spec(claim.name)
    return spec is not None and value_fault(claim, spec) is None


def _with_first(claims: Sequence[Claim], names: frozenset[str]) -> list[Claim]:
    """Return the claims, of these attributes none surer than the first: the critic begins with the surest.

    The first keeps its own confidence, for a doubtful value is left to a person, whatever its rivals had.
    """
    least: dict[str, float] = {}
    for claim in claims:
        least.setdefault(claim.name, claim.confidence)
    return [
        claim.model_copy(update={"confidence": min(claim.confidence, least[claim.name])})
        if claim.name in names
        else claim
        for claim in claims
    ]
