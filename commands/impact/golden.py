"""What golden items say of both sides: those that the knowledge base knows with these very texts."""

from functools import partial

from commands.choices import taxonomy_of
from commands.evaluation_gold import GoldSet, gold_set, grading_of, tell_left_out
from commands.evaluation_systems import Bench, known_system, of_what_is_known
from commands.impact.options import ImpactOptions
from commands.run_options import RunOptions
from commands.settings import Settings
from evaluators.comparison import compare
from evaluators.evaluation import Protocol, SystemResult
from evaluators.impact.report import AFTER, BEFORE, GoldenChange
from evaluators.significance import require_scipy
from memory.database import Database
from memory.items import item_of

PROTOCOL = Protocol(match="normal", complete=False)
TARGET_PRECISION = 0.95  # of the threshold in a system's summary, of which a report of a change says nothing


def known_gold(settings: Settings, database: Database, options: ImpactOptions, version: int) -> GoldSet | None:
    """Return the golden items that the version before knows; what is left out is told. None where none are named.

    Those that are an id alone have the stored text. Raises `evaluators.golden.GoldError` where it knows none of them.
    """
    if options.gold is None:
        return None
    require_scipy()
    with database.session() as session:
        gold = gold_set(options.gold, taxonomy_of(settings), partial(item_of, session))
    gold = of_what_is_known(settings, gold, [version])
    tell_left_out(gold)
    return gold


def judged(settings: Settings, gold: GoldSet, version: int, label: str) -> SystemResult:
    """Return how right a version is on golden items."""
    bench = Bench(gold, grading_of(taxonomy_of(settings), PROTOCOL), TARGET_PRECISION, RunOptions())
    return known_system(settings, bench, label, version)


def golden_change(settings: Settings, gold: GoldSet, versions: tuple[int, int], seed: int) -> GoldenChange:
    """Return what differs between two versions on golden items."""
    before, after = (
        judged(settings, gold, version, label) for version, label in zip(versions, (BEFORE, AFTER), strict=True)
    )
    micro = before.summary.micro, after.summary.micro
    return GoldenChange(
        gold=gold.used,
        comparison=compare(before.items, after.items, labels=(BEFORE, AFTER), seed=seed),
        precision=(micro[0].precision, micro[1].precision),
        recall=(micro[0].recall, micro[1].recall),
        valued=sum(bool(item.attributes) for item in gold.gold),
        categorized=before.summary.categorized,
    )
