"""Decisions of people about the drill of `knowledge_samples`, for tests."""

from memory.rulings import HumanRuling, JudgedClaim, Quote, RulingDecision, StatedValue
from memory.schema import CatalogItem, ClaimSource, Decision, Reason


def stated(value: str, unit: str | None = None) -> StatedValue:
    return StatedValue(value=value, normalized=value.lower(), unit=unit)


def accept(item: CatalogItem, attribute: str, value: str, *, quoted: bool = True, many: bool = False) -> HumanRuling:
    return _ruling(item, attribute, RulingDecision.ACCEPT, value, value, quoted=quoted, many=many)


def reject(item: CatalogItem, attribute: str, value: str, *, many: bool = False) -> HumanRuling:
    return _ruling(item, attribute, RulingDecision.REJECT, value, None, quoted=False, many=many)


def correct(
    item: CatalogItem, attribute: str, wrong: str | None, right: str, *, quoted: bool = False, many: bool = False
) -> HumanRuling:
    return _ruling(item, attribute, RulingDecision.CORRECT, wrong, right, quoted=quoted, many=many)


def judged(attribute: str, value: str, right: bool, producer: str = "model") -> JudgedClaim:
    return JudgedClaim.model_validate(
        {
            "attribute": attribute,
            "value": value,
            "normalized": value,
            "right": right,
            "producer": producer,
            "confidence": 0.5,
            "source": ClaimSource.WORLD_KNOWLEDGE,
            "decision": Decision.ACCEPT,
            "reason": Reason.SUPPORTED,
            "checked_by": "code",
        }
    )


def _ruling(
    item: CatalogItem,
    attribute: str,
    decision: RulingDecision,
    wrong: str | None,
    right: str | None,
    *,
    quoted: bool,
    many: bool,
) -> HumanRuling:
    quote = None
    if quoted and right:
        start = item.title.index(right)
        quote = Quote(field="title", start=start, end=start + len(right), quote=right)
    return HumanRuling(
        item_id=item.id,
        content_hash=item.content_hash,
        category_id="drills",
        attribute=attribute,
        many=many,
        decision=decision,
        judged=stated(wrong) if wrong else None,
        right=stated(right) if right else None,
        quote=quote,
    )
