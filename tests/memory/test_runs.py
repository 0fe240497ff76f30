"""Runs are told with their settings, how they ended, and what they cost."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from sqlmodel import Session

from memory.database import open_database
from memory.ledger import record_call
from memory.model_call import ModelCall, Usage
from memory.runs import RunCounts, RunState, UnknownRun, end_run, run_of, runs, start_run, update_run
from memory.versions import version_for
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE
from tests.memory.test_ledger import call


@pytest.fixture
def session() -> Iterator[Session]:
    with open_database(fresh_url()) as database, database.writing() as session:
        version_for(session, PROVENANCE)
        yield session


def of_run(run_id: int, cost: str | None, tokens: int, **changed: object) -> ModelCall:
    made = call(cost=Decimal(cost) if cost else None)
    usage = Usage(prompt_tokens=tokens, completion_tokens=1)
    return made.model_copy(update={"run_id": run_id, "usage": usage} | changed)


def test_a_run_is_told_with_what_its_calls_cost(session: Session) -> None:
    run_id = start_run(session, 1, "drills.csv", {"model": "openai:small", "concurrency": 4})
    for one in (of_run(run_id, "0.1", 10), of_run(run_id, "0.2", 20), of_run(run_id, None, 30, outcome="paid_lost")):
        record_call(session, one)
    record_call(session, of_run(run_id + 1, "5", 1000))

    end_run(session, run_id, RunState.FINISHED, RunCounts(enriched=3, failed=1, rejected=2, skipped=5))

    run = run_of(session, run_id)
    assert (run.catalog, run.version_id, run.state, run.settings["concurrency"]) == ("drills.csv", 1, "finished", 4)
    assert run.counts == RunCounts(enriched=3, failed=1, rejected=2, skipped=5)
    assert (run.calls, run.lost, run.usage.prompt_tokens, run.usage.completion_tokens) == (3, 1, 60, 3)
    assert (run.cost, run.unpriced, run.usage.estimated) == (Decimal("0.3"), 1, False)
    assert run.ended_at is not None
    assert run.ended_at >= run.started_at


def test_a_run_without_calls_cost_nothing_and_one_that_was_killed_still_runs(session: Session) -> None:
    run_id = start_run(session, 1, "drills.csv", {})
    update_run(session, run_id, RunCounts(enriched=1))

    run = run_of(session, run_id)

    assert (run.calls, run.cost, run.state) == (0, Decimal(0), RunState.RUNNING)
    assert (run.counts.enriched, run.ended_at) == (1, None)


def test_the_newest_run_comes_first(session: Session) -> None:
    started = [start_run(session, 1, name, {}) for name in "abc"]

    assert [run.id for run in runs(session)] == started[::-1]
    assert [run.catalog for run in runs(session, limit=1)] == ["c"]


def test_no_secret_is_stored(session: Session) -> None:
    run_id = start_run(
        session,
        1,
        "c.csv",
        {
            "openai_api_key": "canary-1",
            "max_tokens": 10,
            "base_url": "https://user:canary-2@host/v1",
            "nested": {"password": "canary-3", "urls": ["http://canary-4@host"]},
        },
    )

    settings = run_of(session, run_id).settings

    assert "canary" not in str(settings)
    assert (settings["max_tokens"], settings["base_url"]) == (10, "https://***@host/v1")


def test_an_unknown_run_cannot_end(session: Session) -> None:
    with pytest.raises(UnknownRun):
        end_run(session, 7, RunState.FAILED, RunCounts())
    with pytest.raises(UnknownRun):
        run_of(session, 7)
