"""How records become rows of the tables, and rows become records again."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import ValidationError

from memory.category import CategoryChoice
from memory.errors import ReaseqError
from memory.schema import CatalogItem, Claim, Enrichment, Evidence, Provenance, SourceField, Verdict
from memory.tables import ClaimRow, EnrichmentRow, EvidenceRow, ItemRow, VerdictRow

Row = dict[str, Any]  # column -> value: what an INSERT takes, nothing else
ClaimParts = tuple[ClaimRow, EvidenceRow | None, VerdictRow]


class CorruptKnowledge(ReaseqError):
    """What is stored of an item breaks its own rules: it was changed from outside."""


class StoredKnowledge(NamedTuple):
    """An item as stored, and what is known of it."""

    item: CatalogItem
    enrichment: Enrichment


def now() -> datetime:
    """Return the present time in UTC, as rows are stamped with."""
    return datetime.now(UTC)


def item_row(item: CatalogItem) -> Row:
    """Return what the item table holds of an item, its id, origin and times left out."""
    return {
        "title": item.title,
        "description": item.description,
        "fields": [[field.name, field.text] for field in item.fields],
        "content_hash": item.content_hash,
    }


def item_from(row: ItemRow) -> CatalogItem:
    """Return the stored item."""
    fields = tuple(SourceField(name=name, text=text) for name, text in row.fields)
    return CatalogItem(id=row.id, title=row.title, description=row.description, fields=fields)


def enrichment_row(enrichment: Enrichment) -> Row:
    """Return what the enrichment table holds of an enrichment: everything but its claims and verdicts."""
    category, provenance, usage = enrichment.category, enrichment.provenance, enrichment.usage
    return {
        "item_id": enrichment.item_id,
        "content_hash": enrichment.content_hash,
        "category_id": category.category_id,
        "category_path": list(category.path),
        "choice": category.model_dump(mode="json"),
        "ungrounded": [proposal.model_dump(mode="json") for proposal in enrichment.ungrounded],
        "summary": enrichment.summary,
        "rounds": enrichment.rounds,
        **provenance.model_dump(exclude={"prompts", "aids"}),
        "prompts": [list(prompt) for prompt in provenance.prompts],
        "aids": [list(aid) for aid in provenance.aids],
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "usage_estimated": usage.estimated,
        "model_calls": enrichment.model_calls,
        "shortened": enrichment.shortened,
        "seconds": enrichment.seconds,
        "created_at": now(),
    }


def claim_rows(enrichment: Enrichment) -> list[Row]:
    """Return one row a claim, in order."""
    return [
        {"item_id": enrichment.item_id, "claim_id": claim.id, "position": position}
        | claim.model_dump(mode="json", exclude={"id", "evidence"})
        for position, claim in enumerate(enrichment.claims)
    ]


def evidence_rows(enrichment: Enrichment) -> list[Row]:
    """Return one row a text claim."""
    return [
        {"item_id": enrichment.item_id, "claim_id": claim.id} | claim.evidence.model_dump()
        for claim in enrichment.claims
        if claim.evidence is not None
    ]


def verdict_rows(enrichment: Enrichment) -> list[Row]:
    """Return one row a verdict."""
    return [{"item_id": enrichment.item_id} | verdict.model_dump(mode="json") for verdict in enrichment.verdicts]


def knowledge_from(
    item_row: ItemRow, row: EnrichmentRow, parts: Iterable[ClaimParts], demands: dict[str, object]
) -> StoredKnowledge:
    """Return the stored item with its enrichment; every evidence is checked against the item's stored text again.

    `demands` is what `memory.demand_rows.demands_content` gives.
    Raises `CorruptKnowledge` where the stored rows no longer hold together.
    """
    item = item_from(item_row)
    ordered = sorted(parts, key=lambda part: part[0].position)
    try:
        content = _enrichment_content(row, ordered) | demands
        enrichment = Enrichment.model_validate(content, context={"item": item})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise CorruptKnowledge(f"what is stored of item {item.id!r} is not valid: {first['msg']}") from error
    return StoredKnowledge(item, enrichment)


def _enrichment_content(row: EnrichmentRow, parts: Sequence[ClaimParts]) -> dict[str, object]:
    own = {name: getattr(row, name) for name in Enrichment.model_fields if name in EnrichmentRow.model_fields}
    provenance = {name: getattr(row, name) for name in Provenance.model_fields}
    return own | {
        "category": CategoryChoice.model_validate(row.choice),
        "claims": [_claim_content(claim, evidence) for claim, evidence, _ in parts],
        "verdicts": [_record_content(verdict, Verdict) for _, _, verdict in parts],
        "provenance": provenance,
        "usage": {
            "prompt_tokens": row.prompt_tokens,
            "completion_tokens": row.completion_tokens,
            "estimated": row.usage_estimated,
        },
    }


def _claim_content(row: ClaimRow, evidence: EvidenceRow | None) -> dict[str, object]:
    shared = {name: getattr(row, name) for name in Claim.model_fields if name not in {"id", "evidence"}}
    proof = None if evidence is None else _record_content(evidence, Evidence)
    return {"id": row.claim_id, **shared, "evidence": proof}


def _record_content(row: EvidenceRow | VerdictRow, record: type[Evidence] | type[Verdict]) -> dict[str, object]:
    return {name: getattr(row, name) for name in record.model_fields}
