"""The findings of several producers as one list: who says the same, and where they disagree."""

from collections import defaultdict
from collections.abc import Iterable

from agents.values.normalization import same_value
from memory.category import AttributeSpec, CategoryTemplate
from memory.schema import Claim


def merged(
    claims: Iterable[Claim], template: CategoryTemplate, refused: frozenset[tuple[str, str]] = frozenset()
) -> list[Claim]:
    """Return one claim a value, the first that says it, with the producers that second it.

    Values that were refused before are left out, unless a rule reads them. Of an attribute of one value, claims of
    different values are marked as disputed.
    """
    kept: dict[str, list[Claim]] = defaultdict(list)
    for claim in claims:
        said = kept[claim.name]
        place = _same(claim, said, template.spec(claim.name))
        if place is not None:
            said[place] = _seconded(said[place], claim)
        elif (claim.name, claim.normalized) not in refused or claim.producer in ("rule", "vocabulary", "field"):
            said.append(claim)
    return [claim for name, said in kept.items() for claim in _disputed(said, template.spec(name))]


def _same(claim: Claim, said: list[Claim], spec: AttributeSpec | None) -> int | None:
    for place, other in enumerate(said):
        if (claim.normalized, claim.unit) == (other.normalized, other.unit):
            return place
        if spec is not None and claim.unit == other.unit and same_value(claim.normalized, other.normalized, spec):
            return place
    return None


def _seconded(claim: Claim, other: Claim) -> Claim:
    seconds = dict.fromkeys((*claim.seconded_by, other.producer, *other.seconded_by))
    return claim.model_copy(update={"seconded_by": tuple(name for name in seconds if name != claim.producer)})


def _disputed(said: list[Claim], spec: AttributeSpec | None) -> list[Claim]:
    if len(said) < 2 or spec is None or spec.many or len({claim.producer for claim in said}) < 2:
        return said
    return [claim.model_copy(update={"disputed": True}) for claim in said]
