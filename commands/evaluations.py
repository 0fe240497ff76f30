"""An evaluation from end to end: the gold read, each system run or looked up, compared, held against an earlier one."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import typer

from agents.providers.base import Capabilities
from commands.aids import aids_in
from commands.choices import capabilities_of, keyless, model_of, taxonomy_of
from commands.evaluation_gold import GoldChoice, GoldSet, gold_set, grading_of, tell_left_out
from commands.evaluation_systems import Bench, known_system, of_what_is_known, run_system
from commands.output import say
from commands.run_options import RunOptions
from commands.run_watch import Watch
from commands.settings import Aid, Settings
from evaluators.comparison import compare
from evaluators.evaluation import Evaluation, Protocol, SystemResult, read_evaluation
from evaluators.gate import ruled
from evaluators.marginal import Marginal, marginal
from evaluators.significance import require_scipy
from memory.record import Record
from memory.taxonomy import Taxonomy

REVISIONS = "revisions"
KNOWN = "the knowledge base"  # its address may hold a password
# What is left where an agent goes without a model, or the loop is not taken.
OFF: Mapping[str, str] = {
    "category_expert": "the nearest category by embedding",
    "attribute_extractor": "rules, and title spans that leave no choice",
    "critic": "the checks that are code",
    "demand_analyst": "the demands of the category alone; F1 does not look at demands",
    "demand_critic": "the checks of demands that are code; F1 does not look at demands",
    "summarizer": "the plain sentence; no score looks at it",
    REVISIONS: "no claim goes back to the extractor",
    "look_up": "no approved values are looked up",
    "demonstrations": "the prompt shows no approved items",
    "student": "no student reads the title",
    "calibration": "confidences as their producers state them, nothing is left to a person",
    "abstention": "no claim is left to a person",
    "cascade": "the model is asked for every attribute",
    "escalation": "no stronger model is asked",
}


class EvaluationOptions(Record):
    """What is asked for beside settings and run options."""

    gold: GoldChoice
    match: Literal["normal", "exact"] = "normal"
    complete: bool = False
    target_precision: float = 0.95
    agents: tuple[str, ...] = ()
    compare: tuple[str, str] | None = None
    gate: Path | None = None
    tolerance: float = 0.0
    from_kb: bool = False


class Contestant(NamedTuple):
    """What is measured: settings that are run, or what a version (None: the current one) of a knowledge base knows."""

    label: str
    settings: Settings
    runs: bool = True
    version_id: int | None = None


async def evaluated(
    settings: Settings, options: EvaluationOptions, run: RunOptions, watch: Watch | None = None
) -> Evaluation:
    """Return the evaluation; raises what stopped it."""
    if options.gate or options.compare or options.agents:  # what is missing is said before anything is paid
        require_scipy()
    earlier = read_evaluation(options.gate) if options.gate else None
    sides = contestants(options.compare, settings) if options.compare else None
    protocol = Protocol(match=options.match, complete=options.complete)
    taxonomy = taxonomy_of(settings)
    gold = _gold(taxonomy, settings, options, sides)
    bench = Bench(gold, grading_of(taxonomy, protocol), options.target_precision, run, watch)
    if sides:
        first, last = [await _result(side, bench) for side in sides]
        labels, seed = (first.label, last.label), options.gold.seed
        changes = compare(first.items, last.items, labels=labels, seed=seed)
        return Evaluation(gold=gold.used, protocol=protocol, system=last, compared=first, comparison=changes)
    alone = Contestant(KNOWN if options.from_kb else settings.model, settings, runs=not options.from_kb)
    system = await _result(alone, bench)
    marginals = await _marginals(system, settings, bench, options)
    found = Evaluation(gold=gold.used, protocol=protocol, system=system, marginals=marginals)
    if earlier is None:
        return found
    gate = ruled(earlier, found, file=str(options.gate), tolerance=options.tolerance, seed=options.gold.seed)
    return found.model_copy(update={"gate": gate})


def contestants(named: tuple[str, str], settings: Settings) -> tuple[Contestant, Contestant]:
    """Return two knowledge base versions (numbers), prompt folders or model specs, told apart by their form."""
    if all(name.isdecimal() for name in named):
        first, last = (Contestant(f"version {name}", settings, False, int(name)) for name in named)
    elif all(Path(name).is_dir() for name in named):
        first, last = (Contestant(name, settings.overridden(prompts=Path(name))) for name in named)
    elif all(":" in name for name in named):
        first, last = (Contestant(name, settings.overridden(model=name)) for name in named)
    else:
        raise typer.BadParameter(
            f"{named[0]!r} and {named[1]!r} are neither two versions (numbers), two folders of prompts, nor two models"
        )
    return first, last


def agents_of(named: str | None) -> tuple[str, ...]:
    """Return the agents of a list with commas; `all` is every one."""
    if named is None:
        return ()
    agents = tuple(OFF) if named == "all" else tuple(name.strip() for name in named.split(",") if name.strip())
    if unknown := [name for name in agents if name not in OFF]:
        raise typer.BadParameter(f"there is no agent {unknown[0]!r}; there are: all, {', '.join(OFF)}")
    return agents


def _gold(
    taxonomy: Taxonomy, settings: Settings, options: EvaluationOptions, sides: tuple[Contestant, ...] | None
) -> GoldSet:
    """Return the golden items that can be scored; what is left out is said."""
    gold = gold_set(options.gold, taxonomy)
    if options.from_kb:
        gold = of_what_is_known(settings, gold, [None])
    elif sides and not sides[0].runs:
        gold = of_what_is_known(settings, gold, [side.version_id for side in sides])
    tell_left_out(gold)
    return gold


async def _result(side: Contestant, bench: Bench) -> SystemResult:
    if side.runs:
        return await run_system(side.settings, bench, side.label)
    return known_system(side.settings, bench, side.label, side.version_id)


async def _marginals(
    system: SystemResult, settings: Settings, bench: Bench, options: EvaluationOptions
) -> tuple[Marginal, ...]:
    """Run again without each agent in turn; answers that do not depend on it come from the ledger."""
    found = []
    for agent in await that_change_something(options.agents, settings):
        without = await run_system(without_agent(agent, settings), bench, f"without {agent}")
        found.append(marginal(agent, OFF[agent], without.items, system.items, seed=options.gold.seed))
    return tuple(found)


async def that_change_something(agents: Iterable[str], settings: Settings) -> list[str]:
    """Return those of the agents without which something would be different; of the others it is said."""
    model = model_of(keyless(settings))
    abilities = capabilities_of(settings, model)
    await model.aclose()
    found = []
    for agent in agents:
        if _is_idle(agent, settings, abilities):
            say(f"{agent} is off already with {settings.model}: there is nothing to compare")
        else:
            found.append(agent)
    return found


def _is_idle(agent: str, settings: Settings, abilities: Capabilities) -> bool:
    if agent == REVISIONS:
        return settings.max_revisions == 0
    if agent in get_args(Aid):
        return agent not in dict(aids_in(settings))
    return abilities.without([agent]) == abilities


def without_agent(agent: str, settings: Settings) -> Settings:
    """Return the settings with one agent, aid or loop switched off."""
    if agent == REVISIONS:
        return settings.overridden(max_revisions=0)
    return settings.overridden(without=tuple(sorted({*settings.without, agent})))
