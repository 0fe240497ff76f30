"""A server that is restarted, killed, or cut off midway: nothing that was said to be stored is lost or doubled."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Literal

import pytest
from sqlalchemy import text
from sqlmodel import Session

from memory.database import Database, DatabaseBusy, open_database
from memory.ledger import Ledger
from memory.store import counts, item_of, save_item
from tests.databases import fresh_url
from tests.memory.knowledge_samples import drill
from tests.memory.postgres.cutting_proxy import CuttingProxy
from tests.memory.test_ledger import call
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.postgres


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    with open_database(fresh_url()) as opened:
        yield opened


def add_line(session: Session) -> int:
    """Add 1 to a number that a second run of the same work would make wrong, and return it."""
    session.execute(text("UPDATE item SET line = line + 1 WHERE id = 'd1'"))
    return int(session.execute(text("SELECT line FROM item WHERE id = 'd1'")).scalar_one())


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_answer_is_lost_is_done_exactly_once(
    postgres: PostgresServer, when: Literal["before", "after"]
) -> None:
    with CuttingProxy(fresh_url()) as proxy, open_database(proxy.url) as database:
        database.write(lambda session: save_item(session, drill(), catalog="c.csv", line=0))
        proxy.cut_at(b"COMMIT", when)

        returned = database.write(add_line)

        assert proxy.cuts == 1
        assert (returned, database.write(add_line)) == (1, 2)


def test_a_transaction_that_is_cut_off_midway_is_run_again(postgres: PostgresServer) -> None:
    with CuttingProxy(fresh_url()) as proxy, open_database(proxy.url) as database:
        database.write(lambda session: save_item(session, drill(), catalog="c.csv", line=0))
        proxy.cut_at(b"UPDATE item", "after")

        assert (database.write(add_line), proxy.cuts) == (1, 1)


def test_a_transaction_of_a_with_block_that_was_undone_says_so(postgres: PostgresServer) -> None:
    with CuttingProxy(fresh_url()) as proxy, open_database(proxy.url) as database:
        proxy.cut_at(b"COMMIT", "before")

        with pytest.raises(DatabaseBusy, match="rolled back"), database.writing() as session:
            save_item(session, drill())

        assert database.read(lambda session: counts(session).items) == 0


@pytest.mark.parametrize("how", ["restart", "kill"])
async def test_calls_outlive_a_server_that_goes_and_comes_back(
    postgres: PostgresServer, database: Database, how: str
) -> None:
    def go_and_come_back() -> None:
        time.sleep(0.3)
        if how == "restart":
            postgres.restart(down_seconds=0.5)
        else:
            postgres.kill()
            postgres.start()

    said: list[str] = []
    stopped = threading.Event()

    async def keep_recording(ledger: Ledger, name: str) -> None:
        number = 0
        while not stopped.is_set() or number < 20:
            await ledger.record(call(key=f"{name}{number}"))
            said.append(f"{name}{number}")
            number += 1

    async with Ledger(database) as ledger:
        workers = [asyncio.create_task(keep_recording(ledger, name)) for name in "abcd"]
        await asyncio.to_thread(go_and_come_back)
        stopped.set()
        await asyncio.gather(*workers)
        recalled = ledger.recall("a0")

    with database.session() as session:
        stored = list(session.execute(text("SELECT key FROM model_call")).scalars())
    assert recalled is not None
    assert sorted(stored) == sorted(said)


def test_reading_goes_on_after_a_restart(postgres: PostgresServer, database: Database) -> None:
    database.write(lambda session: save_item(session, drill()))
    with database.glance() as connection:
        connection.execute(text("SELECT 1"))
    postgres.restart()

    found = database.first(text("SELECT id FROM item WHERE id = :id"), {"id": "d1"})
    with database.session() as session:
        item = item_of(session, "d1")

    assert found is not None
    assert item == drill()


def test_a_server_that_stays_away_is_named(
    postgres: PostgresServer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.postgres_engine.LOOK_SECONDS", 0.01)
    monkeypatch.setattr("memory.database_errors.BUSY_SECONDS", 0.2)
    with open_database(str(database.engine.url.render_as_string(hide_password=False))) as impatient:
        postgres.stop()
        try:
            with pytest.raises(DatabaseBusy, match="for the server to come back") as caught:
                impatient.read(counts)
        finally:
            postgres.start()

    assert postgres.password not in str(caught.value)


def test_two_who_wait_for_each_other_both_get_their_turn(database: Database) -> None:
    for item_id in ("a", "b"):
        database.write(partial(save_item, item=drill(item_id), catalog="c", line=0))
    meeting = threading.Barrier(2, timeout=30)

    def swap(first: str, second: str) -> None:
        meetings = [meeting.wait]

        def work(session: Session) -> None:
            add = text("UPDATE item SET line = line + 1 WHERE id = :id")
            session.execute(add, {"id": first})
            if meetings:
                meetings.pop()()
            session.execute(add, {"id": second})

        database.write(work, beside=True)

    with ThreadPoolExecutor() as threads:
        for one in [threads.submit(swap, "a", "b"), threads.submit(swap, "b", "a")]:
            one.result()

    lines = database.read(lambda session: session.execute(text("SELECT line FROM item ORDER BY id")).scalars().all())
    assert lines == [2, 2]
