"""Where decisions are made: one transaction for a decision and for what it changes in the stored results."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from agents.human_rulings import undone, with_rulings
from agents.ruling_drafts import Case, is_meant, phrase_stated, stated_by
from memory.database import Database
from memory.errors import ReaseqError
from memory.reviewed_results import Result, amend_results, template_behind
from memory.reviews import rulings_of, save_ruling, withdraw
from memory.rulings import HumanRuling, StatedValue
from memory.schema import CatalogItem, Decision
from memory.store import amend_enrichment, enrichment_of

Draft = Callable[[Case], HumanRuling]


class NothingToReview(ReaseqError):
    """The knowledge base has nothing of the item, or not what was meant."""


class SeenDifferently(ReaseqError):
    """What is decided about is not what was seen: the item has another text by now."""


class Decided(NamedTuple):
    """A stored decision, and what the versions knew of the item before it."""

    ruling: HumanRuling
    item: CatalogItem
    before: list[Result]


def decide(database: Database, item_id: str, draft: Draft, *, seen: str | None = None) -> Decided:
    """Store a decision about an item, and bring its results in line; `seen` is the hash of the text that was shown."""
    with database.writing() as session:
        known = enrichment_of(session, item_id)
        if known is None:
            raise NothingToReview(f"{database.url} has no enrichment of item {item_id!r}")
        if seen not in (None, known.item.content_hash):
            raise SeenDifferently(f"the text of item {item_id!r} has changed since it was shown; look at it again")
        earlier = rulings_of(session, [item_id]).get(item_id, ())
        case = Case(known.item, known.enrichment, template_behind(session, known.enrichment), earlier)
        ruling = save_ruling(session, draft(case))
        return Decided(ruling, known.item, amend_results(session, known.item, with_rulings))


def undo(database: Database, decided: Decided, reviewer: str = "") -> None:
    """Take a decision back, and put the results of its attribute back to what they were."""
    with database.writing() as session:
        withdraw(session, decided.ruling, reviewer)
        for version_id, before in decided.before:
            present = enrichment_of(session, decided.item.id, version_id, own=True)
            if present is not None and present.enrichment.content_hash == before.content_hash:
                template = template_behind(session, before)
                restored = undone(present.enrichment, before, decided.ruling.attribute, template)
                amend_enrichment(session, version_id, present.item, restored)
        amend_results(session, decided.item, with_rulings)


def value_meant(case: Case, attribute: str, text: str | None) -> StatedValue:
    """Return the claimed or proposed value that a person means; `NothingToReview` names those that there are.

    Without a text it is the one that stands, else the only one.
    """
    values = _values(case, attribute)
    if text is None:
        values = _standing(case, attribute) or values
    else:
        spec = case.template.spec(attribute)
        values = [value for value in values if is_meant(value, text, spec)]
    if len(values) == 1:
        return values[0]
    raise NothingToReview(_what_there_is(case, attribute, text))


def value_to_correct(case: Case, attribute: str, text: str | None) -> StatedValue | None:
    """Return the value that a correction stands in for; None where none stands."""
    if text is not None:
        return value_meant(case, attribute, text)
    values = _standing(case, attribute) or _values(case, attribute)
    if len(values) == 1:
        return values[0]
    if values and case.spec(attribute).many:
        raise NothingToReview(f"{_what_there_is(case, attribute, None)}: say --instead-of VALUE")
    return None


def _standing(case: Case, attribute: str) -> list[StatedValue]:
    """Return the values that were accepted, or held back for a person."""
    verdict, standing = case.enrichment.verdict_on, (Decision.ACCEPT, Decision.ABSTAIN)
    return _different(stated_by(c) for c in case.claims(attribute) if verdict(c).decision in standing)


def _values(case: Case, attribute: str) -> list[StatedValue]:
    proposals = [proposal.value for proposal in case.enrichment.ungrounded if proposal.name == attribute]
    claimed = [stated_by(claim) for claim in case.claims(attribute)]
    return _different([*claimed, *(StatedValue(value=value, normalized=value) for value in proposals)])


def _different(values: Iterable[StatedValue]) -> list[StatedValue]:
    return list({(value.normalized, value.unit): value for value in values}.values())


def _what_there_is(case: Case, attribute: str, text: str | None) -> str:
    if case.template.spec(attribute) is None and not _values(case, attribute):
        case.spec(attribute)  # says which attributes there are
    wanted = "" if text is None else f" {text!r}"
    named = ", ".join(phrase_stated(value) for value in _values(case, attribute)) or "none"
    return f"no single value{wanted} of {attribute} is claimed of item {case.item.id!r}; there are: {named}"
