"""Everything a run works with, opened from the settings and closed at its end."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import orjson
from langsmith import tracing_context

from agents.answering import Interviewer
from agents.providers.base import ChatModel
from agents.providers.specs import build_model
from agents.reading.title_offers import shop_words_of
from commands.settings import Settings
from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph, build_enrichment_graph
from graphs.templates import TemplateShelf
from memory.database import Database, open_database
from memory.encoder import MiniLmEncoder
from memory.ledger import Ledger
from memory.schema import Provenance
from memory.taxonomy import Taxonomy, load_taxonomy, starter_taxonomy
from memory.vectors import CategoryIndex
from memory.version import VERSION
from prompts.library import PromptLibrary, default_folder

EMBEDDED_VARIANT = "embedded"  # short prompts for models that only pick


@dataclass(frozen=True)
class Workshop:
    """An open knowledge base with its ledger, and the graph with its context."""

    database: Database
    ledger: Ledger
    taxonomy: Taxonomy
    graph: EnrichmentGraph
    context: EnrichmentContext


@asynccontextmanager
async def open_workshop(settings: Settings) -> AsyncIterator[Workshop]:
    """Open the knowledge base, the taxonomy with its search, the prompts and the model."""
    model = model_of(settings)
    async with AsyncExitStack() as opened:
        opened.push_async_callback(model.aclose)
        # LangChain would send traces to LangSmith where the environment asks for it; catalogs are nobody's business.
        opened.enter_context(tracing_context(enabled=False))
        database = opened.enter_context(open_database(settings.kb))
        ledger = await opened.enter_async_context(Ledger(database))
        taxonomy = taxonomy_of(settings)
        prompts = prompts_of(settings, model)
        encoder = MiniLmEncoder()
        context = EnrichmentContext(
            model=Interviewer(model, ledger),
            prompts=prompts,
            categories=CategoryIndex.build(tuple(taxonomy.leaves()), encoder, settings.cache),
            templates=TemplateShelf(taxonomy, database, _template_maker(model, prompts)),
            provenance=_provenance(settings, model, prompts, taxonomy, encoder.name),
            shop_words=shop_words_of(taxonomy.phrases()),
            max_revisions=settings.max_revisions,
        )
        yield Workshop(database, ledger, taxonomy, build_enrichment_graph(), context)


def model_of(settings: Settings) -> ChatModel:
    """Return the model that the settings name."""
    key = settings.openai_api_key
    return build_model(
        settings.model,
        openai_api_key=key.get_secret_value() if key else None,
        openai_base_url=settings.openai_base_url,
        ollama_host=settings.ollama_host,
        call_seconds=settings.call_seconds,
    )


def taxonomy_of(settings: Settings) -> Taxonomy:
    """Return the taxonomy that the settings name, else the starter one."""
    return load_taxonomy(settings.taxonomy) if settings.taxonomy else starter_taxonomy()


def prompts_of(settings: Settings, model: ChatModel) -> PromptLibrary:
    """Return the prompts for a model: the short variants where it can only pick what it is offered."""
    variant = None if model.capabilities.proposes else EMBEDDED_VARIANT
    return PromptLibrary.load(settings.prompts or default_folder(), variant)


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
