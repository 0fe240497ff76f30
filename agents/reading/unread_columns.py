"""Columns that an attribute is named like and no rule could read: taken for an allowed value, or kept as written."""

from typing import TYPE_CHECKING

from agents.reading.findings import CONFIDENCE, Finding, Rank, claims_of
from agents.reading.passages import Passage, Role, passages
from agents.reading.rules import in_column, is_named_like, says_nothing
from agents.values.normalization import Normalized
from agents.values.snapping import normalize_or_snap
from memory.category import AttributeSpec, CategoryTemplate
from memory.schema import CatalogItem, Claim

if TYPE_CHECKING:
    from memory.encoder import TextEncoder

LONGEST = 200  # code points of a column; longer ones are prose


def unread_columns(item: CatalogItem, template: CategoryTemplate, encoder: "TextEncoder | None" = None) -> list[Claim]:
    """Return one claim a column that an attribute is named like and none could read, in the columns' order.

    Its value is the allowed value that it is taken for, with the score; where it comes near none, it stays as it is
    written, so that the critic refuses it with a reason and it can be reported.
    """
    claims: list[Claim] = []
    for passage in passages(item):
        if passage.role is Role.COLUMN and passage.is_prose and len(passage.text) <= LONGEST:
            claims += _unread(item, passage, template, encoder)
    return claims


def _unread(
    item: CatalogItem, passage: Passage, template: CategoryTemplate, encoder: "TextEncoder | None"
) -> list[Claim]:
    named = [spec for spec in template.attributes if is_named_like(passage.field, spec)]
    if says_nothing(passage.text) or any(True for spec in named for _ in in_column(passage, spec)):
        return []
    readings = [(spec, *normalize_or_snap(passage.text, spec, encoder)) for spec in named]
    best = min(readings, key=lambda reading: -(reading[2] or 0.0), default=None)
    return [] if best is None else [_claim(item, passage, *best)]


def _claim(item: CatalogItem, passage: Passage, spec: AttributeSpec, normal: Normalized, score: float | None) -> Claim:
    finding = Finding(Rank.COLUMN, passage.field, 0, len(passage.text), normal.text, normal.unit, "field")
    (claim,) = claims_of(item, spec, [finding])
    sure = CONFIDENCE["field"] * (1.0 if score is None else score)
    return claim.model_copy(update={"snapped": score, "confidence": sure})
