"""What each agent is worth: the same items without it and with it, judged by golden items and by the ranking."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from commands.choices import keyless
from commands.evaluation_gold import GoldSet
from commands.evaluations import OFF, that_change_something, without_agent
from commands.forecasts import wanted_by
from commands.impact.golden import judged
from commands.impact.investigation import Plan, notes_of, planned, ranked
from commands.impact.knowledge import compared_knowledge, price_for
from commands.impact.materials import Known, known_of
from commands.impact.options import ImpactOptions
from commands.impact.remaking import make_anew
from commands.machine import machine
from commands.output import say
from commands.purse import Purse
from commands.settings import Settings
from evaluators.evaluation import SystemResult
from evaluators.impact.report import AgentsReport, AgentWorth, Side, Spent
from evaluators.marginal import marginal
from memory.database import Database, open_existing_database
from memory.staleness import wanted_version


@dataclass
class _Bench:
    """What all comparisons share: the plan, one purse, and the side with all agents."""

    plan: Plan
    options: ImpactOptions
    purse: Purse
    spent: Spent

    async def version_of(self, settings: Settings) -> int:
        """Make the items with these settings, as far as they are not made yet; return the version that has them."""
        made = await make_anew(settings, self.plan.sample.all, self.purse.left)
        self.purse.pay(made.cost, made.tokens)
        self.spent = added(self.spent, made)
        with open_existing_database(settings.kb) as database, database.session() as session:
            return wanted_version(session, wanted_by(keyless(settings))) or 0


async def agents_judged(settings: Settings, options: ImpactOptions, agents: Sequence[str]) -> AgentsReport:
    """Return what each agent adds to golden items and rankings; raises what stopped it, and goes on there."""
    plan = planned(settings, options)
    bench = _Bench(plan, options, Purse(options.run), Spent())
    say("with all agents …")
    whole = await bench.version_of(settings)
    with open_existing_database(settings.kb) as database:
        known = known_of(database, whole, plan.sample.judged)
    golden = _judged(plan.gold, settings, whole, "with all agents")
    found = []
    for agent in await that_change_something(agents, settings):
        say(f"without {agent} …")
        lesser = without_agent(agent, settings)
        version = await bench.version_of(lesser)
        with open_existing_database(settings.kb) as database:
            found.append(_worth(agent, bench, database, (lesser, version), (settings, whole, known, golden)))
    return AgentsReport(
        made_at=datetime.now(UTC),
        side=Side(version=whole, provenance=plan.sides.wanted.provenance),
        sample=plan.sample.used,
        agents=tuple(found),
        work=bench.spent,
        notes=tuple(notes_of(plan, options)),
        machine=machine(),
    )


def added(first: Spent, second: Spent) -> Spent:
    """Return what two runs took together; items are those of the greater one."""
    both = {name: getattr(first, name) + getattr(second, name) for name in Spent.model_fields}
    return Spent.model_validate(both | {"items": max(first.items, second.items)})


def _worth(
    agent: str,
    bench: _Bench,
    database: Database,
    without: tuple[Settings, int],
    whole: tuple[Settings, int, Known, SystemResult | None],
) -> AgentWorth:
    (lesser, version), (settings, full, known, golden) = without, whole
    plan, options = bench.plan, bench.options
    prices = (
        price_for(lesser, wanted_by(keyless(lesser)).provenance),
        price_for(settings, plan.sides.wanted.provenance),
    )
    change, costs = compared_knowledge(database, (version, full), plan.sample.judged, prices)
    sides = [known_of(database, version, plan.sample.judged), known]
    rankings = ranked(plan, sides, options)
    before = _judged(plan.gold, lesser, version, f"without {agent}")
    return AgentWorth(
        agent=agent,
        off=OFF[agent],
        version=version,
        tokens=(costs[0].tokens, costs[1].tokens),
        cost=(costs[0].cost, costs[1].cost),
        golden=None
        if before is None or golden is None
        else marginal(agent, OFF[agent], before.items, golden.items, seed=options.seed),
        knowledge=(change.gained, change.lost, change.changed),
        rankings=tuple((own.model, one) for own in rankings for one in own.report.differences),
    )


def _judged(gold: GoldSet | None, settings: Settings, version: int, label: str) -> SystemResult | None:
    return None if gold is None else judged(settings, gold, version, label)
