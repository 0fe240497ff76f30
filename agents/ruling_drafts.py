"""How a person's decision about a value becomes a ruling: its normal form, its evidence, what it says of claims."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.human_rulings import is_same
from agents.reading.text_spans import find_span
from agents.values.normalization import ValueProblem, normalize
from memory.category import AttributeSpec, AttributeType, CategoryTemplate
from memory.errors import ReaseqError
from memory.rulings import HumanRuling, JudgedClaim, Quote, RulingDecision, StatedValue, judged_claim
from memory.schema import CatalogItem, Claim, Enrichment
from memory.text import plain_text, printable
from memory.whole_spans import is_whole, whole_span

MOST_NAMED = 60  # allowed values in a refusal


class RefusedValue(ReaseqError):
    """The attribute cannot have this value; what it can have is said."""


@dataclass(frozen=True)
class Case:
    """What a person decides about: an item, what is known of it, what its category asks, what was decided before."""

    item: CatalogItem
    enrichment: Enrichment
    template: CategoryTemplate
    earlier: tuple[HumanRuling, ...] = ()

    def claims(self, attribute: str) -> list[Claim]:
        """The claims of an attribute, accepted or not."""
        return [claim for claim in self.enrichment.claims if claim.name == attribute]

    def spec(self, attribute: str) -> AttributeSpec:
        """Return what the category asks of an attribute; `RefusedValue` names those that it has."""
        spec = self.template.spec(attribute)
        if spec is None:
            known = ", ".join(spec.key for spec in self.template.attributes)
            raise RefusedValue(f"{self.template.category_id} has no attribute {attribute!r}; it has: {known}")
        return spec


def acceptance(case: Case, attribute: str, value: StatedValue, **said_by: str) -> HumanRuling:
    """Return the ruling that a value is right; `RefusedValue` where the attribute cannot have it."""
    spec = case.spec(attribute)
    right = _normal(phrase_stated(value), spec).model_copy(update={"value": value.value})
    return _ruling(case, spec, RulingDecision.ACCEPT, value, right, **said_by)


def correction(case: Case, attribute: str, judged: StatedValue | None, text: str, **said_by: str) -> HumanRuling:
    """Return the ruling that `text` is right in place of a value, or where there was none; or `RefusedValue`."""
    spec = case.spec(attribute)
    right = _normal(plain_text(text), spec)
    if judged and (judged.normalized, judged.unit) == (right.normalized, right.unit):
        return _ruling(case, spec, RulingDecision.ACCEPT, judged, right, **said_by)
    return _ruling(case, spec, RulingDecision.CORRECT, judged, right, **said_by)


def rejection(case: Case, attribute: str, value: StatedValue, **said_by: str) -> HumanRuling:
    """Return the ruling that a value is wrong; it may be of an attribute that the category does not ask for."""
    spec = case.template.spec(attribute)
    return _ruling(case, spec, RulingDecision.REJECT, value, None, attribute=attribute, **said_by)


def stated_by(claim: Claim) -> StatedValue:
    """Return the value that a claim states."""
    return StatedValue(value=claim.value, normalized=claim.normalized, unit=claim.unit)


def phrase_stated(value: StatedValue) -> str:
    """Return a value's normal form with its unit, as claims are shown."""
    return f"{value.normalized} {value.unit}" if value.unit else value.normalized


def is_meant(value: StatedValue, text: str, spec: AttributeSpec | None) -> bool:
    """Return whether a person who types `text` means this value."""
    if text in (value.value, value.normalized, phrase_stated(value)):
        return True
    try:
        return spec is not None and normalize(text, spec) == (value.normalized, value.unit)
    except ValueProblem:
        return False


def _normal(text: str, spec: AttributeSpec) -> StatedValue:
    try:
        normal = normalize(text, spec)
    except ValueProblem as problem:
        raise RefusedValue(f"{problem}{_allowed(spec)}") from None
    return StatedValue(value=text, normalized=normal.text, unit=normal.unit)


def _allowed(spec: AttributeSpec) -> str:
    if not spec.values:
        return f"; it is a {spec.type.value}{f' in {spec.unit}' if spec.unit else ''}"
    named = ", ".join(printable(allowed.value, 40) for allowed in spec.values[:MOST_NAMED])
    return f"; allowed: {named}{', …' if len(spec.values) > MOST_NAMED else ''}"


def _ruling(
    case: Case,
    spec: AttributeSpec | None,
    decision: RulingDecision,
    judged: StatedValue | None,
    right: StatedValue | None,
    *,
    attribute: str = "",
    reviewer: str = "",
    note: str = "",
) -> HumanRuling:
    attribute = spec.key if spec else attribute
    return HumanRuling(
        item_id=case.item.id,
        content_hash=case.item.content_hash,
        category_id=case.enrichment.category.category_id,
        attribute=attribute,
        many=spec.many if spec else True,
        decision=decision,
        judged=judged,
        right=right,
        quote=_quote(case, attribute, right, spec) if right else None,
        reviewer=plain_text(reviewer),
        note=plain_text(note),
        claims=tuple(_judged(case, attribute, spec, judged, right)),
    )


def _judged(
    case: Case, attribute: str, spec: AttributeSpec | None, judged: StatedValue | None, right: StatedValue | None
) -> Iterator[JudgedClaim]:
    """Yield the claims that the decision says something of; where an attribute has one value, all of them."""
    made = case.enrichment
    for claim in case.claims(attribute):
        is_right = right is not None and is_same(claim, right, spec)
        is_meant = judged is not None and is_same(claim, judged, spec)
        if is_right or is_meant or (right is not None and spec is not None and not spec.many):
            about = made.category.category_id, made.provenance.model
            yield _as_claimed(judged_claim(claim, made.verdict_on(claim), is_right, *about), case.earlier)


def _as_claimed(judged: JudgedClaim, earlier: Sequence[HumanRuling]) -> JudgedClaim:
    """Return the claim as a machine made it, where a person's has taken its place since."""
    if judged.producer != "human":
        return judged
    before = (claim for ruling in reversed(earlier) for claim in ruling.claims if claim.producer != "human")
    key = (judged.attribute, judged.normalized, judged.unit)
    made = next((claim for claim in before if (claim.attribute, claim.normalized, claim.unit) == key), judged)
    return made.model_copy(update={"right": judged.right})


def _quote(case: Case, attribute: str, right: StatedValue, spec: AttributeSpec | None) -> Quote | None:
    """Return where the text says a value: where a claim found it, else where its words stand."""
    for claim in case.claims(attribute):
        if claim.evidence and is_same(claim, right, spec):
            return Quote.model_validate(claim.evidence.model_dump())
    # A bare number may be any, and "no" any no: such words alone prove nothing.
    if spec is None or spec.type is AttributeType.BOOLEAN or not any(map(str.isalpha, right.value)):
        return None
    for field, text in case.item.texts():
        place = whole_span(text, right.value) or find_span(text, right.value)
        if place is not None and is_whole(text, *place):
            return Quote(field=field, start=place[0], end=place[1], quote=text[place[0] : place[1]])
    return None
