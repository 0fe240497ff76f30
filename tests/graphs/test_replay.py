"""A trace again from one of its steps: exactly the calls from there on, and the same outcome either way."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.providers.scripted import ScriptedAnswer
from graphs.checkpoints import drop_threads, with_checkpoints
from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph, build_enrichment_graph
from graphs.replay import replay_item
from graphs.single_item import Course, Step, trace_item
from graphs.state import EnrichmentUpdate
from memory.database import Database, open_database
from memory.schema import Enrichment
from memory.trace import GATHERED, StepUpdate, Trace, TraceStep, UnknownStep
from tests.databases import fresh_url
from tests.graphs.bench_of_bottles import ITEM, context_of, looping_answers

NODES = [
    "category_expert",
    *2 * ("attribute_extractor", "critic"),
    "demand_analyst",
    "demand_critic",
    "summarizer",
]


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    with open_database(fresh_url()) as opened:
        yield opened


async def traced(graph: EnrichmentGraph, context: EnrichmentContext) -> Trace:
    """Return the trace of the bottle."""
    course, enrichment = Course(), None
    steps: list[TraceStep] = []
    async for found in trace_item(graph, ITEM, context, course=course):
        if isinstance(found, Step):
            steps.append(found.recorded(len(steps) + 1))
        else:
            enrichment = found
    return Trace(
        item=ITEM,
        started_at=datetime.now(UTC),
        model="scripted:test",
        prompts=(),
        steps=tuple(steps),
        enrichment=enrichment,
        thread=course.thread,
    )


async def replayed(
    graph: EnrichmentGraph, trace: Trace, number: int, context: EnrichmentContext, course: Course | None = None
) -> tuple[list[Step], Enrichment]:
    """Return what ran again, and what came of it."""
    found = [step async for step in replay_item(graph, trace, number, context, course=course)]
    enrichment = found.pop()
    assert isinstance(enrichment, Enrichment)
    return [step for step in found if isinstance(step, Step)], enrichment


def told(enrichment: Enrichment | None) -> Enrichment:
    """Return the enrichment without the time that it took."""
    assert enrichment is not None
    return enrichment.model_copy(update={"seconds": 0.0})


@pytest.mark.parametrize("number", [1, 3, 4, 8])
async def test_only_the_steps_from_the_chosen_one_on_run_again(tmp_path: Path, database: Database, number: int) -> None:
    context, journal = context_of(tmp_path, database, looping_answers())
    trace = await traced(build_enrichment_graph(), context)
    later = [call.prompt for step in trace.steps[number - 1 :] for call in step.calls]
    journal.calls.clear()

    steps, enrichment = await replayed(build_enrichment_graph(), trace, number, context)

    assert [step.node for step in steps] == NODES[number - 1 :]
    assert journal.prompts() == [name for name in later if name != "category_expert_template"]
    assert told(enrichment) == told(trace.enrichment)


async def test_a_checkpoint_and_the_trace_itself_come_to_the_same(tmp_path: Path, database: Database) -> None:
    context, _ = context_of(tmp_path, database, looping_answers())
    numbers = range(2, len(NODES) + 1)
    forked, put_together = [[Course() for _ in numbers] for _ in range(2)]
    async with with_checkpoints(build_enrichment_graph(), tmp_path / "cache", ITEM) as graph:
        trace = await traced(graph, context)
        by_checkpoint = [await replayed(graph, trace, n, context, c) for n, c in zip(numbers, forked, strict=True)]
        await drop_threads(tmp_path / "cache", [trace.thread])
        by_trace = [await replayed(graph, trace, n, context, c) for n, c in zip(numbers, put_together, strict=True)]

    for (steps, enrichment), (same_steps, same) in zip(by_checkpoint, by_trace, strict=True):
        assert told(enrichment) == told(same) == told(trace.enrichment)
        assert [step.update for step in steps] == [step.update for step in same_steps]
    assert {course.thread for course in forked} == {trace.thread}
    assert trace.thread not in {course.thread for course in put_together}


async def test_a_replay_costs_what_the_whole_item_costs(tmp_path: Path, database: Database) -> None:
    context, _ = context_of(tmp_path, database, looping_answers())
    trace = await traced(build_enrichment_graph(), context)

    _, enrichment = await replayed(build_enrichment_graph(), trace, 6, context)

    assert trace.enrichment is not None
    assert (enrichment.model_calls, enrichment.usage) == (trace.enrichment.model_calls, trace.enrichment.usage)


async def test_a_step_goes_another_way_with_another_answer(tmp_path: Path, database: Database) -> None:
    context, _ = context_of(tmp_path, database, looping_answers())
    trace = await traced(build_enrichment_graph(), context)
    lenient = ScriptedAnswer(agent="critic", answer={"verdicts": []})
    other, _ = context_of(tmp_path, database, [lenient, *(a for a in looping_answers() if a.agent != "critic")])

    steps, enrichment = await replayed(build_enrichment_graph(), trace, 3, other)

    assert [step.node for step in steps][:2] == ["critic", "demand_analyst"]
    assert enrichment.rounds == 0


async def test_a_step_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path, database: Database) -> None:
    context, _ = context_of(tmp_path, database, looping_answers())
    trace = await traced(build_enrichment_graph(), context)

    with pytest.raises(UnknownStep, match=r"5 = critic:2"):
        trace.step("critic:3")

    assert (trace.step("critic").number, trace.step("critic:2").number, trace.step("5").number) == (3, 5, 5)


async def test_a_way_that_the_graph_no_longer_has_is_refused(tmp_path: Path, database: Database) -> None:
    context, _ = context_of(tmp_path, database, looping_answers())
    trace = await traced(build_enrichment_graph(), context)
    steps = (*trace.steps[:2], TraceStep(number=3, node="summarizer", seconds=0))

    with pytest.raises(UnknownStep, match="goes to critic, not to summarizer"):
        await replayed(build_enrichment_graph(), trace.model_copy(update={"steps": steps}), 3, context)


def test_a_trace_keeps_each_field_that_a_node_may_add() -> None:
    annotations = EnrichmentUpdate.__annotations__

    joined = {name for name, kind in annotations.items() if "joined" in str(kind)}

    assert set(StepUpdate.model_fields) == set(annotations)
    assert set(GATHERED) == joined
