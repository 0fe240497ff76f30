"""The items nearest to one, with what is accepted of both."""

from sqlmodel import Session

from memory.item_vectors.search import NearestItems
from memory.item_vectors.vectors import ItemVectors
from memory.items import item_of
from memory.record import Record
from memory.rows import StoredKnowledge
from memory.store import enrichments_of


class Neighbor(Record):
    """One of the nearest items."""

    id: str
    title: str
    cosine: float
    category: tuple[str, ...]  # its path, empty where nothing is known
    shared: tuple[tuple[str, str], ...]  # (attribute, value with unit), accepted of both


def neighbors(session: Session, vectors: ItemVectors, item_id: str, k: int) -> list[Neighbor]:
    """Return at most `k` items, nearest first, the item itself left out; raises `NoVectors`.

    Category and attributes are what the current version knows, whatever the vectors were made of.
    """
    own = vectors.row(item_id)
    # One more than wanted: as a rule the item is its own nearest.
    rows, cosines = NearestItems(vectors.vectors).search(vectors.vectors[own : own + 1], min(k + 1, len(vectors.ids)))
    near = {
        vectors.ids[row]: float(cosine) for row, cosine in zip(rows[0], cosines[0], strict=True) if row not in {own, -1}
    }
    known = {one.item.id: one for one in enrichments_of(session, [item_id, *near])}
    return [_neighbor(session, known, item_id, other, cosine) for other, cosine in list(near.items())[:k]]


def _neighbor(session: Session, known: dict[str, StoredKnowledge], item_id: str, other: str, cosine: float) -> Neighbor:
    about = known.get(other)
    item = about.item if about else item_of(session, other)
    of_item = set(_accepted(known.get(item_id)))
    return Neighbor(
        id=other,
        title=item.title if item else "",
        cosine=cosine,
        category=about.enrichment.category.path if about else (),
        shared=tuple(value for value in _accepted(about) if value in of_item),
    )


def _accepted(known: StoredKnowledge | None) -> list[tuple[str, str]]:
    """Return the accepted values of an item, each once, in their order."""
    claims = known.enrichment.accepted if known else ()
    return list(dict.fromkeys((c.name, f"{c.normalized} {c.unit}" if c.unit else c.normalized) for c in claims))
