"""From a change to its report: made anew, judged by golden items, knowledge, vectors and rankings, and ruled on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from commands.enrichment_costs import agents_asked
from commands.evaluation_gold import GoldSet
from commands.forecasts import ToDo, chosen_work
from commands.impact.golden import golden_change, known_gold
from commands.impact.knowledge import compared_knowledge, price_for
from commands.impact.materials import Known, known_of, material_of, read_behaviors
from commands.impact.options import ImpactOptions
from commands.impact.rankings import Rankings
from commands.impact.remaking import foreseen, make_anew
from commands.impact.sample import Sample, golden_of, sample_of
from commands.impact.sides import Sides, sides_of
from commands.impact.stopwatch import Stopwatch
from commands.impact.trainings import TrainingCache
from commands.machine import machine
from commands.model_options import settings_in
from commands.ranker import read_config
from commands.settings import Settings
from diffusion.config import DiffusionConfig
from evaluators.impact.report import (
    AFTER,
    BEFORE,
    GoldenChange,
    ImpactReport,
    KnowledgeChange,
    RankingChange,
    SideCost,
    VectorChange,
)
from evaluators.impact.vectors import vector_change
from evaluators.impact.verdict import Figure, verdict_on
from memory.behaviors.sequences import Sequences
from memory.database import Database, open_existing_database

CACHE = "trainings"
NO_GOLD = "no golden items: --gold says how right both sides are"
NO_LOG = "no behaviours: --data FILE, or reaseq behaviors import, says what the change does to the ranking"
KEY_METRICS = ("HR@10", "AUC")  # one of each model decides


@dataclass(frozen=True)
class Plan:
    """What is to be compared, before anything is made anew."""

    sides: Sides
    sample: Sample
    gold: GoldSet | None  # golden items that are made anew
    behaviors: Sequences | None  # with the judged items; None: there are none
    todo: ToDo


@dataclass
class Found:
    """What was found out about both sides."""

    knowledge: KnowledgeChange
    costs: tuple[SideCost, SideCost]
    golden: GoldenChange | None = None
    vectors: tuple[VectorChange, ...] = ()
    rankings: tuple[RankingChange, ...] = ()


def planned(settings: Settings, options: ImpactOptions) -> Plan:
    """Return what is to be compared; nothing is asked or stored."""
    with open_existing_database(settings.kb) as database:
        sides = sides_of(database, settings, options.against)
        gold = known_gold(settings, database, options, sides.before.id)
        log = read_behaviors(database, options.data, options.map_columns)
        golden = () if gold is None else tuple(item.id for item in gold.items)
        with database.session() as session:
            counts = {} if log is None else log.counts()
            sample = sample_of(session, sides.before.id, options.sample, options.seed, counts, golden)
        behaviors = None if log is None else log.with_items(sample.judged)
        if behaviors is not None and not read_config(options.ranker_config).next_item.repeats:
            behaviors = behaviors.without_repeats()
        return Plan(
            sides=sides,
            sample=sample,
            gold=None if gold is None else golden_of(gold, sample),
            behaviors=behaviors,
            todo=chosen_work(settings, database, sides.wanted, sample.all, options.run),
        )


async def investigated(plan: Plan, options: ImpactOptions) -> ImpactReport:
    """Return what the change does; raises what stopped it, and goes on there when asked again."""
    settings, clock = plan.sides.settings, Stopwatch()
    with clock.step(f"{plan.todo.items} of {len(plan.sample.all)} items are stale and made anew"):
        spent = await make_anew(settings, plan.sample.all, options.run)
    with open_existing_database(settings.kb) as database:
        with database.session() as session:
            versions = plan.sides.before.id, plan.sides.after_version(session)
        found = _found(plan, database, versions, options, clock)
    before, after = plan.sides.as_records(versions[1])
    return ImpactReport(
        made_at=datetime.now(UTC),
        what=plan.sides.what,
        before=before,
        after=after,
        sample=plan.sample.used,
        work=foreseen(plan.todo).model_copy(update={"spent": spent}),
        verdict=verdict_on(list(figures_of(found.golden, found.rankings)), found.costs, tolerance=options.tolerance),
        **vars(found),
        steps=tuple(clock.steps),
        notes=tuple(notes_of(plan, options, spent.failed)),
        machine=machine(),
    )


def figures_of(golden: GoldenChange | None, rankings: tuple[RankingChange, ...]) -> Iterator[Figure]:
    """Yield the figures that decide: what golden items can tell, and one of each model."""
    if golden is not None and golden.valued:
        yield Figure("F1 of golden items", golden.comparison.f1, "golden items")
    if golden is not None and golden.categorized:
        yield Figure("category of golden items", golden.comparison.category_accuracy, "golden items")
    for ranking in rankings:
        for one in ranking.report.differences:
            if one.metric in KEY_METRICS:
                yield Figure(f"{one.metric} of {ranking.model}", one.difference, "users")


def _found(
    plan: Plan, database: Database, versions: tuple[int, int], options: ImpactOptions, clock: Stopwatch
) -> Found:
    settings, sides = plan.sides.settings, plan.sides
    prices = price_for(settings, sides.before.provenance), price_for(settings, sides.wanted.provenance)
    with clock.step("Knowledge compared"):
        knowledge, costs = compared_knowledge(database, versions, plan.sample.judged, prices)
    found = Found(knowledge, costs)
    if plan.gold is not None:
        with clock.step("Golden items judged"):
            found.golden = golden_change(settings, plan.gold, versions, options.seed)
    with clock.step("Vectors compared"):
        known = [known_of(database, version, plan.sample.judged) for version in versions]
        found.vectors = tuple(_moved(*known))
    with clock.step("Ranker and diffusion trained on both sides"):
        found.rankings = ranked(plan, known, options)
    return found


def _moved(before: Known, after: Known) -> Iterator[VectorChange]:
    for name, vectors in before.vectors.items():
        yield vector_change(name, before.table.ids, before.table.titles, vectors, after.vectors[name])


def ranked(plan: Plan, known: Sequence[Known], options: ImpactOptions) -> tuple[RankingChange, ...]:
    """Return what the models gain by the knowledge after over that before; nothing without behaviours."""
    behaviors = plan.behaviors
    if behaviors is None or not len(behaviors.item) or not options.ranking:
        return ()
    sides = {side: material_of(own, behaviors) for side, own in zip((BEFORE, AFTER), known, strict=True)}
    rankings = Rankings(
        sides,
        read_config(options.ranker_config),
        settings_in(options.diffusion_config, DiffusionConfig, "a diffusion model"),
        TrainingCache(plan.sides.settings.cache / CACHE),
    )
    return tuple(rankings.changes(options.training_seeds, diffusion=options.diffusion))


def notes_of(plan: Plan, options: ImpactOptions, failed: int = 0) -> Iterator[str]:
    """Yield what was not judged, or only in part, and why."""
    if plan.gold is None:
        yield NO_GOLD
    if plan.behaviors is None or not len(plan.behaviors.item):
        yield NO_LOG
    if not plan.sample.used.whole:
        yield (
            f"{len(plan.sample.judged)} items were drawn, more likely those with more behaviours; knowledge, vectors "
            "and rankings are of these alone, and of the behaviours with them"
        )
    if failed:
        yield f"{failed} items failed after the change: what was known of them before stands for them (reaseq failures)"
    if unasked := plan.sides.unasked():
        model = plan.sides.settings.model
        yield f"{model} is asked nothing by {', '.join(unasked)}: what their prompts say changes nothing"
    if unknown := set(plan.todo.unknown) & agents_asked(plan.sides.settings):
        yield f"not in the forecast, for they have no past to judge by: {', '.join(sorted(unknown))}"
    if options.seeds == 1 and options.ranking:
        yield "one training of each model: intervals are over users, not over seeds (--seeds 3)"
