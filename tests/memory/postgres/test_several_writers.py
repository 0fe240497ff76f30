"""Several transactions at once, on the same items, questions and rows: each thing is one's, and there once."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from memory.batch_shelf import AskedQuestion, BatchShelf
from memory.catalog import RejectedRow
from memory.database import Database, open_database
from memory.ledger import Ledger
from memory.outcomes import rejected_rows, save_rejected_rows
from memory.versions import version_for
from memory.work import Claims, FencedOff, claim, finish_all
from tests.databases import fresh_url
from tests.memory.knowledge_samples import PROVENANCE, drill, enriched
from tests.postgres_server import PostgresServer

pytestmark = pytest.mark.postgres


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[Database]:
    with open_database(fresh_url()) as opened:
        opened.write(lambda session: version_for(session, PROVENANCE))
        yield opened


def claimed_by(database: Database, owner: str, ids: list[str], now: float = 0.0) -> Claims:
    items = [drill(item_id) for item_id in ids]
    return database.write(lambda session: claim(session, 1, items, owner, now, 60.0), beside=True)


def test_many_at_once_share_a_catalog_and_nothing_is_leased_twice(database: Database) -> None:
    ids = [f"i{number:03}" for number in range(200)]
    start = threading.Barrier(6, timeout=60)

    def work(owner: str) -> list[str]:
        start.wait()
        mine: list[str] = []
        for at in range(0, 200, 20):
            mine += [one.item.id for one in claimed_by(database, owner, ids[at : at + 20]).claimed]
        return mine

    with ThreadPoolExecutor(6) as threads:
        leased = [item for part in threads.map(work, [f"w{n}" for n in range(6)]) for item in part]

    assert sorted(leased) == ids


def test_an_item_that_another_transaction_is_at_is_busy_and_nobody_waits(database: Database) -> None:
    claimed_by(database, "first", ["a", "b"])

    with database.writing(beside=True) as session:
        session.execute(text("SELECT 1 FROM work WHERE item_id = 'a' FOR UPDATE"))
        claims = claimed_by(database, "second", ["a", "b", "c"], now=1_000.0)

    assert [item.id for item in claims.busy] == ["a"]
    assert [one.item.id for one in claims.claimed] == ["b", "c"]


def test_who_stores_a_result_keeps_the_item_from_being_taken_over_meanwhile(database: Database) -> None:
    [mine] = claimed_by(database, "first", ["a"]).claimed
    with database.writing(beside=True) as session:
        stored = finish_all(session, [(mine, enriched(mine.item))])
        meanwhile = claimed_by(database, "second", ["a"], now=1_000.0)
    afterwards = claimed_by(database, "second", ["a"], now=1_000.0)

    assert stored == [None]
    assert [item.id for item in meanwhile.busy] == ["a"]
    assert [item.id for item in afterwards.done] == ["a"]


def test_a_late_result_is_fenced_off(database: Database) -> None:
    [late] = claimed_by(database, "first", ["a"]).claimed
    claimed_by(database, "second", ["a"], now=1_000.0)

    [told] = database.write(lambda session: finish_all(session, [(late, enriched(late.item))]), beside=True)

    assert isinstance(told, FencedOff)


def test_two_who_reject_the_same_rows_leave_each_once(database: Database) -> None:
    rows = [RejectedRow(file="c.csv", line=line, reason="no title") for line in range(1, 51)]
    start = threading.Barrier(4, timeout=60)

    def work(_: int) -> None:
        start.wait()
        database.write(lambda session: save_rejected_rows(session, rows), beside=True)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))

    assert len(database.read(rejected_rows)) == 50


def test_a_question_is_submitted_by_one_of_those_who_have_it(database: Database) -> None:
    asked = [AskedQuestion(question=f"q{number}", key=f"k{number}") for number in range(20)]
    start = threading.Barrier(4, timeout=60)

    def work(token: str) -> set[str]:
        async def prepared() -> set[str]:
            async with Ledger(database) as ledger:
                shelf = BatchShelf(database, ledger, server="s", model="m")
                return await shelf.prepare(token, asked, 60.0)

        start.wait()
        return asyncio.run(prepared())

    with ThreadPoolExecutor(4) as threads:
        parts = list(threads.map(work, "abcd"))

    assert sorted(question for part in parts for question in part) == sorted(one.question for one in asked)


def test_a_configuration_that_many_begin_at_once_is_one_version(postgres: PostgresServer) -> None:
    start = threading.Barrier(4, timeout=60)
    with open_database(fresh_url()) as database:

        def work(_: int) -> int:
            start.wait()
            return database.write(lambda session: version_for(session, PROVENANCE))

        with ThreadPoolExecutor(4) as threads:
            versions = list(threads.map(work, range(4)))

    assert versions == [1, 1, 1, 1]
