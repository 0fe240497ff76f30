"""One item traced, or a trace replayed from a step, with the settings' model and prompts; stored as it goes."""

from asyncio import CancelledError
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from commands.kept_prompts import to_keep
from commands.settings import Settings
from commands.workshop import Workshop, open_workshop
from graphs.checkpoints import drop_threads, with_checkpoints
from graphs.enrichment import EnrichmentGraph
from graphs.outcomes import reason_of
from graphs.replay import replay_item
from graphs.single_item import Course, Step, trace_item
from memory.database import Database
from memory.errors import ReaseqError
from memory.kept_prompts import keep_prompts
from memory.rows import now
from memory.schema import CatalogItem, Enrichment
from memory.traces import Trace, TraceStep, forget_threads, save_trace
from prompts.library import PromptLibrary

KEPT_THREADS = 50  # traces whose checkpoints are kept; the others start again from what the trace says
INTERRUPTED = "interrupted"


def _nobody(node: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Manner:
    """How one item is traced."""

    store: bool = True
    fresh: bool = False  # every question anew, also those that the ledger has the answer to
    begun: Callable[[str], None] = _nobody  # told of each node as it goes to work


AS_USUAL = Manner()


async def traced(
    settings: Settings, item: CatalogItem, *, library: PromptLibrary | None = None, manner: Manner = AS_USUAL
) -> AsyncGenerator[TraceStep | Trace]:
    """Yield each step of an item as it ends, and last its trace, with its number if it is stored.

    `library` stands in for the settings' prompts, such as one with an edit that is not saved. What ends the item's way
    is told as the trace's `failure`, after a step with the calls that led to it; what fails before its first node is
    raised.
    """
    async with _opened(settings, item, library, manner) as (workshop, graph):
        course = Course(begun=manner.begun)
        kept = _Kept(_begun(workshop, item), workshop.database if manner.store else None)
        found = trace_item(graph, item, workshop.context, course=course)
        async with aclosing(_followed(found, course, kept, workshop)) as followed:
            async for seen in followed:
                yield seen
        await _tidied(workshop, settings.cache, manner)


async def replayed(
    settings: Settings,
    trace: Trace,
    step_number: int,
    *,
    library: PromptLibrary | None = None,
    manner: Manner = AS_USUAL,
) -> AsyncGenerator[TraceStep | Trace]:
    """Yield each step that runs again as it ends, and last the replay's own trace; as `traced`.

    Raises `UnknownStep`.
    """
    taken = trace.steps[: trace.step(str(step_number)).number - 1]
    async with _opened(settings, trace.item, library, manner) as (workshop, graph):
        course = Course(begun=manner.begun)
        told = {"steps": taken, "replay_of": trace.id, "replay_from": step_number}
        begun = _begun(workshop, trace.item).model_copy(update=told)
        kept = _Kept(begun, workshop.database if manner.store else None, taken_from=trace.thread)
        found = replay_item(graph, trace, step_number, workshop.context, course=course)
        async with aclosing(_followed(found, course, kept, workshop)) as followed:
            async for seen in followed:
                yield seen
        await _tidied(workshop, settings.cache, manner)


class _Kept:
    """A trace that grows, and is stored as it does."""

    def __init__(self, trace: Trace, database: Database | None, *, taken_from: str = "") -> None:
        self.trace = trace
        self._database = database
        self._taken_from = taken_from  # the thread of the steps that were taken over
        if not trace.steps:
            self._store()

    def add(self, step: TraceStep, thread: str) -> TraceStep:
        """Add a step."""
        steps = self.trace.steps
        if self._taken_from != thread and not self.trace.thread:
            steps = tuple(taken.model_copy(update={"checkpoint": ""}) for taken in steps)
        self.trace = self.trace.model_copy(update={"steps": (*steps, step), "thread": thread})
        self._store()
        return step

    def end(self, *, enrichment: Enrichment | None = None, failure: str = "") -> Trace:
        """Say how it ended."""
        self.trace = self.trace.model_copy(update={"enrichment": enrichment, "failure": failure})
        self._store()
        return self.trace

    def _store(self) -> None:
        if self._database is not None:
            with self._database.writing() as session:
                number = save_trace(session, self.trace)
            self.trace = self.trace.model_copy(update={"id": number})


async def _followed(
    found: AsyncGenerator[Step | Enrichment], course: Course, kept: _Kept, workshop: Workshop
) -> AsyncGenerator[TraceStep | Trace]:
    def added(step: Step) -> TraceStep:
        before = sum(earlier.recalled for earlier in kept.trace.steps[len(taken) :])
        recalled = workshop.ledger.spend.replayed - before
        recorded = step.recorded(len(kept.trace.steps) + 1)
        return kept.add(recorded.model_copy(update={"recalled": recalled}), course.thread)

    taken = kept.trace.steps
    try:
        async with aclosing(found):
            async for seen in found:
                yield kept.end(enrichment=seen) if isinstance(seen, Enrichment) else added(seen)
    except (CancelledError, GeneratorExit):
        kept.end(failure=INTERRUPTED)
        raise
    except ReaseqError as error:
        if not course.node:
            raise
        yield added(course.cut_short())
        yield kept.end(failure=f"{course.node}: {reason_of(error)}: {error}")


@asynccontextmanager
async def _opened(
    settings: Settings, item: CatalogItem, library: PromptLibrary | None, manner: Manner
) -> AsyncIterator[tuple[Workshop, EnrichmentGraph]]:
    async with open_workshop(settings, prompts=library) as workshop:
        workshop.ledger.begin_run(None, fresh=manner.fresh)
        with workshop.onlooker.item(item.id):
            if not manner.store:
                yield workshop, workshop.graph
                return
            with workshop.database.writing() as session:
                keep_prompts(session, to_keep(workshop.context.prompts))
            async with with_checkpoints(workshop.graph, settings.cache, item) as graph:
                yield workshop, graph


def _begun(workshop: Workshop, item: CatalogItem) -> Trace:
    provenance = workshop.context.provenance
    return Trace(item=item, started_at=now(), model=provenance.model, prompts=provenance.prompts, provenance=provenance)


async def _tidied(workshop: Workshop, cache: Path, manner: Manner) -> None:
    """Remove the checkpoints of older traces."""
    if manner.store:
        with workshop.database.writing() as session:
            threads = forget_threads(session, KEPT_THREADS)
        await drop_threads(cache, threads)
