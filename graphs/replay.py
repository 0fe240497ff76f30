"""A stored trace again from one of its steps: what was before is taken from the trace, the rest runs anew."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import cast
from uuid import uuid4

from langchain_core.runnables import RunnableConfig

from graphs.checkpoint_serializer import CheckpointUnreadable
from graphs.checkpoints import with_passing_checkpoints
from graphs.context import EnrichmentContext
from graphs.dependencies import AGENTS
from graphs.enrichment import EnrichmentGraph
from graphs.single_item import Course, Step, steps_from, thread
from graphs.state import EnrichmentState
from memory.schema import Enrichment
from memory.trace import Trace, TraceStep, UnknownStep, found_by, spent_on


async def replay_item(
    graph: EnrichmentGraph,
    trace: Trace,
    step_number: int,
    context: EnrichmentContext,
    *,
    course: Course | None = None,
) -> AsyncGenerator[Step | Enrichment]:
    """Yield each step from the one of that number on, and last the enrichment; the steps before make no call.

    The enrichment's usage is that of the whole item, as in a trace. Where the graph keeps checkpoints and still has
    the step's, its thread forks there; else the state is put together from the trace, which comes to the same.
    Raises `UnknownStep`.
    """
    step = trace.step(str(step_number))
    taken = trace.steps[: step.number - 1]
    course = course or Course()
    course.tally.calls[:] = [call for earlier in taken for call in earlier.calls]
    course.counted, course.seconds = len(course.tally.calls), spent_on(taken).seconds
    graph = graph if graph.checkpointer else with_passing_checkpoints(graph, trace.item)
    start, config = await _starting_point(graph, trace, step)
    course.thread = config["configurable"]["thread_id"]
    async with aclosing(steps_from(graph, start, config, context, course)) as steps:
        async for found in steps:
            yield found


def first_changed(trace: Trace, prompts: Iterable[tuple[str, str]]) -> TraceStep | None:
    """Return the first step one of whose prompts (name, fingerprint) is not as it was; None where none is."""
    told = dict(trace.prompts)
    changed = {name for name, fingerprint in prompts if told.get(name) != fingerprint}
    agents = {needs.agent for needs in AGENTS if changed & set(needs.prompts)}
    return next((step for step in trace.steps if step.node in agents), None)


def state_before(trace: Trace, step: TraceStep) -> EnrichmentState:
    """Return the graph's state as it was before a step."""
    found = found_by(trace.steps[: step.number - 1])
    return cast(EnrichmentState, {**found.said, "item": trace.item})


async def _starting_point(
    graph: EnrichmentGraph, trace: Trace, step: TraceStep
) -> tuple[EnrichmentState | None, RunnableConfig]:
    if step.number == 1:
        return {"item": trace.item}, thread(uuid4().hex)
    state = state_before(trace, step)
    if trace.thread and step.checkpoint:
        config = thread(trace.thread, step.checkpoint)
        if await _is_there(graph, config, step, state):
            return None, config
    return None, await _put_together(graph, trace, step, state)


async def _is_there(graph: EnrichmentGraph, config: RunnableConfig, step: TraceStep, state: EnrichmentState) -> bool:
    """Return whether a checkpoint is still there and says what the trace says; a file may have been changed."""
    try:
        snapshot = await graph.aget_state(config)
    except CheckpointUnreadable:
        return False
    held = {name: value for name, value in snapshot.values.items() if value != () or name in state}
    return snapshot.next == (step.node,) and held == dict(state)


async def _put_together(
    graph: EnrichmentGraph, trace: Trace, step: TraceStep, state: EnrichmentState
) -> RunnableConfig:
    """Return a new thread that stands before the step."""
    before = trace.steps[step.number - 2]
    config = await graph.aupdate_state(thread(uuid4().hex), dict(state), as_node=before.node)
    snapshot = await graph.aget_state(config)
    if snapshot.next != (step.node,):
        ways = " and ".join(snapshot.next) or "its end"
        raise UnknownStep(f"after {before.node} the graph now goes to {ways}, not to {step.node}: trace the item anew")
    return thread(config["configurable"]["thread_id"])
