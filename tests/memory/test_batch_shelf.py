"""The shelf: what is under way or answered is nobody's to ask again, until the ledger has it or nothing came of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from memory.batch_shelf import AskedQuestion, BatchShelf
from memory.database import Database, open_database
from memory.ledger import Ledger
from tests.databases import kept_at
from tests.memory.test_ledger import call

ONE, TWO, THREE = (AskedQuestion(question=f"q{n}", key=f"k{n}") for n in (1, 2, 3))
LINE = '{"custom_id": "q1.t", "response": {"status_code": 200, "body": {"text": "\\ud83d\\u0000"}}}'


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    with open_database(kept_at(tmp_path / "kb.db")) as database:
        async with Ledger(database) as ledger:
            yield ledger


def shelf_of(ledger: Ledger, *, server: str = "http://s/v1", model: str = "small", now: float = 0.0) -> BatchShelf:
    return BatchShelf(database_of(ledger), ledger, server=server, model=model, clock=lambda: now)


def database_of(ledger: Ledger) -> Database:
    database: Database = vars(ledger)["_database"]
    return database


def rows(ledger: Ledger, table: str) -> int:
    with database_of(ledger).session() as session:
        return int(session.connection().execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


async def test_a_question_goes_into_one_submission(ledger: Ledger) -> None:
    shelf = shelf_of(ledger)

    first = await shelf.prepare("t1", [ONE, TWO], 60)
    second = await shelf.prepare("t2", [TWO, THREE], 60)

    assert (first, second) == ({"q1", "q2"}, {"q3"})
    assert [shelved.token for one in (ONE, TWO, THREE) if (shelved := shelf.look(one.question))] == ["t1", "t1", "t2"]


async def test_two_processes_that_ask_at_once_do_not_ask_the_same(ledger: Ledger) -> None:
    async with Ledger(database_of(ledger)) as other:
        prepared = await asyncio.gather(
            *(shelf_of(of).prepare(f"t{n}", [ONE, TWO, THREE], 60) for n, of in enumerate([ledger, other] * 10))
        )

    assert sorted(question for mine in prepared for question in mine) == ["q1", "q2", "q3"]


async def test_a_result_comes_back_as_it_was_and_the_first_one_stays(ledger: Ledger) -> None:
    shelf = shelf_of(ledger)
    await shelf.prepare("t1", [ONE, TWO], 60)

    await shelf.keep("t1", {"q1": LINE, "unknown": "x"})
    await shelf.keep("t1", {"q1": "another"})

    found, other = shelf.look("q1"), shelf.look("q2")
    assert found is not None
    assert other is not None
    assert (found.result, other.result) == (LINE, None)


async def test_what_got_no_answer_may_be_asked_again_and_what_did_may_not(ledger: Ledger) -> None:
    shelf = shelf_of(ledger)
    await shelf.prepare("t1", [ONE, TWO], 60)
    await shelf.keep("t1", {"q1": LINE})

    await shelf.settle("t1")

    assert shelf.look("q2") is None
    assert await shelf.prepare("t2", [ONE, TWO], 60) == {"q2"}


async def test_an_answer_leaves_the_shelf_once_the_ledger_has_it(ledger: Ledger) -> None:
    shelf = shelf_of(ledger)
    await ledger.record(call(key="k1"))  # before: it is not the answer that the shelf holds
    await shelf.prepare("t1", [ONE, TWO], 60)
    await shelf.keep("t1", {"q1": LINE, "q2": LINE})

    await shelf.tidy()
    before = rows(ledger, "batch_question")
    for key in ("k1", "k2"):
        await ledger.record(call(key=key))
    await shelf.tidy()

    assert before == 2
    assert (rows(ledger, "batch_question"), rows(ledger, "batch_submission")) == (0, 0)


async def test_a_question_under_way_stays_although_the_ledger_has_an_answer(ledger: Ledger) -> None:
    shelf = shelf_of(ledger)
    await shelf.prepare("t1", [ONE], 60)
    await ledger.record(call(key="k1"))

    await shelf.tidy()

    assert shelf.look("q1") is not None


async def test_another_server_and_another_model_see_nothing_of_it(ledger: Ledger) -> None:
    await shelf_of(ledger).prepare("t1", [ONE], 60)

    for shelf in (shelf_of(ledger, server="http://other/v1"), shelf_of(ledger, model="large")):
        assert shelf.look("q1") is None


async def test_a_fresh_run_sees_what_it_put_there_itself_and_a_later_one_sees_both(ledger: Ledger) -> None:
    shelf = shelf_of(ledger)
    ledger.begin_run(1)
    await shelf.prepare("t1", [ONE], 60)
    ledger.begin_run(2, fresh=True)

    old = shelf.look("q1")
    own = await shelf.prepare("t2", [ONE], 60)

    assert (old, own) == (None, {"q1"})
    assert [token for _ in "x" if (found := shelf.look("q1")) and (token := found.token)] == ["t2"]
    ledger.begin_run(3)
    assert shelf.look("q1") is not None


async def test_a_submission_is_its_processs_own_until_the_lease_ends_or_the_provider_has_named_it(
    ledger: Ledger,
) -> None:
    await shelf_of(ledger).prepare("t1", [ONE], 60)
    prepared = shelf_of(ledger).submission("t1")
    assert prepared is not None

    assert prepared.batch_id is None
    assert not shelf_of(ledger, now=59.0).lease_ended(prepared)
    assert shelf_of(ledger, now=60.0).lease_ended(prepared)
    await shelf_of(ledger).submitted("t1", "batch_7")
    named = shelf_of(ledger).submission("t1")
    assert named is not None
    assert named.batch_id == "batch_7"


async def test_a_result_of_no_use_is_dropped(ledger: Ledger) -> None:
    shelf = shelf_of(ledger)
    await shelf.prepare("t1", [ONE, TWO], 60)

    await shelf.drop("t1", "q1")

    assert (shelf.look("q1"), shelf.look("q2") is None) == (None, False)


async def test_what_the_provider_has_long_thrown_away_is_thrown_away(ledger: Ledger) -> None:
    shelf = shelf_of(ledger)
    await shelf.prepare("t1", [ONE], 60)
    await ledger.write(
        lambda session: (
            session.connection().exec_driver_sql(
                "UPDATE batch_submission SET created_at = '2026-01-01 00:00:00.000000'"
            )
            and None
        )
    )

    await shelf.tidy()

    assert (rows(ledger, "batch_question"), rows(ledger, "batch_submission")) == (0, 0)
