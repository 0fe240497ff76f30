"""The text that stands for an item where it becomes a vector, part by part."""

from collections.abc import Callable, Collection
from enum import StrEnum

from memory.item_vectors.known_items import KnownItem


class Part(StrEnum):
    """What of an item is in its text; each can be left out."""

    TITLE = "title"
    ATTRIBUTES = "attributes"  # accepted values, with their units
    DEMANDS = "demands"  # those that were let through, and that the item serves
    SUMMARY = "summary"


ALL_PARTS = tuple(Part)


def item_text(known: KnownItem, parts: Collection[Part]) -> str:
    """Return the parts of an item as one text, in the order of `Part`; empty where nothing of them is known.

    The title comes first, as an encoder reads only the beginning of a long text.
    """
    chosen = (_PARTS[part](known) for part in ALL_PARTS if part in parts)
    return ". ".join(text for text in chosen if text)


def _attributes(known: KnownItem) -> str:
    return "; ".join(f"{claim.name.replace('_', ' ')}: {claim.with_unit}" for claim in known.accepted)


def _demands(known: KnownItem) -> str:
    """Return what the item is wanted for; an encoder reads "not for children" as nearly "for children"."""
    return "; ".join(dict.fromkeys(demand.text for demand in known.demands if demand.positive))


_PARTS: dict[Part, Callable[[KnownItem], str]] = {
    Part.TITLE: lambda known: known.title,
    Part.ATTRIBUTES: _attributes,
    Part.DEMANDS: _demands,
    Part.SUMMARY: lambda known: known.summary.rstrip("."),
}
