"""One item through the graph: from the catalog's words to an enrichment, whole or step by step."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any, cast
from uuid import uuid4

from langchain_core.runnables import RunnableConfig

from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph
from graphs.state import EnrichmentState, EnrichmentUpdate
from memory.model_call import ModelCall, Usage
from memory.schema import CatalogItem, Decision, Enrichment, Verdict
from memory.trace import StepUpdate, TraceStep


@dataclass
class CallTally:
    """Remembers the answers that one item got, those from the journal too: what the item costs, not what a run paid."""

    calls: list[ModelCall] = field(default_factory=list)

    def __call__(self, call: ModelCall, /) -> None:
        """Remember one call."""
        self.calls.append(call)

    def of(self, item_id: str) -> list[ModelCall]:
        """Return the calls made for the item itself, those for a shared template left out."""
        return [call for call in self.calls if call.item_id == item_id]


@dataclass(frozen=True)
class Step:
    """One node's turn: what it added to the state, and the calls that it made."""

    node: str
    update: EnrichmentUpdate
    calls: tuple[ModelCall, ...]
    seconds: float
    checkpoint: str = ""  # LangGraph's id of the state before it; "" where the graph keeps none

    def recorded(self, number: int) -> TraceStep:
        """Return the step as a trace keeps it."""
        return TraceStep(
            number=number,
            node=self.node,
            seconds=self.seconds,
            calls=self.calls,
            update=StepUpdate.model_validate(dict(self.update)),
            checkpoint=self.checkpoint,
        )


def _nobody(node: str) -> None:
    """Tell nobody."""


@dataclass
class Course:
    """How far an item on its way is; what an error cuts short is read here."""

    begun: Callable[[str], None] = _nobody  # told of each node as it goes to work
    tally: CallTally = field(default_factory=CallTally)
    node: str = ""  # at work, or the last one that was
    counted: int = 0  # calls of the steps that have ended
    seconds: float = 0.0  # of those steps
    since: float = field(default_factory=perf_counter)  # when the last of them ended
    thread: str = ""  # of the graph's checkpoints; "" where it keeps none
    checkpoint: str = ""  # the newest of them

    def cut_short(self) -> Step:
        """Return the turn that is not finished, with the calls that it has made so far."""
        calls = tuple(self.tally.calls[self.counted :])
        return Step(self.node, {}, calls, perf_counter() - self.since, self.checkpoint)


async def enrich_item(graph: EnrichmentGraph, item: CatalogItem, context: EnrichmentContext) -> Enrichment:
    """Return what the agents found out about the item, every claim with its verdict."""
    started = perf_counter()
    tally = CallTally()
    state = await graph.ainvoke({"item": item}, context=_counted(context, tally))
    return _enrichment(cast(EnrichmentState, state), context, tally, perf_counter() - started)


async def trace_item(
    graph: EnrichmentGraph, item: CatalogItem, context: EnrichmentContext, *, course: Course | None = None
) -> AsyncGenerator[Step | Enrichment]:
    """Yield each node's step as it ends, and last the enrichment; `course` tells how far it is meanwhile."""
    course = course or Course()
    if graph.checkpointer:
        course.thread = uuid4().hex
    async with aclosing(steps_from(graph, {"item": item}, thread(course.thread), context, course)) as steps:
        async for step in steps:
            yield step


async def steps_from(
    graph: EnrichmentGraph,
    start: EnrichmentState | None,
    config: RunnableConfig,
    context: EnrichmentContext,
    course: Course,
) -> AsyncGenerator[Step | Enrichment]:
    """Yield each step from a state on, or from that of a checkpoint (`start` None), and last the enrichment."""
    counted, state = _counted(context, course.tally), start
    course.since = perf_counter()
    modes = ["updates", "values", "tasks", *(["checkpoints"] if graph.checkpointer else [])]
    stream = graph.astream(start, config, context=counted, stream_mode=cast(Any, modes))
    async with aclosing(cast(AsyncGenerator[tuple[str, Any]], stream)) as told:
        async for mode, chunk in told:
            if mode == "values":
                state = cast(EnrichmentState, chunk)
            elif mode == "updates":
                for node, update in cast(Mapping[str, EnrichmentUpdate], chunk).items():
                    yield _ended(course, node, update)
            else:
                _follow(course, mode, chunk)
    assert state is not None  # noqa: S101 - a graph that has run has told its values
    yield _enrichment(state, context, course.tally, course.seconds)


def thread(name: str, checkpoint: str = "") -> RunnableConfig:
    """Return what tells the graph its thread, and the checkpoint to go on from."""
    if not name:
        return {}
    return {"configurable": {"thread_id": name, **({"checkpoint_id": checkpoint} if checkpoint else {})}}


def _ended(course: Course, node: str, update: EnrichmentUpdate) -> Step:
    now = perf_counter()
    step = Step(node, update, tuple(course.tally.calls[course.counted :]), now - course.since, course.checkpoint)
    course.counted, course.since = len(course.tally.calls), now
    course.seconds += step.seconds
    return step


def _follow(course: Course, mode: str, chunk: Mapping[str, Any]) -> None:
    """Note where the graph is, by what its stream says of tasks and checkpoints."""
    if mode == "tasks" and "input" in chunk:  # it is told at its start, and with its result
        course.node = chunk["name"]
        course.begun(course.node)
    elif mode == "checkpoints":
        course.checkpoint = chunk["config"]["configurable"]["checkpoint_id"]


def _counted(context: EnrichmentContext, tally: CallTally) -> EnrichmentContext:
    aids, escalation = context.aids, context.aids.escalation
    if escalation:
        aids = replace(aids, escalation=replace(escalation, model=escalation.model.witnessed_by(tally)))
    return replace(context, model=context.model.witnessed_by(tally), aids=aids)


def _enrichment(state: EnrichmentState, context: EnrichmentContext, tally: CallTally, seconds: float) -> Enrichment:
    calls = tally.of(state["item"].id)
    return Enrichment(
        item_id=state["item"].id,
        content_hash=state["item"].content_hash,
        category=state["category"],
        claims=state["claims"],
        verdicts=tuple(_final(verdict) for verdict in state["verdicts"]),
        ungrounded=state["ungrounded"],
        demands=state["demands"],
        demand_verdicts=state["demand_verdicts"],
        summary=state["summary"],
        rounds=state["round"],
        provenance=context.provenance,
        usage=sum((call.usage for call in calls), Usage()),
        model_calls=len(calls),
        shortened=any(call.shortened for call in calls),
        seconds=seconds,
    )


def _final(verdict: Verdict) -> Verdict:
    """Return the verdict as it is stored: what could not be revised into an acceptable claim is rejected."""
    return verdict.model_copy(update={"decision": Decision.REJECT}) if verdict.decision is Decision.REVISE else verdict
