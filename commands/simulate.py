"""`reaseq simulate`: shoppers who walk through the knowledge base's items, their log, and the truth about them."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.output import AsJson, KnowledgeBase, print_json, say
from commands.settings import Settings, settings_of

if TYPE_CHECKING:
    from evaluators.shoppers.shop import ShopItem
    from evaluators.shoppers.simulation import Log, ShopperTruth

COLUMNS = ("user", "item", "time", "kind", "session")


LogFile = Annotated[Path, typer.Option("--out", help="The log to write: CSV.", metavar="FILE")]
TruthFile = Annotated[
    Path, typer.Option("--truth", help="The truth to write: JSON Lines, one a shopper.", metavar="FILE")
]
Shoppers = Annotated[int, typer.Option("--shoppers", help="How many shoppers there are.", min=1)]
Events = Annotated[int, typer.Option("--events", help="Events of a shopper, on average.", min=1)]
Hidden = Annotated[
    float, typer.Option("--hidden", help="Share of a shopper's categories that are bought elsewhere.", min=0, max=1)
]
Seed = Annotated[int, typer.Option("--seed", help="Another seed, other shoppers.", min=0)]


def simulate(
    context: typer.Context,
    out: LogFile,
    truth: TruthFile,
    shoppers: Shoppers = 2000,
    events: Events = 30,
    hidden: Hidden = 0.25,
    seed: Seed = 0,
    kb: KnowledgeBase = None,
    as_json: AsJson = False,
) -> None:
    """Simulate shoppers over what the knowledge base knows; a part of what they do stays out of the log.

    They are made up: what a ranker gains from knowledge here says that it uses it, not what it would gain in a shop.
    """
    from evaluators.shoppers.simulation import simulate as simulated  # noqa: PLC0415 - numpy takes a moment to import

    items = stock(settings_of(context, kb=kb))
    found = simulated(items, shoppers=shoppers, events=events, hidden_share=hidden, seed=seed)
    write_log(found.log, out)
    _write_truth(found.truths, truth)
    figures = {"shoppers": shoppers, "behaviors": len(found.log.item), "hidden": found.hidden_behaviors, "seed": seed}
    if as_json:
        print_json(figures | {"file": str(out), "truth": str(truth)})
    else:
        say(
            f"wrote {figures['behaviors']} behaviours of {shoppers} shoppers to {out}, "
            f"and {figures['hidden']} that stay out of it to {truth}"
        )


def stock(settings: Settings) -> "list[ShopItem]":
    """Return all items with what is accepted of them."""
    from evaluators.shoppers.shop import ShopItem  # noqa: PLC0415
    from memory.database import open_existing_database  # noqa: PLC0415 - SQL takes a moment to import
    from memory.store import enrichments  # noqa: PLC0415

    with open_existing_database(settings.kb) as database, database.session() as session:
        return [
            ShopItem(
                id=item.id,
                category=" > ".join(known.category.path),
                attributes=tuple(
                    (claim.name, f"{claim.normalized} {claim.unit}" if claim.unit else claim.normalized)
                    for claim in known.accepted
                ),
                demands=tuple(demand.text for demand in known.accepted_demands if demand.positive),
            )
            for item, known in enrichments(session)
        ]


def write_log(log: "Log", path: Path) -> None:
    """Write a log as CSV."""
    from memory.atomic_file import written_whole  # noqa: PLC0415

    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(log.rows())


def _write_truth(truths: "tuple[ShopperTruth, ...]", path: Path) -> None:
    from memory.atomic_file import written_whole  # noqa: PLC0415

    with written_whole(path) as unfinished, unfinished.open("w", encoding="utf-8") as file:
        file.writelines(f"{told.model_dump_json()}\n" for told in truths)
