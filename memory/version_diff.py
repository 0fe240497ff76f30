"""What two versions of the results say differently, item by item."""

from collections.abc import Iterator, Sequence

from sqlmodel import Session

from memory.record import Record
from memory.rows import StoredKnowledge
from memory.schema import Claim
from memory.store import enrichments

Value = tuple[str, str, str | None]  # attribute, normalized value, unit


class ItemDiff(Record):
    """How two versions differ on one item: the accepted claims, the category, and whether they know it at all."""

    item_id: str
    title: str
    known: tuple[bool, bool]  # in the first, in the second
    category: tuple[str, str] | None  # category ids, where they differ
    added: tuple[Value, ...]  # attributes that only the second has
    removed: tuple[Value, ...]  # attributes that only the first has
    changed: tuple[tuple[Value, Value], ...]  # an attribute's value in the first and in the second
    demands: tuple[int, int]  # accepted ones that only the second has, and that only the first has
    summary: bool  # whether the summaries differ


def diff(session: Session, first: int, second: int) -> Iterator[ItemDiff]:
    """Yield what differs between what two versions know, in order of item id; what is alike is passed over.

    Both are read a page at a time. Raises `memory.versions.UnknownVersion`.
    """
    for before, after in _side_by_side(enrichments(session, first), enrichments(session, second)):
        difference = difference_of(before, after)
        if difference:
            yield difference


def _side_by_side(
    first: Iterator[StoredKnowledge], second: Iterator[StoredKnowledge]
) -> Iterator[tuple[StoredKnowledge | None, StoredKnowledge | None]]:
    """Yield what each knows of the same item, from two iterators in order of item id."""
    before, after = next(first, None), next(second, None)
    while before or after:
        if after is None or (before and before.item.id < after.item.id):
            yield before, None
            before = next(first, None)
        elif before is None or after.item.id < before.item.id:
            yield None, after
            after = next(second, None)
        else:
            yield before, after
            before, after = next(first, None), next(second, None)


def difference_of(before: StoredKnowledge | None, after: StoredKnowledge | None) -> ItemDiff | None:
    """Return how two versions differ on one item; None where they say the same, or neither knows it."""
    known = before or after
    if known is None or (before and after and before.enrichment == after.enrichment):
        return None
    was, now = _values(before), _values(after)
    categories = _category(before), _category(after)
    changed, removed, added = _changes(was, now)
    wanted, wanted_now = _demands(before), _demands(after)
    difference = ItemDiff(
        item_id=known.item.id,
        title=known.item.title,
        known=(before is not None, after is not None),
        category=categories if before and after and categories[0] != categories[1] else None,
        added=added,
        removed=removed,
        changed=changed,
        demands=(len(wanted_now - wanted), len(wanted - wanted_now)),
        summary=bool(before and after and before.enrichment.summary != after.enrichment.summary),
    )
    told = difference.category or added or removed or changed or any(difference.demands) or difference.summary
    return difference if told or not (before and after) else None


def _changes(
    was: Sequence[Value], now: Sequence[Value]
) -> tuple[tuple[tuple[Value, Value], ...], tuple[Value, ...], tuple[Value, ...]]:
    """Return changed, removed and added values: one gone and one come of the same attribute are a change."""
    removed = [value for value in was if value not in now]
    added = [value for value in now if value not in was]
    changed = []
    for old in list(removed):
        new = next((value for value in added if value[0] == old[0]), None)
        if new:
            changed.append((old, new))
            removed.remove(old)
            added.remove(new)
    return tuple(changed), tuple(removed), tuple(added)


def _values(known: StoredKnowledge | None) -> list[Value]:
    return sorted({_value(claim) for claim in known.enrichment.accepted}, key=str) if known else []


def _demands(known: StoredKnowledge | None) -> set[tuple[str, str, bool]]:
    demands = known.enrichment.accepted_demands if known else ()
    return {(demand.relation.value, demand.text, demand.positive) for demand in demands}


def _value(claim: Claim) -> Value:
    return claim.name, claim.normalized, claim.unit


def _category(known: StoredKnowledge | None) -> str:
    return known.enrichment.category.category_id if known else ""
