"""Verified knowledge as annotated titles: what a student learns from a larger model, as in COSMO (Yu et al. 2024)."""

from collections.abc import Iterator

from evaluators.annotated import AnnotatedTitle
from memory.category import AttributeSpec
from memory.database import open_existing_database
from memory.rows import StoredKnowledge
from memory.schema import Decision
from memory.store import enrichments
from memory.taxonomy import Taxonomy, UnknownCategory


def verified_titles(kb: str, taxonomy: Taxonomy) -> Iterator[AnnotatedTitle]:
    """Yield the titles that the current version knows, with the accepted values that stand in them.

    An attribute of the category's template of which nobody claimed anything is taken as absent. One whose value stands
    elsewhere in the text, or whose claim was refused or left to a person, is left out: nothing is known of the title.
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
    for spec in specs:
        claims = [claim for claim in known.enrichment.claims if claim.name == spec.key]
        stated = {
            claim.evidence.quote
            for claim in claims
            if claim.evidence is not None
            and claim.evidence.field == "title"
            and known.enrichment.verdict_on(claim).decision is Decision.ACCEPT
        }
        if stated or not claims:
            yield spec.key, tuple(sorted(stated))
