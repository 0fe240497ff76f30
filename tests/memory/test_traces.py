"""Traces are stored as they grow, come back as they were, and are pruned."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlmodel import col, update

from memory.database import Database, open_database
from memory.trace import Trace
from memory.trace_tables import TraceRow
from memory.traces import TraceUnreadable, UnknownTrace, forget_threads, prune_traces, save_trace, trace_heads, trace_of
from tests.databases import fresh_url
from tests.memory.knowledge_samples import drill
from tests.memory.traces_of_drills import traced

HOSTILE = 'NUL \0, half a pair \ud800, <script>alert(1)</script>, \x1b[31m, "'


@pytest.fixture
def database() -> Iterator[Database]:
    with open_database(fresh_url()) as opened:
        yield opened


def stored(database: Database, *traces: Trace) -> list[int]:
    with database.writing() as session:
        return [save_trace(session, trace) for trace in traces]


def test_a_trace_comes_back_as_it_was(database: Database) -> None:
    trace = traced(answer=HOSTILE, thread="t1")

    [number] = stored(database, trace)

    with database.session() as session:
        assert trace_of(session, number) == trace.model_copy(update={"id": number})


def test_a_field_of_which_a_step_said_nothing_is_told_from_one_that_it_emptied(database: Database) -> None:
    [number] = stored(database, traced())

    with database.session() as session:
        steps = trace_of(session, number).steps

    assert [sorted(step.update.said) for step in steps] == [
        ["claims", "round"],
        ["corrections", "verdicts"],
        ["summary"],
    ]


def test_a_trace_grows_by_the_steps_that_are_new(database: Database) -> None:
    whole = traced()
    begun = whole.model_copy(update={"steps": whole.steps[:1], "enrichment": None})
    [number] = stored(database, begun)
    with database.session() as session:
        [half] = trace_heads(session)

    stored(database, whole.model_copy(update={"id": number}))

    with database.session() as session:
        [head] = trace_heads(session)
        assert trace_of(session, number).steps == whole.steps
    assert (half.state, half.steps, half.accepted) == ("unfinished", 1, 0)
    assert (head.state, head.steps, head.accepted) == ("done", 3, 1)


def test_the_list_has_the_newest_first_and_says_what_each_cost(database: Database) -> None:
    other = drill("d2", title="Hand drill")
    stored(database, traced(), traced(other, [], failure="critic: answer_invalid: no JSON"), traced())

    with database.session() as session:
        heads = trace_heads(session)
        of_other = trace_heads(session, item_id="d2")
        newest = trace_heads(session, limit=1)

    assert [(head.id, head.item_id, head.state) for head in heads] == [
        (3, "d1", "done"),
        (2, "d2", "failed"),
        (1, "d1", "done"),
    ]
    spent = heads[0].spent
    assert (spent.calls, spent.usage.prompt_tokens, spent.cost, spent.unpriced) == (3, 30, Decimal("0.75"), 0)
    assert ([head.id for head in of_other], [head.id for head in newest]) == ([2], [3])


def test_pruning_keeps_the_newest_and_the_threads_that_they_share(database: Database) -> None:
    replay = traced(thread="a").model_copy(update={"replay_of": 1, "replay_from": 2})
    stored(database, traced(thread="a"), traced(thread="b"), traced(), replay)

    with database.writing() as session:
        dropped = prune_traces(session, keep=2)

    with database.session() as session:
        heads = trace_heads(session)
        with pytest.raises(UnknownTrace, match="no trace 1"):
            trace_of(session, 1)
    assert dropped == ["b"]
    assert [(head.id, head.replay_of) for head in heads] == [(4, None), (3, None)]


def test_the_checkpoints_of_older_traces_are_forgotten_and_the_traces_stay(database: Database) -> None:
    stored(database, traced(thread="a"), traced(thread="b"), traced(thread="c"))

    with database.writing() as session:
        dropped, again = forget_threads(session, keep=2), forget_threads(session, keep=2)

    with database.session() as session:
        threads = [trace_of(session, number).thread for number in (1, 2, 3)]
    assert (dropped, again, threads) == (["a"], [], ["", "b", "c"])


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"item": {"id": "d1", "title": "Another text"}, "prompts": []}'])
def test_a_trace_that_was_changed_from_outside_is_refused(database: Database, content: str) -> None:
    [number] = stored(database, traced())
    with database.writing() as session:
        session.connection().execute(update(TraceRow).where(col(TraceRow.id) == number).values(content=content))

    with database.session() as session, pytest.raises(TraceUnreadable, match="trace 1 is not valid"):
        trace_of(session, number)
