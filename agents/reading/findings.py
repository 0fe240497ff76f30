"""What rules find of an attribute, how sure each way of finding is, and which findings become claims."""

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Literal, NamedTuple

from agents.reading.passages import Passage, Role
from agents.values.normalization import same_value
from memory.category import AttributeSpec, AttributeType
from memory.schema import CatalogItem, Claim, ClaimSource, Evidence

Producer = Literal["rule", "vocabulary", "field"]

# How often a claim of each producer should hold; to be calibrated on golden sets.
CONFIDENCE: dict[Producer, float] = {"field": 0.95, "rule": 0.85, "vocabulary": 0.75}


# A description that mentions more values than these lists what the product may be used on, or its other variants.
_MOST_MENTIONED = 3
_MOST_COMPARED = 40


class Rank(IntEnum):
    """How telling a finding is, the best first."""

    COLUMN = 0  # a column named like the attribute
    LABELLED = 1  # "Farbe: rot"
    TITLE_CUED = 2  # "Kabellänge 2 m"
    TITLE = 3
    CUED = 4  # the same in a description
    PLAIN = 5


class Finding(NamedTuple):
    """One value found for one attribute: its rank, its place, and its normal form."""

    rank: Rank
    field: str
    start: int
    end: int
    normalized: str
    unit: str | None
    producer: Producer


def rank_in(passage: Passage, cued: bool) -> Rank:
    """Return the rank of a finding in a passage that is not labelled."""
    if passage.role is Role.TITLE:
        return Rank.TITLE_CUED if cued else Rank.TITLE
    return Rank.CUED if cued else Rank.PLAIN


def chosen(findings: Iterable[Finding], spec: AttributeSpec, refused: frozenset[tuple[str, str]]) -> list[Finding]:
    """Return the findings to claim: the best one, or every different one of the best kind where many are allowed.

    The best kind is a column; else what labels and the title say; the description is heard where those are silent.
    A boolean that is said to be both yes and no in equally telling places is left open.
    """
    ordered = sorted((f for f in findings if (spec.key, f.normalized) not in refused), key=lambda finding: finding.rank)
    best_of: dict[str, Finding] = {}
    for finding in ordered:
        best_of.setdefault(finding.normalized, finding)
    different: list[Finding] = []
    for finding in list(best_of.values())[:_MOST_COMPARED]:
        if not any(same_value(finding.normalized, other.normalized, spec) for other in different):
            different.append(finding)
    if not spec.many:
        torn = spec.type is AttributeType.BOOLEAN and len({finding.rank for finding in different}) < len(different)
        return [] if torn else different[:1]
    if different and different[0].rank is Rank.COLUMN:
        return [finding for finding in different if finding.rank is Rank.COLUMN]
    telling = [finding for finding in different if finding.rank <= Rank.TITLE]
    if not telling and len(different) > _MOST_MENTIONED:
        return [finding for finding in different if finding.rank is Rank.CUED]
    return telling or different


def claims_of(item: CatalogItem, spec: AttributeSpec, findings: Sequence[Finding]) -> list[Claim]:
    """Turn findings into claims whose ids tell producer, attribute and value."""
    return [_claim(item, spec, finding) for finding in findings]


def _claim(item: CatalogItem, spec: AttributeSpec, finding: Finding) -> Claim:
    evidence = Evidence.at(item, finding.field, finding.start, finding.end)
    data = {
        "id": f"{finding.producer}:{spec.key}={finding.normalized}",
        "name": spec.key,
        "value": evidence.quote,
        "normalized": finding.normalized,
        "unit": finding.unit,
        "source": ClaimSource.TEXT,
        "evidence": evidence,
        "confidence": CONFIDENCE[finding.producer],
        "producer": finding.producer,
    }
    return Claim.model_validate(data, context={"item": item})
