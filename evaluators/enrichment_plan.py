"""What is worth enriching next, told by cells: an attribute of a category, what it lacks, promises and costs."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from evaluators.enrichment_choice import Candidate, Expectations, items_lacking
from memory.enrichment_priorities import AttributePriority
from memory.item_vectors.knowledge_gaps import Cell, ItemGap
from memory.record import Record


class Cost(Record):
    """What it is expected to cost to make items anew."""

    tokens: float
    money: Decimal | None  # None where no price is known


class PlanCell(Record):
    """One attribute that moves the ranking, in one category."""

    attribute: str
    category: str  # the path of the leaf; "" of items of which nothing is known yet
    lacking: int  # items of which it is unknown though the category asks for it
    stale: int  # of these, those that the settings would judge anew
    rate: float  # how often it is expected to be found
    gain: float  # expected of all stale ones, of the metric
    cost: Cost  # of all stale ones; an item that lacks several attributes is in the cell of each, and paid once
    per_money: float | None  # gain; None where no price is known, or nothing is billed
    per_1000_tokens: float | None  # gain; None where no tokens are expected
    chosen: int  # of the stale ones, those that the budget allows


class UnprovenAttribute(Record):
    """An attribute that was not shown to matter: its interval is not clear of zero."""

    attribute: str
    gain: float
    low: float
    high: float
    lacking: int


class PlannedItems(Record):
    """Some items, what they are expected to gain together, and their cost."""

    items: int
    gain: float
    cost: Cost


class PlanCause(Record):
    """What has changed for items that would be made anew."""

    why: str
    items: int


class EnrichmentPlan(Record):
    """What to enrich next: the cells, what the budget allows of them, and what nobody can know."""

    task: Literal["next item", "click-through"]
    metric: str
    measured: int  # the version of the knowledge base that the gains were measured on
    version: int  # that is read now
    budget: Decimal | None
    max_tokens: int | None
    lacking: int  # items that lack something that moves the ranking
    unchanged: int  # of these, those for which nothing is stale that could find it
    whole: PlannedItems  # all stale ones that promise something
    chosen: PlannedItems  # those that the budget allows, each time the most gain for its cost
    by_attribute: PlannedItems  # what the budget would allow attribute by attribute instead
    cells: tuple[PlanCell, ...]  # those of most gain for their cost first
    unproven: tuple[UnprovenAttribute, ...]
    unjudged: int  # attributes that categories ask for and the ablation did not leave out
    no_past: tuple[str, ...]  # agents that would be asked and were never asked before: not in the costs
    causes: tuple[PlanCause, ...]  # of the items that promise something, the commonest first
    first: tuple[str, ...]  # ids of the first chosen ones, in their order


def plan_cells(
    lacking: Sequence[ItemGap],
    candidates: Sequence[Candidate],
    taken: Sequence[Candidate],
    expected: Expectations,
    costs: Mapping[str, Cost],
) -> tuple[PlanCell, ...]:
    """Return the cells in which items lack what moves the ranking; `costs` are those of the candidates, by item id."""
    stale, chosen = _by_cell(candidates, expected), _by_cell(taken, expected)
    items = _counted(lacking, expected)
    cells = [
        _cell(
            cell,
            gain=expected.of_cell(*cell) * len(stale[cell]),
            cost=total([costs[one.gap.id] for one in stale[cell]]),
            counts={"lacking": lacks, "stale": len(stale[cell]), "chosen": len(chosen[cell])},
            rate=expected.rates[cell],
        )
        for cell, lacks in items.items()
    ]
    return tuple(sorted(cells, key=_worth))


def unproven(priorities: Sequence[AttributePriority], lacking: Sequence[ItemGap]) -> tuple[UnprovenAttribute, ...]:
    """Return the attributes whose interval is not clear of zero."""
    items = items_lacking(lacking)
    return tuple(
        UnprovenAttribute(
            attribute=one.attribute, gain=one.gain, low=one.low, high=one.high, lacking=items[one.attribute]
        )
        for one in priorities
        if not one.moves
    )


def total(costs: Sequence[Cost]) -> Cost:
    """Return what several items cost together; no money where the price of one is not known."""
    money = [cost.money for cost in costs if cost.money is not None]
    whole = sum(money, Decimal(0)) if len(money) == len(costs) else None
    return Cost(tokens=math.fsum(cost.tokens for cost in costs), money=whole)


def _counted(lacking: Sequence[ItemGap], expected: Expectations) -> dict[Cell, int]:
    items: defaultdict[Cell, int] = defaultdict(int)
    for gap in lacking:
        for cell in _cells_of(gap, expected):
            items[cell] += 1
    return items


def _by_cell(candidates: Sequence[Candidate], expected: Expectations) -> defaultdict[Cell, list[Candidate]]:
    found: defaultdict[Cell, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        for cell in _cells_of(candidate.gap, expected):
            found[cell].append(candidate)
    return found


def _cells_of(gap: ItemGap, expected: Expectations) -> Iterator[Cell]:
    yield from ((attribute, gap.category) for attribute in gap.lacks if attribute in expected.each)


def _cell(cell: Cell, *, gain: float, cost: Cost, counts: Mapping[str, int], rate: float) -> PlanCell:
    return PlanCell(
        attribute=cell[0],
        category=cell[1],
        **counts,
        rate=rate,
        gain=gain,
        cost=cost,
        per_money=gain / float(cost.money) if cost.money else None,
        per_1000_tokens=1000 * gain / cost.tokens if cost.tokens else None,
    )


def _worth(cell: PlanCell) -> tuple[float, float, str, str]:
    """Return what cells are put in order by: gain for cost where it is known, then gain."""
    density = cell.per_money if cell.per_money is not None else cell.per_1000_tokens
    return -(density or 0.0), -cell.gain, cell.attribute, cell.category
