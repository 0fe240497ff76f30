"""Everything a run works with, opened from the settings and closed at its end."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from langsmith import tracing_context

from agents.answering import Interviewer, Journal
from agents.extraction.aids import Aids, Escalation
from agents.onlooker import NOBODY, Onlooker
from agents.providers.base import Capabilities, ChatModel, FailureKind, ModelSpecError
from agents.providers.batch_api.under_way import BatchesUnderWay
from agents.providers.server_state import ServedBySeveral
from agents.reading.title_offers import shop_words_of
from agents.resilience.model import ResilientModel
from agents.resilience.policy import ResiliencePolicy
from agents.spending.budgeted_model import BudgetedModel, Recall
from agents.spending.lost_answers import LostAnswers
from agents.spending.prices import Price
from agents.stopping import StoppableClock, StoppableModel
from commands.aids import aids_of, approved_by_people, doubts_about
from commands.choices import capabilities_of, model_of, prompts_of, provenance_of, taxonomy_of
from commands.output import say, say_once
from commands.run_options import RunControls, controls_of
from commands.settings import Settings
from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph, build_enrichment_graph
from graphs.observed_nodes import observed_by
from graphs.templates import TemplateShelf
from memory.batch_shelf import BatchShelf
from memory.category import template_maker
from memory.category_index import CategoryIndex
from memory.database import Database, open_database
from memory.demand_space import DemandSpace
from memory.encoder import MiniLmEncoder
from memory.extras import extras
from memory.ledger import Ledger
from memory.reviews import ruling_lookup
from memory.taxonomy import Taxonomy
from prompts.library import PromptLibrary

T = TypeVar("T")
BATCH_PATIENCE = 30 * 86_400.0  # seconds: longer than the most batches that a question may be in


@dataclass(frozen=True)
class Workshop:
    """An open knowledge base with its ledger, and the graph with its context."""

    database: Database
    ledger: Ledger
    taxonomy: Taxonomy
    graph: EnrichmentGraph
    context: EnrichmentContext
    model: ResilientModel  # for a look at what holds the calls back
    batches: Callable[[], BatchesUnderWay | None] = lambda: None  # the same of the provider's batches
    onlooker: Onlooker = NOBODY


@asynccontextmanager
async def open_workshop(
    settings: Settings,
    *,
    controls: RunControls | None = None,
    off_loop: bool = False,
    prompts: PromptLibrary | None = None,
) -> AsyncIterator[Workshop]:
    """Open the knowledge base with its ledger, the taxonomy with its search, the prompts unless given, and the model.

    `off_loop` opens and uses them in threads, for a loop with other work; one item at a time may then be on its way.
    """
    controls = controls or controls_of(settings)
    model = await _done(lambda: _model(settings, controls), off_loop)
    stronger = None
    try:
        stronger = await _done(lambda: _stronger(settings), off_loop)
        # LangChain would send traces to LangSmith where the environment asks for it; catalogs are nobody's business.
        with tracing_context(enabled=False):
            async with (
                _database(settings, off_loop) as database,
                _onlooker(settings) as onlooker,
                Ledger(database) as ledger,
                _in_batches(model, controls, database, ledger) as asked,
            ):
                opened = _Opened(settings, *asked, controls, database, ledger, stronger, onlooker, prompts, off_loop)
                yield await _done(lambda: _workshop(opened), off_loop)
    finally:
        await model.aclose()
        if stronger:
            await stronger.aclose()


@asynccontextmanager
async def _database(settings: Settings, off_loop: bool) -> AsyncIterator[Database]:
    database = await _done(lambda: open_database(settings.kb, durability=settings.durability), off_loop)
    try:
        yield database
    finally:
        await _done(database.dispose, off_loop)


@asynccontextmanager
async def _onlooker(settings: Settings) -> AsyncIterator[Onlooker]:
    """Yield who looks on at the run: nobody, unless spans are to be sent."""
    if settings.otel is None:
        yield NOBODY
        return
    with extras():
        from commands.telemetry.opening import telemetry_to  # noqa: PLC0415 - of the extra `otel`
    async with telemetry_to(settings.otel, settings) as onlooker:
        yield onlooker


def _stronger(settings: Settings) -> ChatModel | None:
    return model_of(settings.overridden(model=settings.stronger)) if settings.stronger else None


def _model(settings: Settings, controls: RunControls) -> ChatModel:
    """Return the model that the settings name; only the thin client's questions can be put in batches."""
    return model_of(settings.overridden(client="aiohttp") if controls.provider_batch else settings)


@asynccontextmanager
async def _in_batches(
    model: ChatModel, controls: RunControls, database: Database, ledger: Ledger
) -> AsyncIterator[tuple[ChatModel, Callable[[], BatchesUnderWay | None]]]:
    """Yield the model, asked through its provider's batch API if the run is to, and what looks at its batches."""
    if not controls.provider_batch:
        yield model, lambda: None
        return
    # aiohttp takes a while to import.
    from agents.providers.batch_api.model import BatchedModel  # noqa: PLC0415
    from agents.providers.chat_completions import ChatCompletionsModel  # noqa: PLC0415

    if not isinstance(model, ChatCompletionsModel):
        several = " behind several servers: name one URL" if isinstance(model, ServedBySeveral) else ""
        raise ModelSpecError(f"{model.spec} has no batch API{several}")
    shelf = BatchShelf(database, ledger, server=model.connection.server.url, model=model.name)
    batched = BatchedModel(model, shelf, clock=StoppableClock(controls.stop))
    try:
        yield batched, lambda: batched.state
    finally:
        await batched.aclose()


async def _done(work: Callable[[], T], off_loop: bool) -> T:
    return await asyncio.to_thread(work) if off_loop else work()


class _Opened(NamedTuple):
    """What was opened so far."""

    settings: Settings
    model: ChatModel
    batches: Callable[[], BatchesUnderWay | None]
    controls: RunControls
    database: Database
    ledger: Ledger
    stronger: ChatModel | None
    onlooker: Onlooker
    prompts: PromptLibrary | None
    off_loop: bool

    @property
    def recall(self) -> Recall | None:
        """What looks an answer up; None where reading the knowledge base would hold up a loop that has other work."""
        return None if self.off_loop else self.ledger.recall


def _workshop(opened: _Opened) -> Workshop:
    settings, model, batches, controls, database, ledger, _, onlooker, given, off_loop = opened
    for doubt in doubts_about(settings):
        say_once(f"note: {doubt}")
    taxonomy = taxonomy_of(settings)
    prompts = given or prompts_of(settings, model)
    encoder = MiniLmEncoder()
    lasting = _lasting(opened)
    capabilities = capabilities_of(settings, model)
    # Looking an answer up reads the knowledge base in the loop, so it is left out where the loop is another's.
    journal = ledger.record if off_loop else ledger
    context = EnrichmentContext(
        model=_asked(opened, lasting, prompts, journal, controls.price, capabilities),
        prompts=prompts,
        categories=CategoryIndex.build(tuple(taxonomy.leaves()), encoder, settings.cache, _announce),
        templates=TemplateShelf(
            taxonomy, database, _template_maker(model.spec, capabilities, prompts), off_loop=off_loop
        ),
        provenance=provenance_of(settings, model, prompts, taxonomy, encoder.name),
        demand_space=DemandSpace.build(taxonomy, encoder, settings.cache, _announce) if capabilities.supposes else None,
        shop_words=shop_words_of(taxonomy.phrases()),
        aids=_aids(opened, taxonomy, encoder, journal),
        rulings=ruling_lookup(database, once=off_loop),
        max_revisions=settings.max_revisions,
    )
    graph = build_enrichment_graph() if onlooker is NOBODY else build_enrichment_graph(observed_by(onlooker))
    return Workshop(database, ledger, taxonomy, graph, context, lasting, batches, onlooker)


def _asked(
    opened: _Opened,
    lasting: ResilientModel,
    prompts: PromptLibrary,
    journal: Journal,
    price: Price | None,
    capabilities: Capabilities,
) -> Interviewer:
    """Return what puts questions to a model, and keeps the answers."""
    return Interviewer(
        StoppableModel(lasting, opened.controls.stop),
        journal,
        repair=prompts.get("interviewer_repair"),
        price=price,
        doubts=opened.controls.doubts,
        capabilities=capabilities,
        onlooker=opened.onlooker,
        in_turn=opened.controls.in_turn,
    )


def _aids(opened: _Opened, taxonomy: Taxonomy, encoder: MiniLmEncoder, journal: Journal) -> Aids:
    people = approved_by_people(opened.database)
    return aids_of(opened.settings, taxonomy, encoder, reviewed=people, escalation=_escalation(opened, journal))


def _lasting(opened: _Opened) -> ResilientModel:
    """Return the model that asks the budget before each try, and tries on where that has a point."""
    settings, model, controls = opened.settings, opened.model, opened.controls
    return ResilientModel(
        BudgetedModel(model, controls.budget, recall=opened.recall),
        _in_batches_policy(settings) if controls.provider_batch else _policy(settings),
        clock=StoppableClock(controls.stop),
        on_paid_lost=LostAnswers(opened.ledger.record, model.spec, controls.price),
        on_failed_try=opened.onlooker.failed_try,
        limits=controls.limits(model.spec) if controls.limits else None,
    )


def _escalation(opened: _Opened, journal: Journal) -> Escalation | None:
    """Return the stronger model with the prompt that it gets, within the same budget; None where none is named."""
    model, controls = opened.stronger, opened.controls
    if model is None:
        return None
    if not model.capabilities.proposes:
        raise ModelSpecError(f"{model.spec} states no values of its own: nothing can be escalated to it")
    lasting = ResilientModel(
        BudgetedModel(model, controls.budget, controls.escalation_price, recall=opened.recall),
        _policy(opened.settings),
        clock=StoppableClock(controls.stop),
        on_paid_lost=LostAnswers(opened.ledger.record, model.spec, controls.escalation_price),
        on_failed_try=opened.onlooker.failed_try,
        limits=controls.limits(model.spec) if controls.limits else None,
    )
    prompts = prompts_of(opened.settings, model)
    asked = _asked(opened, lasting, prompts, journal, controls.escalation_price, model.capabilities)
    return Escalation(asked, prompts.get("attribute_extractor"))


def _policy(settings: Settings) -> ResiliencePolicy:
    return ResiliencePolicy(
        max_concurrency=settings.concurrency,
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
    )


def _in_batches_policy(settings: Settings) -> ResiliencePolicy:
    """Return the patience that batches need: what has failed for a time was in several of them already.

    Many answers come at once, so many that fail in a row say nothing of the server's health. Limits by the minute are
    not those of batches.
    """
    return ResiliencePolicy(
        tries={FailureKind.PROTOCOL: 2},
        deadline_seconds=BATCH_PATIENCE,
        max_concurrency=settings.concurrency,
        breaker_failures=sys.maxsize,
    )


def _announce(texts: int) -> None:
    say(f"Embedding {texts:,} names and other words of the taxonomy; this is done once and kept …")


def _template_maker(spec: str, capabilities: Capabilities, prompts: PromptLibrary) -> str | None:
    """Return what completes templates: the model and its prompt; None where they come from the taxonomy alone."""
    if not capabilities.proposes:
        return None
    return template_maker(spec, prompts.get("category_expert_template").fingerprint)
