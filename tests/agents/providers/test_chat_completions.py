"""The thin client of OpenAI-compatible servers, tried on one that misbehaves."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents.providers.base import (
    AnswerSchema,
    AuthenticationFailed,
    CallFailed,
    Completion,
    ContextTooLong,
    FailureKind,
    FinishReason,
    ModelNotFound,
    ProviderError,
    QuotaExhausted,
    ServerUnreachable,
)
from agents.providers.chat_completions import ChatCompletionsModel
from memory.model_call import Message, Usage
from tests.faulty_provider import FaultyProvider, Rule
from tests.loopback_provider import Asked, LoopbackProvider

ROOT = Path(__file__).parents[3]
KEY = "sk-canary-0123456789"
MESSAGES = (Message(role="system", content="You judge."), Message(role="user", content="Is it blue?"))
SCHEMA = AnswerSchema("Ruling", {"type": "object", "properties": {"blue": {"type": "boolean"}}, "required": ["blue"]})
MARGIN = 10.0  # seconds for a busy machine; the server that never answers would take 30


def model_at(base_url: str, *, call_seconds: float = 5) -> ChatCompletionsModel:
    return ChatCompletionsModel("small", api_key=KEY, base_url=base_url, call_seconds=call_seconds)


async def ask(base_url: str, *, call_seconds: float = 5) -> Completion:
    model = model_at(base_url, call_seconds=call_seconds)
    try:
        return await model.complete(MESSAGES, SCHEMA)
    finally:
        await model.aclose()


async def ask_faulty(fault: str, *, call_seconds: float = 5) -> Completion:
    with FaultyProvider(rules=[Rule(fault)], hang_seconds=3) as provider:
        return await ask(provider.base_url, call_seconds=call_seconds)


async def test_the_raw_answer_comes_with_its_finish_reason_tokens_and_model() -> None:
    with LoopbackProvider({"blue": True}) as server:
        completion = await ask(server.base_url)

    assert completion.text == '{"blue": true}'
    assert completion.finish_reason is FinishReason.STOP
    assert completion.usage == Usage(prompt_tokens=11, completion_tokens=7)
    assert completion.model == "small-2026"
    assert 0 < completion.seconds < 5


async def test_the_request_is_the_one_that_the_other_client_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    from agents.providers.openai import OpenAIModel

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/elsewhere")
    with LoopbackProvider({"blue": True}) as server:
        other = OpenAIModel("small", api_key=KEY, base_url=server.base_url, call_seconds=5)
        await other.complete(MESSAGES, SCHEMA)
        await other.aclose()
        await ask(server.base_url)
        one, two = server.asked

    assert {name: value for name, value in one.body.items() if name != "stream"} == two.body
    assert one.headers["authorization"] == two.headers["authorization"] == f"Bearer {KEY}"
    assert other.parameters == model_at(server.base_url).parameters


PAID_LOSSES = [
    ("hang", FailureKind.TIMEOUT),
    ("slow_body", FailureKind.TIMEOUT),
    ("slow_headers", FailureKind.TIMEOUT),
    ("stall", FailureKind.TIMEOUT),
    ("reset", FailureKind.LOST),  # from here it looks the same as a reset after the model has run
    ("reset_after", FailureKind.LOST),
    ("close", FailureKind.LOST),
    ("truncate_body", FailureKind.LOST),
    ("chunked_cut", FailureKind.LOST),
    ("200_empty", FailureKind.PROTOCOL),
    ("200_bad_json", FailureKind.PROTOCOL),
    ("200_no_choices", FailureKind.PROTOCOL),
    ("200_null_choices", FailureKind.PROTOCOL),
    ("gzip_bad", FailureKind.PROTOCOL),
    ("gzip_bomb", FailureKind.PROTOCOL),
    ("huge", FailureKind.PROTOCOL),
]


@pytest.mark.parametrize(("fault", "kind"), PAID_LOSSES)
async def test_an_answer_that_is_lost_on_its_way_may_have_been_paid(fault: str, kind: FailureKind) -> None:
    call_seconds = 0.4 if kind is FailureKind.TIMEOUT else 5.0
    started = time.perf_counter()

    with pytest.raises(CallFailed) as failure:
        await ask_faulty(fault, call_seconds=call_seconds)

    assert (failure.value.kind, failure.value.maybe_paid) == (kind, True)
    assert time.perf_counter() - started < call_seconds + MARGIN


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        ("429", FailureKind.RATE_LIMITED, "429 - Rate limit"),
        ("500", FailureKind.OVERLOADED, r"500 - server error while serving Bearer \*\*\*"),
        ("502_html", FailureKind.OVERLOADED, "502"),
        ("503", FailureKind.OVERLOADED, "503"),
        ("504", FailureKind.OVERLOADED, "504"),
        ("529", FailureKind.OVERLOADED, "529"),
        ("307", FailureKind.PROTOCOL, "307"),
        ("200_html", FailureKind.PROTOCOL, "<html>Sign in"),
        ("200_error", FailureKind.PROTOCOL, "the upstream failed"),
        ("400", FailureKind.BAD_REQUEST, "bad request"),
        ("400_policy", FailureKind.POLICY, "content policy"),
        ("400_context", FailureKind.CONTEXT_TOO_LONG, "maximum context"),
    ],
)
async def test_a_refusal_has_its_kind_and_costs_nothing(fault: str, kind: FailureKind, says: str) -> None:
    with pytest.raises(CallFailed, match=says) as failure:
        await ask_faulty(fault)

    assert (failure.value.kind, failure.value.maybe_paid) == (kind, False)
    assert KEY not in str(failure.value)
    assert isinstance(failure.value, ContextTooLong) == (kind is FailureKind.CONTEXT_TOO_LONG)


@pytest.mark.parametrize(
    ("fault", "error"), [("401", AuthenticationFailed), ("404_model", ModelNotFound), ("429_quota", QuotaExhausted)]
)
async def test_what_every_call_would_meet_has_its_own_error(fault: str, error: type[ProviderError]) -> None:
    with pytest.raises(error) as failure:
        await ask_faulty(fault)

    assert KEY not in str(failure.value)
    assert failure.value.__suppress_context__ or failure.value.__context__ is None


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ("429", 0.05),
        ("429_ms", 0.05),
        ("429_huge", 86400),
        ("429_garbage", None),
        ("429_negative", None),
        ("429_noheader", None),
    ],
)
async def test_the_time_that_a_server_asks_for_comes_along(fault: str, seconds: float | None) -> None:
    with pytest.raises(CallFailed) as failure:
        await ask_faulty(fault)

    assert failure.value.retry_after == seconds


async def test_the_tokens_of_an_answer_without_choices_are_known() -> None:
    with pytest.raises(CallFailed) as failure:
        await ask_faulty("200_no_choices")

    assert failure.value.usage == Usage(prompt_tokens=6, completion_tokens=4)


@pytest.mark.parametrize(
    ("fault", "reason", "text"),
    [
        ("length", FinishReason.LENGTH, '{"blue"'),
        ("content_filter", FinishReason.CONTENT_FILTER, '{"blue"'),
        ("refusal", FinishReason.REFUSAL, "I cannot help with that."),
    ],
)
async def test_an_unfinished_answer_keeps_its_text(fault: str, reason: FinishReason, text: str) -> None:
    completion = await ask_faulty(fault)

    assert (completion.finish_reason, completion.text) == (reason, text)
    assert completion.usage == Usage(prompt_tokens=6, completion_tokens=4)


@pytest.mark.parametrize("fault", ["no_usage", "zero_usage"])
async def test_tokens_that_the_server_does_not_count_are_estimated_and_marked(fault: str) -> None:
    completion = await ask_faulty(fault)

    assert completion.usage == Usage(prompt_tokens=6, completion_tokens=4, estimated=True)


async def test_the_model_is_recorded_as_the_server_names_it() -> None:
    completion = await ask_faulty("wrong_model")

    assert completion.model == "another-model"


CHILD = """
import asyncio, resource, sys
from agents.providers.base import AnswerSchema, CallFailed
from agents.providers.chat_completions import ChatCompletionsModel
from memory.model_call import Message

async def main():
    schema = AnswerSchema("Ruling", {"type": "object"})
    model = ChatCompletionsModel("small", api_key="key", base_url=sys.argv[1], call_seconds=5)
    await model.complete([Message(role="user", content="healthy")], schema)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for fault in ("gzip_bomb", "huge"):
        try:
            await model.complete([Message(role="user", content=fault)], schema)
        except CallFailed as error:
            assert "a body of more than 8,388,608 bytes" in str(error), error
        else:
            raise AssertionError(fault)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    await model.aclose()

asyncio.run(main())
"""


def test_bodies_without_end_take_little_memory() -> None:
    with FaultyProvider(rules=[Rule("gzip_bomb", item="gzip_bomb"), Rule("huge", item="huge")]) as provider:
        command = [sys.executable, "-c", CHILD, provider.base_url]

        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 50 * 1024  # KiB


async def test_a_redirect_is_not_followed_with_the_key() -> None:
    with FaultyProvider(rules=[Rule("307")]) as provider:
        with pytest.raises(CallFailed):
            await ask(provider.base_url)

        assert provider.stolen == []


async def test_an_absent_server_is_unreachable() -> None:
    with FaultyProvider() as gone:
        base_url = gone.base_url

    with pytest.raises(ServerUnreachable, match="no server can be reached"):
        await ask(base_url)


async def test_models_of_one_server_share_its_connections() -> None:
    with FaultyProvider() as provider:
        first, second = model_at(provider.base_url), model_at(provider.base_url)
        await first.complete(MESSAGES, SCHEMA)
        await first.aclose()
        await first.aclose()

        completion = await second.complete(MESSAGES, SCHEMA)
        await second.aclose()

    assert completion.text == '{"blue": true}'


async def test_a_cancelled_call_ends_at_once() -> None:
    with FaultyProvider(rules=[Rule("hang")]) as provider:
        model = model_at(provider.base_url)
        call = asyncio.create_task(model.complete(MESSAGES, SCHEMA))
        await asyncio.to_thread(lambda: time.sleep(0.1))
        started = time.perf_counter()

        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call
        await model.aclose()
    assert time.perf_counter() - started < MARGIN


async def test_half_a_surrogate_pair_is_sent_as_a_mark_and_comes_back_as_its_escape() -> None:
    with LoopbackProvider('{"blue": "\ud800"}') as server:
        model = model_at(server.base_url)

        completion = await model.complete([Message(role="user", content="half \ud83d of one")], SCHEMA)

        await model.aclose()
    assert completion.text == r'{"blue": "\ud800"}'
    assert server.asked[0].text == "half ? of one"


async def test_a_longer_answer_can_be_asked_for_on_the_same_connections() -> None:
    asked: list[Asked] = []

    def answer(question: Asked) -> object:
        asked.append(question)
        return {"blue": True}

    with FaultyProvider(answer=answer) as provider:
        model = model_at(provider.base_url)

        await model.with_max_tokens(2 * model.max_tokens).complete(MESSAGES, SCHEMA)

        await model.aclose()
    assert asked[0].body["max_completion_tokens"] == 8192
    assert model.parameters["max_tokens"] == 4096


@pytest.mark.parametrize(
    ("name", "temperature"), [("gpt-4o-mini", 0.0), ("gpt-5-mini", None), ("gpt-5-chat-latest", 0.0), ("o3", None)]
)
def test_a_model_with_a_temperature_of_its_own_is_not_told_one(name: str, temperature: float | None) -> None:
    model = ChatCompletionsModel(name, api_key=KEY, base_url=None, call_seconds=5)

    assert model.parameters["temperature"] == temperature
