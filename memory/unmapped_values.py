"""Which stated values could not be mapped: claims refused for their value, by attribute, reason and spelling."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from pydantic import Field
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from memory.record import Record
from memory.schema import Decision, Reason
from memory.tables import ClaimRow, EnrichmentRow, EvidenceRow, ItemRow, VerdictRow
from memory.versions import known_in, lineage

UNMAPPED = (Reason.NOT_IN_VOCABULARY, Reason.WRONG_UNIT, Reason.WRONG_TYPE, Reason.OUT_OF_RANGE)
EXAMPLES = 3  # of each value


class Example(Record):
    """An item that states the value, and its words."""

    item_id: str
    field: str | None  # None: world knowledge
    quote: str


class UnmappedValue(Record):
    """One value of one attribute that has no normal form, however it is spelt."""

    attribute: str
    reason: Reason
    value: str  # the spelling that most items have
    spellings: tuple[str, ...]
    claims: int
    items: int
    categories: dict[str, int]  # category id → items
    examples: tuple[Example, ...]
    # The items that have no accepted value of the attribute: what they would gain.
    waiting: frozenset[str] = Field(exclude=True)


class _Stated(Record):
    """One refused claim."""

    item_id: str
    category_id: str
    attribute: str
    value: str
    reason: Reason
    field: str | None
    quote: str
    has_another: bool


def unmapped_values(
    session: Session, version_id: int | None = None, *, category: str | None = None, attribute: str | None = None
) -> list[UnmappedValue]:
    """Return what a version (the current one unless given) could not map, the values of most items first.

    Spellings that differ in case, width or blanks are one value. Memory grows with the number of such claims.
    """
    groups: defaultdict[tuple[str, Reason, str], list[_Stated]] = defaultdict(list)
    for stated in _stated(session, version_id, category, attribute):
        groups[stated.attribute, stated.reason, folded(stated.value)].append(stated)
    values = [_value(group) for group in groups.values()]
    return sorted(values, key=lambda value: (-value.items, value.attribute, value.reason.value, value.value))


def folded(value: str) -> str:
    """Return a value in the spelling that it shares with others."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _value(group: list[_Stated]) -> UnmappedValue:
    by_item = {stated.item_id: stated for stated in group}
    spellings = Counter(stated.value for stated in group)
    ordered = sorted(spellings, key=lambda spelling: (-spellings[spelling], spelling))
    return UnmappedValue(
        attribute=group[0].attribute,
        reason=group[0].reason,
        value=ordered[0],
        spellings=tuple(ordered),
        claims=len(group),
        items=len(by_item),
        categories=dict(sorted(Counter(stated.category_id for stated in by_item.values()).items())),
        examples=tuple(_examples(group)),
        waiting=frozenset(stated.item_id for stated in group if not stated.has_another),
    )


def _examples(group: Iterable[_Stated]) -> list[Example]:
    found: dict[str, Example] = {}
    for stated in group:
        found.setdefault(stated.item_id, Example(item_id=stated.item_id, field=stated.field, quote=stated.quote))
    return [found[item_id] for item_id in sorted(found)[:EXAMPLES]]


def _stated(session: Session, version_id: int | None, category: str | None, attribute: str | None) -> Iterator[_Stated]:
    query = (
        select(col(EnrichmentRow.category_id), ClaimRow, col(VerdictRow.reason), EvidenceRow, _has_accepted())
        .select_from(ItemRow)
        .join(EnrichmentRow, known_in(lineage(session, version_id)))
        .join(ClaimRow, _of_enrichment())
        .join(VerdictRow, _of_claim(VerdictRow))
        .outerjoin(EvidenceRow, _of_claim(EvidenceRow))
        .where(
            col(VerdictRow.decision) != Decision.ACCEPT.value, col(VerdictRow.reason).in_([r.value for r in UNMAPPED])
        )
    )
    if category is not None:
        query = query.where(col(EnrichmentRow.category_id) == category)
    if attribute is not None:
        query = query.where(col(ClaimRow.name) == attribute)
    for category_id, claim, reason, evidence, has_another in session.execute(query.execution_options(yield_per=1_000)):
        yield _Stated(
            item_id=claim.item_id,
            category_id=category_id,
            attribute=claim.name,
            value=claim.value,
            reason=Reason(reason),
            field=evidence.field if evidence else None,
            quote=evidence.quote if evidence else claim.value,
            has_another=bool(has_another),
        )


def _has_accepted() -> ColumnElement[bool]:
    """Return whether the claim's item has an accepted value of the same attribute."""
    claim, verdict = aliased(ClaimRow), aliased(VerdictRow)
    return exists().where(
        col(claim.item_id) == col(ClaimRow.item_id),
        col(claim.version_id) == col(ClaimRow.version_id),
        col(claim.name) == col(ClaimRow.name),
        col(verdict.item_id) == col(claim.item_id),
        col(verdict.version_id) == col(claim.version_id),
        col(verdict.claim_id) == col(claim.claim_id),
        col(verdict.decision) == Decision.ACCEPT.value,
    )


def _of_enrichment() -> ColumnElement[bool]:
    return (col(ClaimRow.item_id) == col(EnrichmentRow.item_id)) & (
        col(ClaimRow.version_id) == col(EnrichmentRow.version_id)
    )


def _of_claim(part: type[EvidenceRow | VerdictRow]) -> ColumnElement[bool]:
    return (
        (col(part.item_id) == col(ClaimRow.item_id))
        & (col(part.version_id) == col(ClaimRow.version_id))
        & (col(part.claim_id) == col(ClaimRow.claim_id))
    )
