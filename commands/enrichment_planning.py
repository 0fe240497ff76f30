"""How the plan of what to enrich next is made: what items lack, what the settings make stale, what the ledger says."""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby

from commands.enrichment_costs import agent_costs, agents_asked
from commands.forecasts import wanted_by
from commands.run_options import RunOptions, controls_of
from commands.settings import Settings
from evaluators.enrichment_choice import Candidate, Expectations, by_attribute, chosen, expectations, gain_of
from evaluators.enrichment_plan import Cost, EnrichmentPlan, PlanCause, PlannedItems, plan_cells, total, unproven
from graphs.dependencies import DECIDES
from memory.database import Session, open_existing_database
from memory.enrichment_priorities import EnrichmentPriorities
from memory.item_vectors.knowledge_gaps import ItemGap, KnowledgeGaps, knowledge_gaps
from memory.staleness import StaleResult, Wanted, stale

LISTED = 20  # ids
SMALLEST = 1_000_000  # of the unit of money: costs are counted in millionths of it

Agents = frozenset[str]


@dataclass
class Situation:
    """What is unknown that moves the ranking, and what it would cost to look for it."""

    gaps: KnowledgeGaps
    expected: Expectations
    lacking: list[ItemGap]  # items that lack something that moves the ranking
    costs: dict[str, Cost] = field(default_factory=dict)  # by id, of those that would be judged anew
    why: Counter[str] = field(default_factory=Counter)  # such items by what has changed for them
    no_past: tuple[str, ...] = ()  # agents that would be asked, and whose costs nobody can tell


def enrichment_plan(
    settings: Settings, priorities: EnrichmentPriorities, options: RunOptions
) -> tuple[EnrichmentPlan, list[str]]:
    """Return the plan and the ids of the chosen items in their order; nothing is asked or stored.

    Raises `DatabaseMissing`, and `UnknownPrice` for a budget in money that nobody can hold.
    """
    now = _situation(settings, priorities, options)
    order = {attribute: place for place, attribute in enumerate(priorities.gains)}
    in_money = options.budget is not None or (options.max_tokens is None and _billed(now.costs.values()))
    candidates = list(_candidates(now, order, in_money=in_money))
    taken = chosen(candidates, _limit(options))
    return _plan(now, priorities, options, candidates, taken), [one.gap.id for one in taken]


def _plan(
    now: Situation,
    priorities: EnrichmentPriorities,
    options: RunOptions,
    candidates: Sequence[Candidate],
    taken: Sequence[Candidate],
) -> EnrichmentPlan:
    return EnrichmentPlan(
        task=priorities.task,
        metric=priorities.metric,
        measured=priorities.version,
        version=now.gaps.version,
        budget=options.budget,
        max_tokens=options.max_tokens,
        lacking=len(now.lacking),
        unchanged=len(now.lacking) - len(now.costs),
        whole=_planned(chosen(candidates, None), now),
        chosen=_planned(taken, now),
        by_attribute=_planned(by_attribute(candidates, _limit(options)), now),
        cells=plan_cells(now.lacking, candidates, taken, now.expected, now.costs),
        unproven=unproven(priorities.attributes, now.gaps.items),
        unjudged=len(now.gaps.others),
        no_past=now.no_past,
        causes=tuple(PlanCause(why=why, items=items) for why, items in now.why.most_common()),
        first=tuple(one.gap.id for one in taken[:LISTED]),
    )


def _situation(settings: Settings, priorities: EnrichmentPriorities, options: RunOptions) -> Situation:
    """Read what is unknown and what is stale."""
    price, wanted, asked = controls_of(settings, options).price, wanted_by(settings), agents_asked(settings)
    with open_existing_database(settings.kb) as database, database.session() as session:
        gaps = knowledge_gaps(session, [one.attribute for one in priorities.attributes])
        expected = expectations(gaps, [one for one in priorities.attributes if one.moves])
        lacking = [gap for gap in gaps.items if any(attribute in expected.each for attribute in gap.lacks)]
        now = Situation(gaps, expected, lacking)
        known = agent_costs(session, asked, price)

        @cache
        def cost(agents: Agents) -> Cost:
            return total([known[agent] for agent in agents if agent in known])

        needed: set[str] = set()
        for item_id, agents, why in _judged_anew(session, wanted, {gap.id for gap in lacking}):
            now.costs[item_id] = cost(agents)
            now.why.update(why)
            needed |= agents
    now.no_past = tuple(sorted((needed & asked) - set(known)))
    return now


def _judged_anew(
    session: Session, wanted: Wanted, ids: Collection[str]
) -> Iterator[tuple[str, Agents, frozenset[str]]]:
    """Yield of each item whose values would be judged anew its stale agents, and what has changed for it."""
    derived = {f"what {needs.agent} found" for needs in wanted.agents}
    for item_id, group in groupby(stale(session, wanted), key=lambda result: result.item_id):
        results: Sequence[StaleResult] = list(group) if item_id in ids else ()
        agents = frozenset(result.agent for result in results)
        if DECIDES in agents:
            yield item_id, agents, frozenset(why for result in results for why in result.why if why not in derived)


def _candidates(now: Situation, order: Mapping[str, int], *, in_money: bool) -> Iterator[Candidate]:
    for gap in now.lacking:
        if (cost := now.costs.get(gap.id)) is not None:
            first = min(order[attribute] for attribute in gap.lacks if attribute in order)
            yield Candidate(gap, now.expected.of_item(gap), _units(cost, in_money=in_money), first)


def _billed(costs: Collection[Cost]) -> bool:
    """Whether every item's price is known, and some cost money."""
    return all(cost.money is not None for cost in costs) and any(cost.money for cost in costs)


def _units(cost: Cost, *, in_money: bool) -> int:
    """Return a cost as a whole number, rounded up: millionths of money, else tokens."""
    return math.ceil(cost.money * SMALLEST) if in_money and cost.money is not None else math.ceil(cost.tokens)


def _limit(options: RunOptions) -> int | None:
    return options.max_tokens if options.budget is None else math.floor(options.budget * SMALLEST)


def _planned(items: Sequence[Candidate], now: Situation) -> PlannedItems:
    costs = [now.costs[one.gap.id] for one in items]
    return PlannedItems(items=len(items), gain=gain_of(items), cost=total(costs))
