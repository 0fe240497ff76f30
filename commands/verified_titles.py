"""Verified knowledge as annotated titles: what a student learns from a larger model, as in COSMO (Yu et al. 2024)."""

from collections.abc import Iterator

from agents.reading.text_spans import find_span
from evaluators.annotated import AnnotatedTitle
from memory.category import AttributeSpec
from memory.database import open_existing_database
from memory.rows import StoredKnowledge
from memory.schema import Claim, Decision
from memory.store import enrichments
from memory.taxonomy import Taxonomy, UnknownCategory


def verified_titles(kb: str, taxonomy: Taxonomy) -> Iterator[AnnotatedTitle]:
    """Yield the titles that the current version knows, with the accepted values that stand in them.

    An attribute of the category's template of which nobody claimed anything is taken as absent, but not after a
    cascade, which may not have asked for it. One whose value stands elsewhere in the text, or whose claim was refused
    or left to a person, is left out: nothing is known of the title.
    """
    with open_existing_database(kb) as database, database.session() as session:
        for known in enrichments(session):
            category = known.enrichment.category.category_id
            try:
                specs = taxonomy.template(category).attributes
            except UnknownCategory:
                continue  # of another taxonomy
            yield AnnotatedTitle(title=known.item.title, category=category, attributes=dict(_attributes(known, specs)))


def _attributes(known: StoredKnowledge, specs: tuple[AttributeSpec, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    asked_for_all = "cascade" not in dict(known.enrichment.provenance.aids)
    unproven = {proposal.name for proposal in known.enrichment.ungrounded}
    for spec in specs:
        claims = [claim for claim in known.enrichment.claims if claim.name == spec.key]
        accepted = [c for c in claims if known.enrichment.verdict_on(c).decision is Decision.ACCEPT]
        stated = {said for claim in accepted if (said := _in_title(known.item.title, claim))}
        if stated or not (claims or spec.key in unproven or not asked_for_all):
            yield spec.key, tuple(sorted(stated))


def _in_title(title: str, claim: Claim) -> str | None:
    """Return the value as the title has it, wherever the claim's evidence stands."""
    place = find_span(title, claim.evidence.quote if claim.evidence else claim.value)
    return title[place[0] : place[1]] if place else None
