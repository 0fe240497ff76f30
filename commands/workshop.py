"""Everything a run works with, opened from the settings and closed at its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from langsmith import tracing_context

from agents.answering import Interviewer
from agents.budgeted_model import BudgetedModel
from agents.lost_answers import LostAnswers
from agents.providers.base import Capabilities, ChatModel
from agents.providers.resilience import ResilientModel
from agents.providers.resilience_policy import ResiliencePolicy
from agents.reading.title_offers import shop_words_of
from agents.stopping import StoppableClock, StoppableModel
from commands.choices import model_of, prompts_of, provenance_of, taxonomy_of
from commands.output import say
from commands.run_options import RunControls, controls_of
from commands.settings import Settings
from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph, build_enrichment_graph
from graphs.templates import TemplateShelf
from memory.database import Database, open_database
from memory.encoder import MiniLmEncoder
from memory.ledger import Ledger
from memory.taxonomy import Taxonomy
from memory.vectors import CategoryIndex
from prompts.library import PromptLibrary

T = TypeVar("T")


@dataclass(frozen=True)
class Workshop:
    """An open knowledge base with its ledger, and the graph with its context."""

    database: Database
    ledger: Ledger
    taxonomy: Taxonomy
    graph: EnrichmentGraph
    context: EnrichmentContext
    model: ResilientModel  # for a look at what holds the calls back


@asynccontextmanager
async def open_workshop(
    settings: Settings, *, controls: RunControls | None = None, off_loop: bool = False
) -> AsyncIterator[Workshop]:
    """Open the knowledge base with its ledger, the taxonomy with its search, the prompts and the model.

    `off_loop` opens them, and later reads and writes the knowledge base, in threads: for an event loop that has other
    work than ours. One item at a time may then be on its way.
    """
    controls = controls or controls_of(settings)
    model = await _done(lambda: model_of(settings), off_loop)
    try:
        # LangChain would send traces to LangSmith where the environment asks for it; catalogs are nobody's business.
        with tracing_context(enabled=False):
            database = await _done(lambda: open_database(settings.kb, durability=settings.durability), off_loop)
            try:
                async with Ledger(database) as ledger:
                    opened = _Opened(settings, model, controls, database, ledger)
                    yield await _done(lambda: _workshop(opened, off_loop), off_loop)
            finally:
                await _done(database.dispose, off_loop)
    finally:
        await model.aclose()


async def _done(work: Callable[[], T], off_loop: bool) -> T:
    return await asyncio.to_thread(work) if off_loop else work()


class _Opened(NamedTuple):
    """What was opened so far."""

    settings: Settings
    model: ChatModel
    controls: RunControls
    database: Database
    ledger: Ledger


def _workshop(opened: _Opened, off_loop: bool) -> Workshop:
    settings, model, controls, database, ledger = opened
    taxonomy = taxonomy_of(settings)
    prompts = prompts_of(settings, model)
    encoder = MiniLmEncoder()
    lasting = _lasting(model, settings, controls, ledger)
    capabilities = model.capabilities.without(settings.without)
    context = EnrichmentContext(
        # Looking an answer up reads the knowledge base in the loop, so it is left out where the loop is another's.
        model=Interviewer(
            StoppableModel(lasting, controls.stop),
            ledger.record if off_loop else ledger,
            repair=prompts.get("interviewer_repair"),
            price=controls.price,
            doubts=controls.doubts,
            capabilities=capabilities,
        ),
        prompts=prompts,
        categories=CategoryIndex.build(tuple(taxonomy.leaves()), encoder, settings.cache, _announce),
        templates=TemplateShelf(
            taxonomy, database, _template_maker(model.spec, capabilities, prompts), off_loop=off_loop
        ),
        provenance=provenance_of(settings, model, prompts, taxonomy, encoder.name),
        shop_words=shop_words_of(taxonomy.phrases()),
        max_revisions=settings.max_revisions,
    )
    return Workshop(database, ledger, taxonomy, build_enrichment_graph(), context, lasting)


def _lasting(model: ChatModel, settings: Settings, controls: RunControls, ledger: Ledger) -> ResilientModel:
    """Return the model that asks the budget before each try, and tries on where that has a point."""
    policy = ResiliencePolicy(
        max_concurrency=settings.concurrency,
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
    )
    return ResilientModel(
        BudgetedModel(model, controls.budget),
        policy,
        clock=StoppableClock(controls.stop),
        on_paid_lost=LostAnswers(ledger.record, model.spec, controls.price),
    )


def _announce(texts: int) -> None:
    say(f"Embedding the taxonomy's {texts:,} names and other words; this is done once and kept …")


def _template_maker(spec: str, capabilities: Capabilities, prompts: PromptLibrary) -> str | None:
    """Return what completes templates: the model and its prompt; None where they come from the taxonomy alone."""
    if not capabilities.proposes:
        return None
    return f"{spec} {prompts.get('category_expert_template').fingerprint[:16]}"
