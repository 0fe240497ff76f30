"""Which items to make anew under a budget: what each may come to say, what that is worth to a ranking, and its cost."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from memory.enrichment_priorities import AttributePriority
from memory.item_vectors.knowledge_gaps import Cell, ItemGap, KnowledgeGaps

PRIOR = 10  # asked items that the rate of all categories counts as, beside those of the category itself


@dataclass(frozen=True, slots=True)
class Candidate:
    """One item that would be made anew."""

    gap: ItemGap
    gain: float  # expected, of the metric; not negative
    cost: int  # in the budget's smallest unit
    first: int  # the place of the most gainful attribute that it lacks


@dataclass(frozen=True)
class Expectations:
    """What it is expected to gain to make one item anew, by cell."""

    rates: Mapping[Cell, float]  # how often the attribute is found where it is asked for
    each: Mapping[str, float]  # what one item more of which an attribute is known gains

    def of_cell(self, attribute: str, category: str) -> float:
        """Return what one item of a cell is expected to gain."""
        return self.rates[attribute, category] * self.each[attribute]

    def of_item(self, gap: ItemGap) -> float:
        """Return what an item is expected to gain, by all that it lacks; an attribute of no worth gains nothing."""
        return math.fsum(self.of_cell(attribute, gap.category) for attribute in gap.lacks if attribute in self.each)


def expectations(gaps: KnowledgeGaps, moving: Sequence[AttributePriority]) -> Expectations:
    """Return what is expected of each cell in which something is unknown, by attributes that move the ranking.

    What a ranking gains by an attribute it gains by all items of which that was known. One item more gains as much
    as one of these does, and all that lack the attribute no more than all of these:

        gain(attribute, category) = rate(attribute, category) * gain(attribute) / max(known, lacking)
    """
    lacking = items_lacking(gaps.items)
    each = {
        one.attribute: one.gain / max(one.known, lacking[one.attribute]) for one in moving if one.attribute in lacking
    }
    cells = {(attribute, gap.category) for gap in gaps.items for attribute in gap.lacks if attribute in each}
    asked, found = _overall(gaps.asked), _overall(gaps.found)
    overall = {attribute: found[attribute] / of for attribute, of in asked.items()}
    return Expectations({cell: _rate(gaps, cell, overall) for cell in cells}, each)


def items_lacking(gaps: Iterable[ItemGap]) -> Counter[str]:
    """Return how many items lack each attribute."""
    return Counter(attribute for gap in gaps for attribute in gap.lacks)


def shrunk_rate(found: int, asked: int, overall: float) -> float:
    """Return how often an attribute is found in a category, drawn to the rate of all categories.

    (found + PRIOR * overall) / (asked + PRIOR): with few items it is about the overall rate, with many the category's.
    """
    return (found + PRIOR * overall) / (asked + PRIOR)


def chosen(candidates: Sequence[Candidate], budget: int | None) -> list[Candidate]:
    """Return the items that promise something and that the budget allows, in the order in which to make them anew.

    Each time what gains most for its cost and still fits; that falls short of the best possible choice by what one
    item gains at most. Where items of different costs make the order of attributes better, that one is taken.
    """
    dense = _taken(sorted(candidates, key=_density), budget)
    return max(dense, by_attribute(candidates, budget), key=gain_of)


def by_attribute(candidates: Sequence[Candidate], budget: int | None) -> list[Candidate]:
    """Return what the budget allows of the items that lack the most gainful attribute, then of the next, and so on."""
    return _taken(sorted(candidates, key=lambda one: (one.first, one.gap.id)), budget)


def gain_of(candidates: Sequence[Candidate]) -> float:
    """Return what items are expected to gain together."""
    return math.fsum(one.gain for one in candidates)


def _overall(cells: Mapping[Cell, int]) -> Counter[str]:
    """Return the items of each attribute, in all categories."""
    found: Counter[str] = Counter()
    for (attribute, _), items in cells.items():
        found[attribute] += items
    return found


def _rate(gaps: KnowledgeGaps, cell: Cell, overall: Mapping[str, float]) -> float:
    attribute, category = cell
    if category:
        return shrunk_rate(gaps.found[cell], gaps.asked[cell], overall[attribute])
    # Nobody knows yet whether it will be asked for: the share of all items of which it is known.
    return gaps.known[attribute] / gaps.enriched if gaps.enriched else 0.0


def _density(candidate: Candidate) -> tuple[float, float, str]:
    density = candidate.gain / candidate.cost if candidate.cost else math.inf
    return -density, -candidate.gain, candidate.gap.id


def _taken(ordered: Sequence[Candidate], budget: int | None) -> list[Candidate]:
    promising = [candidate for candidate in ordered if candidate.gain > 0]
    return promising if budget is None else list(_fitting(promising, budget))


def _fitting(ordered: Sequence[Candidate], budget: int) -> Iterator[Candidate]:
    left = budget
    for candidate in ordered:
        if candidate.cost <= left:
            left -= candidate.cost
            yield candidate
