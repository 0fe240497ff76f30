"""Stored results as people's decisions have them: the present ones of an item in every version, and those of a run."""

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import bindparam
from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from memory.category import CategoryTemplate, template_maker
from memory.review_tables import ReviewRow
from memory.reviews import rulings_of
from memory.rulings import HumanRuling
from memory.schema import CatalogItem, Enrichment
from memory.store import amend_enrichment, enrichment_of, template_of
from memory.tables import EnrichmentRow
from memory.work import Claimed, FencedOff, finish_all

# What gives an enrichment as decisions have it; done twice, it changes nothing.
Amend = Callable[[CatalogItem, Enrichment, CategoryTemplate, Sequence[HumanRuling]], Enrichment]
Result = tuple[int, Enrichment]  # a version, and what it knows

TEMPLATE_PROMPT = "category_expert_template"
_ANY_REVIEWED = (
    select_columns(col(ReviewRow.id)).where(col(ReviewRow.item_id).in_(bindparam("items", expanding=True))).limit(1)
)


def finish_amended(
    session: Session, ended: Sequence[tuple[Claimed, Enrichment]], *, amend: Amend
) -> list[FencedOff | None]:
    """Store enrichments as `finish_all` does, as the decisions have them that there are at this very moment."""
    ids = [claimed.item.id for claimed, _ in ended]
    if session.connection().execute(_ANY_REVIEWED, {"items": ids}).first() is None:
        return finish_all(session, ended)
    rulings = rulings_of(session, ids)
    amended = [
        (claimed, amend(claimed.item, enrichment, template_behind(session, enrichment), mine))
        if (mine := rulings.get(claimed.item.id))
        else (claimed, enrichment)
        for claimed, enrichment in ended
    ]
    return finish_all(session, amended)


def amend_results(session: Session, item: CatalogItem, amend: Amend) -> list[Result]:
    """Bring what all versions know of the item's present text in line with its decisions; return what they knew."""
    rulings = rulings_of(session, [item.id]).get(item.id, ())
    before = list(results_of(session, item))
    for version_id, enrichment in before:
        amended = amend(item, enrichment, template_behind(session, enrichment), rulings)
        if amended != enrichment:
            amend_enrichment(session, version_id, item, amended)
    return before


def results_of(session: Session, item: CatalogItem) -> Iterator[Result]:
    """Yield what each version has learnt itself of the item's present text."""
    here = (EnrichmentRow.item_id == item.id, EnrichmentRow.content_hash == item.content_hash)
    for version_id in session.exec(select(EnrichmentRow.version_id).where(*here)).all():
        known = enrichment_of(session, item.id, version_id, own=True)
        if known is not None:
            yield version_id, known.enrichment


def template_behind(session: Session, enrichment: Enrichment) -> CategoryTemplate:
    """Return the template that an enrichment was made with; one without attributes where it is not stored."""
    made, category = enrichment.provenance, enrichment.category
    maker = template_maker(made.model, dict(made.prompts).get(TEMPLATE_PROMPT, ""))
    for completed_by in (maker, None):
        template = template_of(session, category.category_id, made.taxonomy_version, completed_by)
        if template is not None:
            return template
    return CategoryTemplate(
        category_id=category.category_id,
        path=category.path,
        attributes=(),
        taxonomy_version=made.taxonomy_version,
    )
