"""reaseq as the client of the orchestration benchmark: the real graph, the ledger and a knowledge base in a file.

The category search is told beforehand what it found for the first product: the search's own model (`--search minilm`)
is no part of the orchestration, and no other client has one. The first product also has the template stated.
"""

import argparse
import asyncio
import cProfile
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agents.answering import Interviewer  # noqa: E402
from agents.providers.specs import Client, build_model  # noqa: E402
from benchmarks.peers.measuring import Meter, Task, task_of, task_parser  # noqa: E402
from benchmarks.peers.products import description, title  # noqa: E402
from commands.settings import Settings  # noqa: E402
from commands.workshop import Workshop, open_workshop  # noqa: E402
from graphs.batch import Batch, BatchSettings  # noqa: E402
from graphs.context import EnrichmentContext  # noqa: E402
from graphs.outcomes import Enriched  # noqa: E402
from memory.category import CategoryCandidate  # noqa: E402
from memory.schema import CatalogItem  # noqa: E402
from memory.versions import version_for  # noqa: E402

CLIENT_SETTING = "client"  # the setting that chooses the provider's client library, where there is one
PACKAGES = ["aiohttp", "langgraph", "langchain-openai", "sqlalchemy", "pydantic"]


@dataclass(frozen=True)
class ToldCategories:
    """Finds the same categories for every product."""

    found: tuple[CategoryCandidate, ...]

    def search(self, text: str, k: int = 8, *, description: str = "") -> tuple[CategoryCandidate, ...]:
        """Return at most k of them."""
        return self.found[:k]


def product(number: int) -> CatalogItem:
    """Return one product as the catalog's reader would."""
    return CatalogItem(id=f"P{number:06d}", title=title(number), description=description(number))


def settings_of(task: Task, client: str | None) -> Settings:
    """Return the settings of a run; `client` chooses the client library where that is a setting."""
    settings = Settings(
        kb=f"sqlite:///{task.folder}/knowledge.db",
        model="openai:bench",
        openai_base_url=task.url,
        concurrency=task.concurrency,
        without=("demand_analyst", "demand_critic"),  # the others are asked four questions an item as well
        cache=ROOT / ".reaseq",
    )
    return settings.overridden(**{CLIENT_SETTING: client}) if CLIENT_SETTING in Settings.model_fields else settings


def interviewer_of(settings: Settings, client: Client | None, workshop: Workshop) -> Interviewer:
    """Return what asks: the workshop's own, or one with the same ledger and the client that no setting chooses."""
    if client is None or CLIENT_SETTING in Settings.model_fields:
        return workshop.context.model
    model = build_model(
        settings.model,
        openai_api_key=None,
        openai_base_url=settings.openai_base_url,
        ollama_host=settings.ollama_host,
        call_seconds=settings.call_seconds,
        client=client,
    )
    return Interviewer(model, workshop.ledger)


async def run(task: Task, meter: Meter, client: Client | None, *, told: bool) -> int:
    """Enrich every product, and return how many were."""
    settings = settings_of(task, client)
    async with open_workshop(settings) as workshop:
        context = replace(workshop.context, model=interviewer_of(settings, client, workshop))
        if told:
            first = product(0)
            found = context.categories.search(first.title, context.candidates, description=first.description)
            context = replace(context, categories=ToldCategories(found))
        await enriched([product(0)], workshop, context, task.concurrency)
        meter.start()
        done = await enriched(map(product, task.product_numbers), workshop, context, task.concurrency)
        meter.stop()
    return done


async def enriched(
    products: Iterator[CatalogItem] | list[CatalogItem],
    workshop: Workshop,
    context: EnrichmentContext,
    concurrency: int,
) -> int:
    """Return how many products were enriched, each stored; the reason of the first failure ends the run."""
    version_id = await workshop.ledger.write(lambda session: version_for(session, context.provenance))
    settings = BatchSettings(version_id=version_id, owner="benchmark", concurrency=concurrency)
    batch = Batch(workshop.graph, context, workshop.database, workshop.ledger, settings=settings)
    done = 0
    async for outcome in batch.outcomes(products):
        if not isinstance(outcome, Enriched):
            raise SystemExit(f"a product was not enriched: {outcome}")
        done += 1
    return done


def main() -> None:
    """Run once, and print the figures."""
    parser: argparse.ArgumentParser = task_parser(__doc__ or "")
    parser.add_argument("--client", choices=get_args(Client), help="the client library, instead of the default")
    parser.add_argument("--search", choices=["told", "minilm"], default="told")
    parser.add_argument("--profile", type=Path, help="write a cProfile of the run to this file")
    options = parser.parse_args()
    task, meter, profile = task_of(parser), Meter(), cProfile.Profile()
    if options.profile:
        profile.enable()
    done = asyncio.run(run(task, meter, options.client, told=options.search == "told"))
    if options.profile:
        profile.disable()
        profile.dump_stats(options.profile)
    meter.report(done, PACKAGES)


if __name__ == "__main__":
    main()
