"""The ledger gives every call back exactly as it was made and answered, and is durable before it says so."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.exc import DataError, IntegrityError
from sqlmodel import Session

from memory.column_types import escaped, unescaped
from memory.database import Database, DatabaseFull, open_database
from memory.ledger import Ledger, call_key, calls_of, record_call
from memory.model_call import Message, ModelCall, Usage
from memory.store import counts, items, save_item
from tests.databases import fresh_url, kept_at
from tests.memory.knowledge_samples import drill

any_text = st.text(st.characters(codec=None, exclude_categories=[]) | st.sampled_from("\0␛\ud800\udfff0d8"))


def call(
    raw_answer: str = '{"category": "drills"}',
    content: str = "Which category?",
    item_id: str = "d1",
    key: str = "",
    cost: Decimal | None = None,
) -> ModelCall:
    return ModelCall(
        item_id=item_id,
        agent="category_expert",
        prompt="category_expert",
        prompt_fingerprint="f1",
        round=1,
        model="scripted:test",
        parameters='{"temperature":0}',
        schema_name="Choice",
        messages=(Message(role="system", content="You sort."), Message(role="user", content=content)),
        raw_answer=raw_answer,
        finish_reason="stop",
        usage=Usage(prompt_tokens=7, completion_tokens=3, estimated=True),
        seconds=0.5,
        key=key,
        cost=cost,
    )


def test_a_call_comes_back_as_it_was_after_the_database_was_closed(tmp_path: Path) -> None:
    url = kept_at(tmp_path / "knowledge.db")
    with open_database(url) as database, database.writing() as session:
        record_call(session, call())

    with open_database(url) as database, database.session() as session:
        assert list(calls_of(session, "d1")) == [call()]


def test_calls_of_an_item_come_in_the_order_they_were_stored() -> None:
    made = [call(answer) for answer in ("third", "first", "second")]

    with open_database(fresh_url()) as database, database.writing() as session:
        for one in (made[0], call("of another", item_id="d2"), *made[1:]):
            record_call(session, one)

        assert list(calls_of(session, "d1")) == made


@pytest.mark.parametrize(
    "hostile",
    ["", "NUL \0 inside", "lone \ud800 and \udfff", "␛ ␛0000 ␛␛", "'; DROP TABLE item; --", "\x1b[31m", "no JSON {"],
)
def test_no_answer_breaks_the_ledger(hostile: str) -> None:
    with open_database(fresh_url()) as database, database.writing() as session:
        record_call(session, call(hostile, content=hostile))

        assert list(calls_of(session, "d1")) == [call(hostile, content=hostile)]


@given(any_text)
def test_escaping_loses_nothing_and_leaves_nothing_that_a_database_refuses(text: str) -> None:
    stored = escaped(text)

    assert unescaped(stored) == text
    assert "\0" not in stored
    assert stored.encode().decode() == stored


JSON = st.recursive(st.none() | st.booleans() | st.text(max_size=3), lambda v: st.lists(v, max_size=2), max_leaves=3)
ASKED = st.tuples(
    st.lists(st.tuples(st.sampled_from(["system", "user"]), any_text), max_size=3),
    any_text,
    any_text,
    any_text,
    st.dictionaries(st.text(max_size=2), JSON, max_size=2),
    st.integers(0, 3),
)


def key_of(asked: tuple[list[tuple[str, str]], str, str, str, dict[str, object], int]) -> str:
    messages, spec, parameters, schema_name, json_schema, number = asked
    made = [Message.model_validate({"role": role, "content": content}) for role, content in messages]
    return call_key(made, spec, parameters, schema_name, json_schema, number)


@given(ASKED, ASKED)
def test_keys_are_equal_exactly_where_everything_asked_is_equal(one: object, other: object) -> None:
    assert (key_of(one) == key_of(other)) == (one == other)  # type: ignore[arg-type]


def test_the_order_of_a_schemas_keys_does_not_change_the_key() -> None:
    schemas = [{"a": 1, "b": {"c": 1, "d": 2**70}}, {"b": {"d": 2**70, "c": 1}, "a": 1}]

    assert len({key_of(([], "s", "{}", "n", schema, 0)) for schema in schemas}) == 1


@pytest.fixture(params=["file", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with open_database(fresh_url() if request.param == "memory" else kept_at(tmp_path / "k.db")) as opened:
        yield opened


def commits_of(database: Database) -> list[object]:
    """Return a list that grows by one for each transaction that is committed from now on."""
    seen: list[object] = []
    event.listen(database.engine, "commit", seen.append)
    return seen


async def test_a_recorded_call_is_durable_and_recalled_by_its_key(database: Database) -> None:
    async with Ledger(database) as ledger:
        ledger.begin_run(7)
        await ledger.record(call("first", key="k"))
        await ledger.record(call("second", key="k", cost=Decimal("0.000000000042")))

        recalled = ledger.recall("k")

    expected = call("second", key="k", cost=Decimal("0.000000000042")).model_copy(update={"run_id": 7})
    assert recalled == expected
    with database.session() as session:
        assert [c.raw_answer for c in calls_of(session, "d1")] == ["first", "second"]


async def test_a_lost_answer_is_recorded_but_never_recalled(database: Database) -> None:
    async with Ledger(database) as ledger:
        await ledger.record(call("", key="k").model_copy(update={"outcome": "paid_lost"}))

        assert ledger.recall("k") is None
        assert ledger.recall("other") is None
        assert ledger.spend.calls == 1


async def test_a_fresh_run_recalls_only_its_own_answers(database: Database) -> None:
    async with Ledger(database) as ledger:
        ledger.begin_run(1)
        await ledger.record(call("old", key="k"))

    async with Ledger(database) as ledger:
        ledger.begin_run(2, fresh=True)
        before = ledger.recall("k")
        await ledger.record(call("new", key="k"))
        after = ledger.recall("k")

    assert before is None
    assert after is not None
    assert after.raw_answer == "new"


async def test_what_was_paid_is_counted_apart_from_what_was_replayed(database: Database) -> None:
    async with Ledger(database) as ledger:
        await ledger.record(call(key="k", cost=Decimal("0.5")))
        await ledger.record(call(key="l"))
        ledger.recall("k")

    spend = ledger.spend
    assert (spend.calls, spend.usage.prompt_tokens, spend.cost, spend.unpriced) == (2, 14, Decimal("0.5"), 1)
    assert (spend.replayed, spend.replayed_usage.prompt_tokens) == (1, 7)


async def test_concurrent_calls_share_transactions(database: Database) -> None:
    commits = commits_of(database)

    async with Ledger(database) as ledger:
        await asyncio.gather(*(ledger.record(call(key=str(n), item_id=str(n))) for n in range(300)))

    with database.session() as session:
        assert counts(session).model_calls == 300
    assert len(commits) < 30


def break_a_rule(session: Session) -> None:
    save_item(session, drill("half"))
    session.execute(text("INSERT INTO item (id) VALUES ('x')"))


def divide_by_zero(session: Session) -> None:
    save_item(session, drill("half"))
    raise ZeroDivisionError


async def test_a_write_that_fails_spoils_no_other_of_its_group(database: Database) -> None:
    huge = call(key="huge").model_copy(update={"usage": Usage(prompt_tokens=10**30)})  # no database holds it

    async with Ledger(database) as ledger:
        outcomes = await asyncio.gather(
            *(ledger.record(call(key=str(n))) for n in range(20)),
            ledger.write(break_a_rule),
            ledger.record(huge),
            ledger.write(divide_by_zero),
            *(ledger.write(lambda session, n=n: save_item(session, drill(f"i{n}"))) for n in range(20)),  # type: ignore[misc]
            return_exceptions=True,
        )

    failed = [type(outcome) for outcome in outcomes if isinstance(outcome, Exception)]
    assert [failed[0], failed[-1]] == [IntegrityError, ZeroDivisionError]
    assert failed[1:-1] in ([OverflowError], [DataError])
    with database.session() as session:
        assert (counts(session).model_calls, counts(session).items) == (20, 20)


async def test_writes_that_come_shortly_after_one_another_share_a_transaction(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.group_commit.APART", 3.0)  # longer than a busy machine pauses
    async with Ledger(database) as ledger:
        await ledger.record(call("first"))
        seen = commits_of(database)

        second = asyncio.create_task(ledger.record(call("second")))
        await asyncio.sleep(0.05)
        await asyncio.gather(second, ledger.record(call("third")))

        assert len(seen) == 1


async def test_writes_of_a_kind_are_done_together_and_one_that_fails_spoils_no_other(database: Database) -> None:
    runs: list[list[str]] = []

    def store(session: Session, item_ids: Sequence[str]) -> list[KeyError | None]:
        runs.append(list(item_ids))
        for item_id in item_ids:
            save_item(session, drill(item_id))
            if item_id == "bad":
                raise ZeroDivisionError
        return [KeyError(item_id) if item_id == "odd" else None for item_id in item_ids]

    async with Ledger(database) as ledger:
        held_up = asyncio.create_task(ledger.write(lambda _: time.sleep(0.2)))
        await asyncio.sleep(0.05)
        fine = await asyncio.gather(
            *(ledger.write_together(store, item_id) for item_id in ("a", "odd", "b")), return_exceptions=True
        )
        await held_up
        spoilt = await asyncio.gather(
            *(ledger.write_together(store, item_id) for item_id in ("c", "bad", "d")), return_exceptions=True
        )

    assert [type(outcome) for outcome in fine] == [type(None), KeyError, type(None)]
    assert runs[0] == ["a", "odd", "b"]
    assert [type(outcome) for outcome in spoilt] == [type(None), ZeroDivisionError, type(None)]
    with database.session() as session:
        assert [item.id for item in items(session)] == ["a", "b", "c", "d", "odd"]


@pytest.mark.sqlite
async def test_a_disk_that_is_full_for_one_write_is_not_full_for_the_others(tmp_path: Path) -> None:
    def fill(session: Session) -> None:
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1")
        save_item(session, drill("lost", title="x" * 1_000_000))

    def item(session: Session) -> None:
        session.connection().exec_driver_sql("PRAGMA max_page_count = 1000000")
        save_item(session, drill("kept"))

    with open_database(kept_at(tmp_path / "k.db")) as database:
        async with Ledger(database) as ledger:
            outcomes = await asyncio.gather(
                ledger.record(call(key="a")), ledger.write(fill), ledger.write(item), return_exceptions=True
            )
            await ledger.record(call(key="b"))

        with database.session() as session:
            assert (counts(session).model_calls, counts(session).items) == (2, 1)
    assert [type(outcome) for outcome in outcomes] == [type(None), DatabaseFull, type(None)]


async def test_a_call_whose_caller_was_cancelled_is_stored_all_the_same(database: Database) -> None:
    async with Ledger(database) as ledger:
        waiting = asyncio.create_task(ledger.record(call(key="k")))
        await asyncio.sleep(0)
        waiting.cancel()
        await ledger.flush()

        assert ledger.recall("k") is not None


async def test_closing_stores_what_waits_and_refuses_what_comes_later(database: Database) -> None:
    ledger = Ledger(database)
    waiting = [asyncio.create_task(ledger.record(call(key=str(n)))) for n in range(50)]
    await asyncio.sleep(0)

    await ledger.close()

    assert all(task.done() for task in waiting)
    with database.session() as session:
        assert counts(session).model_calls == 50
    with pytest.raises(RuntimeError, match="closed"):
        await ledger.record(call())


RECORD_UNTIL_KILLED = """
import asyncio, sys
from memory.database import open_database
from memory.ledger import Ledger
from tests.memory.test_ledger import call

async def worker(ledger, name):
    for number in range(1_000_000):
        key = f"{name}.{number}"
        await ledger.record(call(key=key, item_id=key))
        print(key, flush=True)

async def main():
    ledger = Ledger(open_database(sys.argv[1]))
    await asyncio.gather(*(worker(ledger, name) for name in range(16)))

asyncio.run(main())
"""


@pytest.mark.parametrize("seed", range(3))
def test_every_call_that_was_said_to_be_durable_survives_a_kill(tmp_path: Path, seed: int) -> None:
    url = kept_at(tmp_path / "k.db")
    command = [sys.executable, "-c", RECORD_UNTIL_KILLED, url]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        said = [child.stdout.readline().strip()]
        time.sleep(random.Random(seed).uniform(0.02, 0.3))
        child.send_signal(signal.SIGKILL)
        said += [line.strip() for line in child.stdout if line.endswith("\n")]

    with open_database(url) as database, database.session() as session:
        stored = set(session.execute(text("SELECT key FROM model_call")).scalars())
        if url.startswith("sqlite"):
            assert session.connection().exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert len(said) > 16
    assert set(said) <= stored
