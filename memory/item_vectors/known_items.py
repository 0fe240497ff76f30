"""What is known of each item as plain values, read fast and a page at a time, also as it was known before a moment."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlmodel import Session, col

from memory.category import template_maker
from memory.demand_tables import DemandRow
from memory.schema import Decision
from memory.tables import ClaimRow, EnrichmentRow, ItemRow, VerdictRow
from memory.versions import known_in, lineage

PAGE = 2000  # items read at a time
TEMPLATE_PROMPT = "category_expert_template"

TemplateKey = tuple[str, str, str]  # category id, taxonomy version, who may have completed it


@dataclass(frozen=True, slots=True)
class KnownClaim:
    """One value of one attribute, and whether it was accepted."""

    name: str
    normalized: str
    unit: str | None
    confidence: float
    decision: str  # a value of `memory.schema.Decision`

    @property
    def accepted(self) -> bool:
        """Whether the critic let it through."""
        return self.decision == Decision.ACCEPT.value

    @property
    def with_unit(self) -> str:
        """The normalised value as one text."""
        return f"{self.normalized} {self.unit}" if self.unit else self.normalized


@dataclass(frozen=True, slots=True)
class KnownDemand:
    """One demand that was let through."""

    relation: str
    text: str
    positive: bool
    plausibility: float

    @property
    def as_value(self) -> str:
        """The demand as one text, such as "used_for: drilling into concrete"."""
        return f"{'' if self.positive else 'not '}{self.relation}: {self.text}"


@dataclass(frozen=True, slots=True)
class KnownItem:
    """One item and what is known of it; of an item that nothing is known of, the title alone."""

    id: str
    title: str
    path: tuple[str, ...] = ()  # of the category, from the department to the leaf
    score: float = 0.0  # how near the category is, in [-1, 1]
    template: TemplateKey | None = None
    summary: str = ""
    claims: tuple[KnownClaim, ...] = ()  # accepted ones and others, in their order
    demands: tuple[KnownDemand, ...] = ()

    @property
    def accepted(self) -> tuple[KnownClaim, ...]:
        """The claims that the critic let through."""
        return tuple(claim for claim in self.claims if claim.accepted)


def moment(milliseconds: int) -> datetime:
    """Return a time that is given in milliseconds since 1970 (UTC)."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def known_items(session: Session, version_id: int | None = None, as_of: int | None = None) -> Iterator[KnownItem]:
    """Yield all stored items in order of id with what a version (the current one unless given) knows of them.

    `as_of`, in milliseconds since 1970 (UTC): only what was stored strictly before. A result that was replaced or
    amended since is not there in its old form, and left out; so is an item whose title may have changed since.
    Raises `UnknownVersion`.
    """
    versions, before = lineage(session, version_id), None if as_of is None else moment(as_of)
    last = ""
    while page := session.execute(_page(versions, before, last)).all():
        last, of_page = page[-1][0], col(ClaimRow.item_id).between(page[0][0], page[-1][0])
        read = {row[2] for row in page if row[2] is not None}
        claims = _claims(session, of_page, read)
        demands = _demands(session, col(DemandRow.item_id).between(page[0][0], page[-1][0]), read)
        for item_id, title, version, path, score, summary, *template in page:
            if version is None:
                yield KnownItem(item_id, title)
                continue
            own = tuple(claims[item_id, version]), tuple(demands[item_id, version])
            yield KnownItem(item_id, title, tuple(path), float(score), _template_key(*template), summary, *own)


def _page(versions: tuple[int, ...], before: datetime | None, last: str) -> Select[*tuple[Any, ...]]:
    result = EnrichmentRow
    score = col(result.choice)["score"].as_float()
    template = (result.category_id, result.taxonomy_version, result.model, result.prompts)
    query = (
        _select(ItemRow.id, ItemRow.title, result.version_id, result.category_path, score, result.summary, *template)
        .select_from(ItemRow)
        .outerjoin(result, known_in(versions, before=before))
        .where(col(ItemRow.id) > last)
    )
    if before is not None:  # a result of then proves that the text was there then
        query = query.where(col(result.item_id).is_not(None) | (col(ItemRow.updated_at) < before))
    return query.order_by(col(ItemRow.id)).limit(PAGE)


def _template_key(category_id: str, taxonomy_version: str, model: str, prompts: list[list[str]]) -> TemplateKey:
    fingerprint = next((of for name, of in prompts if name == TEMPLATE_PROMPT), "")
    return category_id, taxonomy_version, template_maker(model, fingerprint)


def _claims(
    session: Session, of_items: ColumnElement[bool], versions: set[int]
) -> dict[tuple[str, int], list[KnownClaim]]:
    same = (
        (col(VerdictRow.item_id) == col(ClaimRow.item_id))
        & (col(VerdictRow.version_id) == col(ClaimRow.version_id))
        & (col(VerdictRow.claim_id) == col(ClaimRow.claim_id))
    )
    columns = (ClaimRow.item_id, ClaimRow.version_id, ClaimRow.name, ClaimRow.normalized, ClaimRow.unit)
    query = (
        _select(*columns, ClaimRow.confidence, VerdictRow.decision)
        .join(VerdictRow, same)
        .where(of_items, col(ClaimRow.version_id).in_(versions))
        .order_by(col(ClaimRow.position))
    )
    found: defaultdict[tuple[str, int], list[KnownClaim]] = defaultdict(list)
    for item_id, version, *claim in session.execute(query):
        found[item_id, version].append(KnownClaim(*claim))
    return found


def _demands(
    session: Session, of_items: ColumnElement[bool], versions: set[int]
) -> dict[tuple[str, int], list[KnownDemand]]:
    columns = (DemandRow.item_id, DemandRow.version_id, DemandRow.relation, DemandRow.text, DemandRow.positive)
    query = (
        _select(*columns, DemandRow.plausibility)
        .where(of_items, col(DemandRow.version_id).in_(versions), col(DemandRow.decision) == Decision.ACCEPT.value)
        .order_by(col(DemandRow.position))
    )
    found: defaultdict[tuple[str, int], list[KnownDemand]] = defaultdict(list)
    for item_id, version, *demand in session.execute(query):
        found[item_id, version].append(KnownDemand(*demand))
    return found


def _select(*columns: Any) -> Select[*tuple[Any, ...]]:
    """Return a query of single columns; SQLModel's own knows the types of four at most."""
    return select(*columns)
