"""Everything a run works with, opened from the settings and closed at its end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import orjson
from langsmith import tracing_context

from agents.answering import Interviewer
from agents.providers.base import ChatModel
from agents.reading.title_offers import shop_words_of
from commands.choices import model_of, prompts_of, taxonomy_of
from commands.output import say
from commands.settings import Settings
from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph, build_enrichment_graph
from graphs.templates import TemplateShelf
from memory.database import Database, open_database
from memory.encoder import MiniLmEncoder
from memory.ledger import Ledger
from memory.schema import Provenance
from memory.taxonomy import Taxonomy
from memory.vectors import CategoryIndex
from memory.version import VERSION
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


@asynccontextmanager
async def open_workshop(settings: Settings, *, off_loop: bool = False) -> AsyncIterator[Workshop]:
    """Open the knowledge base with its ledger, the taxonomy with its search, the prompts and the model.

    `off_loop` opens them, and later reads and writes the knowledge base, in threads: for an event loop that has other
    work than ours. One item at a time may then be on its way.
    """
    model = await _done(lambda: model_of(settings), off_loop)
    try:
        # LangChain would send traces to LangSmith where the environment asks for it; catalogs are nobody's business.
        with tracing_context(enabled=False):
            database = await _done(lambda: open_database(settings.kb), off_loop)
            try:
                async with Ledger(database) as ledger:
                    yield await _done(lambda: _workshop(settings, model, database, ledger, off_loop), off_loop)
            finally:
                await _done(database.dispose, off_loop)
    finally:
        await model.aclose()


async def _done(work: Callable[[], T], off_loop: bool) -> T:
    return await asyncio.to_thread(work) if off_loop else work()


def _workshop(settings: Settings, model: ChatModel, database: Database, ledger: Ledger, off_loop: bool) -> Workshop:
    taxonomy = taxonomy_of(settings)
    prompts = prompts_of(settings, model)
    encoder = MiniLmEncoder()
    context = EnrichmentContext(
        # Looking an answer up reads the knowledge base in the loop, so it is left out where the loop is another's.
        model=Interviewer(model, ledger.record if off_loop else ledger),
        prompts=prompts,
        categories=CategoryIndex.build(tuple(taxonomy.leaves()), encoder, settings.cache, _announce),
        templates=TemplateShelf(taxonomy, database, _template_maker(model, prompts), off_loop=off_loop),
        provenance=_provenance(settings, model, prompts, taxonomy, encoder.name),
        shop_words=shop_words_of(taxonomy.phrases()),
        max_revisions=settings.max_revisions,
    )
    return Workshop(database, ledger, taxonomy, build_enrichment_graph(), context)


def _announce(texts: int) -> None:
    say(f"Embedding the taxonomy's {texts:,} names and other words; this is done once and kept …")


def _template_maker(model: ChatModel, prompts: PromptLibrary) -> str | None:
    """Return what completes templates: the model and its prompt; None where they come from the taxonomy alone."""
    if not model.capabilities.proposes:
        return None
    return f"{model.spec} {prompts.get('category_expert_template').fingerprint[:16]}"


def _provenance(
    settings: Settings, model: ChatModel, prompts: PromptLibrary, taxonomy: Taxonomy, encoder: str
) -> Provenance:
    return Provenance(
        prompts=prompts.fingerprints(),
        model=model.spec,
        parameters=orjson.dumps(dict(model.parameters), option=orjson.OPT_SORT_KEYS).decode(),
        taxonomy_version=taxonomy.version,
        encoder=encoder,
        code_version=VERSION,
        max_revisions=settings.max_revisions,
    )
