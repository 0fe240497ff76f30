"""The batch API on a server that loses, shuffles, delays and refuses; the shelf is a real one."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agents.answering import canonical_json
from agents.providers.base import (
    AnswerSchema,
    AuthenticationFailed,
    CallFailed,
    CallKey,
    Completion,
    ContextTooLong,
    FailureKind,
    ModelNotFound,
    ProviderUnavailable,
    QuotaExhausted,
)
from agents.providers.batch_api.model import BatchedModel
from agents.providers.batch_api.pace import BatchPace
from agents.providers.chat_completions import ChatCompletionsModel
from agents.stopping import RunStopped, Stop, StoppableClock
from memory.batch_shelf import BatchShelf
from memory.database import open_database
from memory.ledger import Ledger
from memory.model_call import Message, call_key
from tests.databases import kept_at
from tests.faulty_provider import FaultyProvider, Rule
from tests.loopback_provider import Asked

SCHEMA = AnswerSchema("Ruling", {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})
QUICK = BatchPace(settle_seconds=0.05, first_look=0.01, longest_look=0.02, tries=4, longest_pause=0.01)


def echo(asked: Asked) -> object:
    return {"n": int(asked.text)}


def provider(*rules: Rule, answer: Callable[[Asked], object] = echo) -> FaultyProvider:
    return FaultyProvider(rules, answer=answer, item_of=lambda asked: asked.text)


@asynccontextmanager
async def model_at(
    server: FaultyProvider, folder: Path, pace: BatchPace = QUICK, stop: Stop | None = None
) -> AsyncIterator[BatchedModel]:
    """Open the model with the knowledge base of a folder; opened twice, it is a process and the one after it."""
    with open_database(kept_at(folder / "kb.db")) as database:
        async with Ledger(database) as ledger:
            inner = ChatCompletionsModel("small", api_key="sk-canary", base_url=server.base_url, call_seconds=5)
            shelf = BatchShelf(database, ledger, server=server.base_url, model="small")
            model = BatchedModel(inner, shelf, pace=pace, clock=StoppableClock(stop or Stop()))
            try:
                yield model
            finally:
                await model.aclose()
                await inner.aclose()


async def ask(model: BatchedModel, number: int, turn: int = 0) -> Completion:
    about = CallKey(agent="judge", item_id=str(number), round=turn)
    return await model.complete([Message(role="user", content=str(number))], SCHEMA, about=about)


async def ask_all(model: BatchedModel, numbers: range) -> list[int]:
    return [json.loads(answer.text)["n"] for answer in await asyncio.gather(*(ask(model, n) for n in numbers))]


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not true():  # noqa: ASYNC110 - it becomes true in another thread
            await asyncio.sleep(0.01)


def billed_once(server: FaultyProvider, questions: int) -> None:
    billed = Counter(call.question for call in server.calls if call.billed)
    assert (len(billed), set(billed.values())) == (questions, {1})


async def test_each_question_gets_its_own_answer_whatever_the_order(tmp_path: Path) -> None:
    with provider() as server:
        async with model_at(server, tmp_path) as model:
            answers = await ask_all(model, range(50))

    assert answers == list(range(50))
    assert len(server.office.batches) == 1
    billed_once(server, 50)


async def test_in_all_that_shapes_an_answer_it_is_the_thin_client(tmp_path: Path) -> None:
    with provider() as server:
        thin = ChatCompletionsModel("small", api_key="k", base_url=server.base_url, call_seconds=5)
        one = await thin.complete([Message(role="user", content="7")], SCHEMA)
        async with model_at(server, tmp_path) as model:
            two = await ask(model, 7)
        await thin.aclose()

    assert (model.spec, model.parameters, model.max_tokens) == (thin.spec, thin.parameters, thin.max_tokens)
    assert model.with_max_tokens(9).parameters == thin.with_max_tokens(9).parameters
    assert (two.text, two.usage, two.finish_reason, two.model) == (one.text, one.usage, one.finish_reason, one.model)
    assert [call.question for call in server.calls] == 2 * [server.calls[0].question]


async def test_the_shelf_knows_a_question_by_the_ledgers_key_also_with_a_longer_limit(tmp_path: Path) -> None:
    with provider() as server:
        async with model_at(server, tmp_path) as model:
            await ask(model, 7, turn=2)
            await model.with_max_tokens(9000).complete(
                [Message(role="user", content="7")], SCHEMA, about=CallKey("judge", "7", round=2)
            )
            parameters = canonical_json(model.parameters)
        with open_database(kept_at(tmp_path / "kb.db")) as database, database.session() as session:
            keys = session.connection().exec_driver_sql("SELECT key FROM batch_question").scalars().all()

    key = call_key([Message(role="user", content="7")], "openai:small", parameters, "Ruling", SCHEMA.json_schema, 2)
    assert keys == [key, key]
    assert len(server.office.asked) == 2


@pytest.mark.parametrize("fault", ["429", "500", "502_html", "504", "reset"])
async def test_what_got_no_answer_and_only_that_goes_into_another_batch(tmp_path: Path, fault: str) -> None:
    with provider(Rule(fault, item="3$", attempts=(1,))) as server:
        async with model_at(server, tmp_path) as model:
            answers = await ask_all(model, range(20))

    assert answers == list(range(20))
    assert [len(server.office.rows(batch)) for batch in server.office.batches.values()] == [20, 2]
    billed_once(server, 20)


async def test_what_never_gets_an_answer_fails_after_some_batches_and_says_why(tmp_path: Path) -> None:
    with provider(Rule("503", item="3$")) as server:
        async with model_at(server, tmp_path) as model:
            with pytest.raises(CallFailed, match=r"no answer in 5 batches: .*503 - overloaded") as caught:
                await ask_all(model, range(3, 5))

    assert caught.value.kind is FailureKind.OVERLOADED
    assert len(server.office.batches) == 5


async def test_of_an_expired_batch_the_answers_are_kept_and_the_rest_is_asked_again(tmp_path: Path) -> None:
    with provider() as server:
        server.office.expire_after = 7
        async with model_at(server, tmp_path) as model:
            answers = await ask_all(model, range(20))

    assert answers == list(range(20))
    assert [batch["status"] for batch in server.office.batches.values()] == ["expired", "completed"]
    assert len(server.office.asked) == 20 + 13
    billed_once(server, 20)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("400_context", ContextTooLong),
        ("401", AuthenticationFailed),
        ("404_model", ModelNotFound),
        ("429_quota", QuotaExhausted),
        ("400", CallFailed),
    ],
)
async def test_a_lines_final_failure_is_that_of_the_single_call_and_may_be_asked_again(
    tmp_path: Path, fault: str, error: type[Exception]
) -> None:
    with provider(Rule(fault, attempts=(1,))) as server:
        async with model_at(server, tmp_path) as model:
            with pytest.raises(error) as caught:
                await ask(model, 1)
            again = await ask(model, 1)

    assert "sk-canary" not in str(caught.value)
    assert json.loads(again.text) == {"n": 1}


async def test_a_batch_that_is_refused_as_a_whole_says_why_and_may_be_submitted_again(tmp_path: Path) -> None:
    with provider() as server:
        server.office.refuse = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}
        async with model_at(server, tmp_path) as model:
            with pytest.raises(ProviderUnavailable, match=r"as a whole: token_limit_exceeded.*smaller --concurrency"):
                await ask_all(model, range(3))
        server.office.refuse = None
        async with model_at(server, tmp_path) as model:
            assert await ask_all(model, range(3)) == [0, 1, 2]

    billed_once(server, 3)


async def test_trouble_with_files_and_batches_is_lived_through(tmp_path: Path) -> None:
    with provider() as server:
        server.office.troubles = [503, 429, 502]
        async with model_at(server, tmp_path) as model:
            uploaded = await ask(model, 1)
            server.office.troubles = [503, 500]
            assert (await ask(model, 2)).text != uploaded.text

    billed_once(server, 2)


@pytest.mark.parametrize(("status", "error"), [(401, AuthenticationFailed), (503, ProviderUnavailable)])
async def test_trouble_that_stays_stops_the_run(tmp_path: Path, status: int, error: type[Exception]) -> None:
    with provider() as server:
        server.office.troubles = [status] * 99
        async with model_at(server, tmp_path) as model:
            with pytest.raises(error):
                await ask(model, 1)


async def test_a_server_without_a_batch_api_is_told_apart(tmp_path: Path) -> None:
    with provider() as server:
        server.office.troubles = [404]
        async with model_at(server, tmp_path) as model:
            with pytest.raises(ProviderUnavailable, match="leave --provider-batch out"):
                await ask(model, 1)


async def test_batches_are_as_small_as_the_provider_wants_them(tmp_path: Path) -> None:
    with provider() as server:
        async with model_at(server, tmp_path, BatchPace(settle_seconds=0.05, first_look=0.01, requests=8)) as model:
            assert await ask_all(model, range(20)) == list(range(20))
        rows = [len(server.office.rows(batch)) for batch in server.office.batches.values()]

    assert (max(rows), sum(rows)) == (8, 20)


async def test_a_file_is_no_larger_than_the_provider_takes(tmp_path: Path) -> None:
    with provider() as server:
        async with model_at(server, tmp_path, BatchPace(settle_seconds=0.05, first_look=0.01, bytes=3000)) as model:
            assert await ask_all(model, range(20)) == list(range(20))
        uploads = [len(content) for name, content in server.office.files.items() if "input" in name]

    assert len(uploads) > 1
    assert max(uploads) <= 3000


async def test_a_stop_tells_all_at_once_and_the_next_run_finds_what_was_submitted(tmp_path: Path) -> None:
    with provider() as server:
        server.office.open.clear()
        stop = Stop()
        async with model_at(server, tmp_path, stop=stop) as model:
            asking = [asyncio.create_task(ask(model, n)) for n in range(5)]
            await until(lambda: model.state.batches > 0)
            stop.wish()
            told = await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), 2)
        server.office.open.set()
        async with model_at(server, tmp_path) as model:
            answers = await ask_all(model, range(5))

    assert [type(one) for one in told] == [RunStopped] * 5
    assert answers == list(range(5))
    assert len(server.office.batches) == 1
    billed_once(server, 5)


@pytest.mark.parametrize("lists", [True, False])
async def test_a_batch_whose_name_was_lost_is_found_by_its_token(
    tmp_path: Path, lists: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with provider() as server:
        server.office.lists = lists
        async with model_at(server, tmp_path) as model:
            assert await ask_all(model, range(3)) == [0, 1, 2]
            shelf = vars(model)["_desk"].shelf
            server.office.open.clear()
            shelf.submitted = lambda *_: asyncio.sleep(0)  # as if the process had died before it was stored
            asking = asyncio.create_task(ask(model, 9))
            await until(lambda: len(server.office.batches) == 2)
            asking.cancel()
        server.office.open.set()
        await expire_leases(tmp_path)
        async with model_at(server, tmp_path) as model:
            assert json.loads((await ask(model, 9)).text) == {"n": 9}

    assert len(server.office.batches) == (2 if lists else 3)
    assert ("it lists no batches" in caplog.text) is not lists


async def expire_leases(folder: Path) -> None:
    with open_database(kept_at(folder / "kb.db")) as database, database.writing() as session:
        session.connection().exec_driver_sql("UPDATE batch_submission SET lease_until = 0")


async def test_a_batch_that_the_server_has_forgotten_is_asked_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with provider() as server:
        server.office.open.clear()
        stop = Stop()
        async with model_at(server, tmp_path, stop=stop) as model:
            asking = asyncio.create_task(ask(model, 1))
            await until(lambda: model.state.batches > 0)
            stop.wish()
            await asyncio.wait([asking])
        server.office.batches.clear()
        server.office.open.set()
        async with model_at(server, tmp_path) as model:
            assert json.loads((await ask(model, 1)).text) == {"n": 1}

    assert "is gone" in caplog.text
    assert asking.exception() is not None
    billed_once(server, 1)


async def test_a_line_that_is_no_completion_is_a_paid_loss_and_is_not_handed_out_again(tmp_path: Path) -> None:
    with provider() as server:
        answered = server.office.answer
        server.office.answer = lambda body: (200, {"choices": []})
        async with model_at(server, tmp_path) as model:
            with pytest.raises(CallFailed, match="no completion: no choices") as caught:
                await ask(model, 1)
            server.office.answer = answered
            again = await ask(model, 1)

    assert (caught.value.kind, caught.value.maybe_paid) == (FailureKind.PROTOCOL, True)
    assert json.loads(again.text) == {"n": 1}


async def test_of_a_line_without_end_only_its_question_fails(tmp_path: Path) -> None:
    def answer(asked: Asked) -> object:
        return "x" * (9 << 20) if asked.text == "3" else {"n": int(asked.text)}

    with provider(answer=answer) as server:
        async with model_at(server, tmp_path) as model:
            told = await asyncio.gather(*(ask(model, n) for n in range(5)), return_exceptions=True)

    failed = [one for one in told if isinstance(one, BaseException)]
    assert [type(one) for one in failed] == [CallFailed]
    assert told.index(failed[0]) == 3


async def test_half_a_surrogate_pair_in_an_answer_reads_as_from_the_single_call(tmp_path: Path) -> None:
    with provider(answer=lambda _: '{"n": "\ud83d"}') as server:
        thin = ChatCompletionsModel("small", api_key="k", base_url=server.base_url, call_seconds=5)
        one = await thin.complete([Message(role="user", content="7")], SCHEMA)
        async with model_at(server, tmp_path) as model:
            two = await ask(model, 7)
        await thin.aclose()

    assert one.text == two.text
