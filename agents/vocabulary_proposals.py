"""What would map the values that could not be: words for allowed values, and new ones; proposed, never adopted."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from agents.value_clusters import clusters
from agents.values.snapping import LONGEST, nearest
from memory.category import AttributeSpec
from memory.category_tree import Taxonomy
from memory.record import Record
from memory.schema import Reason
from memory.unmapped_values import UnmappedValue
from memory.value_coverage import ValueCoverage

if TYPE_CHECKING:
    from memory.encoder import TextEncoder

ALIAS = 0.7  # the least score of a word for an old value; docs/taxonomy.md says how often it is right


class Proposal(Record):
    """One change that a person may make to a taxonomy: words for an allowed value, or a value that it lacks."""

    attribute: str
    kind: Literal["alias", "value"]
    value: str  # the allowed value, old or new
    words: tuple[str, ...]  # to be written beside it
    score: float | None  # how near the words come to the old value; None: it is new
    claims: int
    items: int  # an item that states two of the words counts twice
    coverage: float  # the share of the items asked for the attribute that have an accepted value
    coverage_after: float  # and with this change

    @property
    def gained(self) -> float:
        """The share of items that would get an accepted value."""
        return self.coverage_after - self.coverage


def vocabulary_proposals(
    unmapped: Iterable[UnmappedValue],
    taxonomy: Taxonomy,
    coverage: ValueCoverage,
    encoder: "TextEncoder",
    *,
    least_items: int = 2,
) -> list[Proposal]:
    """Return one proposal a cluster of values that are no allowed ones, the one that gains most first.

    A cluster that comes near an allowed value is proposed as words for it, else as a new value, named after its most
    frequent spelling. Clusters of fewer than `least_items` items, and prose, are left out.
    """
    strange = [v for v in unmapped if v.reason is Reason.NOT_IN_VOCABULARY and len(v.value) <= LONGEST]
    strange.sort(key=lambda v: (v.attribute, -v.items, v.value))
    found: list[Proposal] = []
    for attribute, group in groupby(strange, key=lambda v: v.attribute):
        values = list(group)
        covered, asked = _asked(values, taxonomy, coverage)
        for rows in clusters([value.value for value in values], encoder):
            members = [values[row] for row in rows]
            if sum(member.items for member in members) >= least_items:
                found.append(_proposal(members, taxonomy.attributes.get(attribute), covered, asked, encoder))
    return sorted(found, key=lambda p: (-p.gained, -p.items, p.attribute, p.value))


def _proposal(
    members: Sequence[UnmappedValue], spec: AttributeSpec | None, covered: int, asked: int, encoder: "TextEncoder"
) -> Proposal:
    first = members[0]
    near = nearest(first.value, spec, encoder, 1) if spec else []
    old = near[0] if near and near[0].score >= ALIAS else None
    spellings = tuple(dict.fromkeys(" ".join(s.split()) for member in members for s in member.spellings))
    value = old.value if old else " ".join(first.value.split()).lower()
    waiting = frozenset[str]().union(*(member.waiting for member in members))
    return Proposal(
        attribute=first.attribute,
        kind="alias" if old else "value",
        value=value,
        words=_without_case(spellings, value),
        score=old.score if old else None,
        claims=sum(member.claims for member in members),
        items=sum(member.items for member in members),
        coverage=covered / max(1, asked),
        coverage_after=min(1.0, (covered + len(waiting)) / max(1, asked)),
    )


def _without_case(spellings: Iterable[str], value: str) -> tuple[str, ...]:
    """Return the spellings in small letters, each once, less the value's own."""
    return tuple(word for word in dict.fromkeys(s.lower() for s in spellings) if word != value.lower())


def _asked(values: Sequence[UnmappedValue], taxonomy: Taxonomy, coverage: ValueCoverage) -> tuple[int, int]:
    """Return how many items have an accepted value of the attribute, and how many are asked for it."""
    attribute = values[0].attribute
    asking = {category.id for category in taxonomy.leaves() if attribute in category.attributes}
    asking.update(category for value in values for category in value.categories)
    return (
        sum(coverage.covered.get((category, attribute), 0) for category in asking),
        sum(coverage.items.get(category, 0) for category in asking),
    )
