"""What is unknown of items that their category asks for, and what it would be worth to know it."""

from collections.abc import Iterator, Mapping

from sqlmodel import Session

from memory.item_vectors.known_items import KnownItem, TemplateKey, known_items
from memory.stored_templates import templates

Asked = Mapping[TemplateKey, tuple[str, ...]]  # the attributes of each stored template


def asked_attributes(session: Session) -> Asked:
    """Return what each stored template asks for."""
    return {
        (template.category_id, template.taxonomy_version, template.completed_by or ""): tuple(
            spec.key for spec in template.attributes
        )
        for template in templates(session)
    }


def asked_of(known: KnownItem, asked: Asked) -> tuple[str, ...]:
    """Return the attributes that the item's category asks for; none where nothing is known of the item."""
    if known.template is None:
        return ()
    bare = (*known.template[:2], "")
    return asked.get(known.template, asked.get(bare, ()))


def unknown_attributes(known: KnownItem, asked: Asked) -> Iterator[str]:
    """Yield the attributes that the item's category asks for and that nothing is accepted of."""
    have = {claim.name for claim in known.accepted}
    yield from (key for key in asked_of(known, asked) if key not in have)


def worth_of_knowing(session: Session, gains: Mapping[str, float]) -> dict[str, float]:
    """Return by item id the sum of the gains of what is unknown of it; items of which nothing is missing are left out.

    Of an item that was never enriched nobody knows what its category asks for: all of `gains` may be there to be had.
    """
    asked, everything = asked_attributes(session), sum(gains.values())
    worth = {
        known.id: everything
        if known.template is None
        else sum(gains.get(attribute, 0.0) for attribute in unknown_attributes(known, asked))
        for known in known_items(session)
    }
    return {item_id: gain for item_id, gain in worth.items() if gain > 0}
