"""Where attributes are unknown: the items that lack them, and how often each was found where it was asked for."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlmodel import Session

from memory.item_vectors.knowledge_table import features_of
from memory.item_vectors.known_items import KnownItem, known_items
from memory.item_vectors.unknown_attributes import Asked, asked_attributes, asked_of
from memory.versions import lineage

Cell = tuple[str, str]  # attribute, category: the path of the leaf; "" of items of which nothing is known yet


@dataclass(frozen=True, slots=True)
class ItemGap:
    """What one item lacks of the attributes in question."""

    id: str
    category: str
    lacks: tuple[str, ...]


@dataclass
class KnowledgeGaps:
    """What is unknown by attribute and category, among attributes in question."""

    version: int  # that was read; 0 before the first run
    enriched: int = 0  # items of which something is known
    asked: Counter[Cell] = field(default_factory=Counter)  # enriched items whose category asks for the attribute
    found: Counter[Cell] = field(default_factory=Counter)  # those among them of which it is known
    known: Counter[str] = field(default_factory=Counter)  # items of which an attribute is known, asked for or not
    items: list[ItemGap] = field(default_factory=list)  # in order of id
    others: set[str] = field(default_factory=set)  # attributes that categories ask for and that are not in question


def knowledge_gaps(session: Session, attributes: Collection[str]) -> KnowledgeGaps:
    """Return what is unknown of the attributes in question where they are asked for, as of the current version.

    Of an item of which nothing is known yet nobody knows what its category asks for: it lacks all of them.
    """
    asked, everything = asked_attributes(session), tuple(attributes)
    gaps = KnowledgeGaps(next(iter(lineage(session, None)), 0))
    for known in known_items(session):
        if known.template is None:
            gaps.items.append(ItemGap(known.id, "", everything))
        else:
            _count(gaps, known, asked, frozenset(everything))
    return gaps


def _count(gaps: KnowledgeGaps, known: KnownItem, asked: Asked, attributes: frozenset[str]) -> None:
    category, wanted = " > ".join(known.path), asked_of(known, asked)
    have = {attribute for (attribute, _), _ in features_of(known)}
    asked_for = tuple(attribute for attribute in wanted if attribute in attributes)
    lacks = tuple(attribute for attribute in asked_for if attribute not in have)
    gaps.enriched += 1
    gaps.known.update(have & attributes)
    gaps.others.update(attribute for attribute in wanted if attribute not in attributes)
    gaps.asked.update((attribute, category) for attribute in asked_for)
    gaps.found.update((attribute, category) for attribute in asked_for if attribute in have)
    if lacks:
        gaps.items.append(ItemGap(known.id, category, lacks))
