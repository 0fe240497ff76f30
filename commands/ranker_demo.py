"""The demo's second half: made-up shoppers over the sample catalog, and what knowledge adds to their log."""

from pathlib import Path
from typing import TYPE_CHECKING

from commands.behaviors import imported, opened_log
from commands.model_material import read_material
from commands.output import say
from commands.ranker_tables import print_report
from commands.settings import Settings
from commands.simulate import stock, write_log
from memory.extras import ExtraMissing, extras

if TYPE_CHECKING:
    from evaluators.ranking.report import RankingReport
    from evaluators.shoppers.simulation import Simulation

SHOPPERS, EVENTS, HIDDEN, SEED = 200, 30, 0.25, 0  # few: thousands over 120 items alone say nearly everything
LOG = Path("demo-shoppers.csv")


def demo_ranking(settings: Settings) -> "RankingReport | None":
    """Simulate, import, rank with and without knowledge; None, with a word why, where that is not possible."""
    try:
        with extras():
            from commands.ranker_evaluation import ablated  # noqa: PLC0415 - torch is an extra
            from learning.devices import use_threads  # noqa: PLC0415
            from learning.material import NothingToLearn  # noqa: PLC0415
            from ranker.config import RankerConfig  # noqa: PLC0415
            from ranker.floors import floors_of  # noqa: F401, PLC0415
    except ExtraMissing as missing:
        say(f"\nNo ranking: {missing}")
        return None
    from evaluators.shoppers.shop import ShopUnusable  # noqa: PLC0415 - numpy takes a moment to import

    say(f"\nSimulating {SHOPPERS} shoppers, and foretelling what new item each of them turns to last …")
    use_threads(1)
    try:
        put_shoppers(settings)
        return ablated("next-item", read_material(settings, None, None), RankerConfig(), range(1), 0)
    except (ShopUnusable, NothingToLearn) as few:
        say(f"No ranking: {few}")
        return None


def print_ranking(report: "RankingReport") -> None:
    """Print what the demo found."""
    print_report(report.model_copy(update={"slices": ()}))
    say("The shoppers are made up, and act by the knowledge in part: this shows that it is used, not what it is worth.")


def simulation(settings: Settings) -> "Simulation":
    """Return the demo's shoppers, the same ones each time; raises `ShopUnusable`."""
    from evaluators.shoppers.simulation import simulate  # noqa: PLC0415 - numpy takes a moment to import

    return simulate(stock(settings), shoppers=SHOPPERS, events=EVENTS, hidden_share=HIDDEN, seed=SEED)


def put_shoppers(settings: Settings) -> None:
    """Write a log of shoppers, and put it in the place of the one of an earlier demo."""
    from memory.behaviors.imports import imports  # noqa: PLC0415 - polars is an extra
    from memory.behaviors.store import delete_import  # noqa: PLC0415
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import

    write_log(simulation(settings).log, LOG)
    with open_existing_database(settings.kb) as database:
        with database.writing() as session:
            for earlier in imports(session):
                if earlier.origin == LOG.name:
                    delete_import(session, earlier.id)
        imported(database, opened_log(LOG))
