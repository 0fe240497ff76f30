"""Models behind an OpenAI-compatible server, tried on a real one on this machine."""

import time
from collections.abc import Iterator

import pytest

from agents.providers.base import (
    AnswerSchema,
    AuthenticationFailed,
    CallFailed,
    Completion,
    FailureKind,
    FinishReason,
    ModelNotFound,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
)
from agents.providers.openai import OpenAIModel, models_at
from memory.model_call import Message, Usage
from tests.faulty_provider import FaultyProvider, Rule
from tests.loopback_provider import Fault, LoopbackProvider

KEY = "sk-canary-0123456789"
MESSAGES = (Message(role="system", content="You judge."), Message(role="user", content="Is it blue?"))
SCHEMA = AnswerSchema("Ruling", {"type": "object", "properties": {"blue": {"type": "boolean"}}, "required": ["blue"]})


@pytest.fixture
def server() -> Iterator[LoopbackProvider]:
    with LoopbackProvider({"blue": True}) as server:
        yield server


async def ask(base_url: str, *, call_seconds: float = 5, api_key: str | None = KEY) -> Completion:
    model = OpenAIModel("small", api_key=api_key, base_url=base_url, call_seconds=call_seconds)
    try:
        return await model.complete(MESSAGES, SCHEMA)
    finally:
        await model.aclose()


async def test_the_raw_answer_comes_with_its_finish_reason_tokens_and_model(server: LoopbackProvider) -> None:
    completion = await ask(server.base_url)

    assert completion.text == '{"blue": true}'
    assert completion.finish_reason is FinishReason.STOP
    assert completion.usage == Usage(prompt_tokens=11, completion_tokens=7)
    assert completion.model == "small-2026"
    assert 0 < completion.seconds < 5


async def test_the_request_holds_the_model_to_the_schema(server: LoopbackProvider) -> None:
    await ask(server.base_url)

    [asked] = server.asked
    assert asked.body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "Ruling", "schema": dict(SCHEMA.json_schema), "strict": True},
    }
    assert asked.body["messages"] == [{"role": m.role, "content": m.content} for m in MESSAGES]
    assert (asked.body["temperature"], asked.body["seed"], asked.body["model"]) == (0, 0, "small")
    assert not asked.body.get("stream")


async def test_the_environment_changes_neither_server_nor_key_nor_headers(
    server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_PROXY", "LANGSMITH_GATEWAY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/elsewhere")
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "from-the-environment")

    await ask(server.base_url)

    [asked] = server.asked
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert "from-the-environment" not in str(asked.headers)


@pytest.mark.parametrize(
    ("fault", "reason", "text"),
    [
        ("length", FinishReason.LENGTH, '{"blue"'),
        ("content_filter", FinishReason.CONTENT_FILTER, '{"blue": true}'),
        ("refusal", FinishReason.REFUSAL, "I cannot help with that."),
    ],
)
async def test_an_unfinished_answer_keeps_its_text(
    server: LoopbackProvider, fault: Fault, reason: FinishReason, text: str
) -> None:
    server.fault = fault

    completion = await ask(server.base_url)

    assert (completion.finish_reason, completion.text) == (reason, text)
    assert completion.usage.completion_tokens == 7


async def test_tokens_that_the_server_does_not_count_are_estimated_and_marked(server: LoopbackProvider) -> None:
    server.fault = "no_usage"

    completion = await ask(server.base_url)

    assert completion.usage == Usage(prompt_tokens=6, completion_tokens=4, estimated=True)


async def test_half_a_surrogate_pair_in_an_answer_stays_readable_as_its_escape(server: LoopbackProvider) -> None:
    server.answer = '{"blue": "\ud800"}'

    completion = await ask(server.base_url)

    assert completion.text == r'{"blue": "\ud800"}'


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("401", AuthenticationFailed, "OPENAI_API_KEY"),
        ("404", ModelNotFound, "no model 'small'"),
        ("500", CallFailed, "500 - overloaded"),
        ("200_html", CallFailed, "no completion"),
        ("no_choices", CallFailed, "no completion"),
        ("cut", CallFailed, "cut"),
    ],
)
async def test_each_failure_has_its_error_and_none_tells_the_key(
    server: LoopbackProvider, fault: Fault, error: type[ProviderError], says: str
) -> None:
    server.fault = fault

    with pytest.raises(error, match=says) as failure:
        await ask(server.base_url)

    assert KEY not in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__suppress_context__


async def test_a_call_fails_once_and_is_not_repeated(server: LoopbackProvider) -> None:
    server.fault = "500"

    with pytest.raises(CallFailed):
        await ask(server.base_url)

    assert len(server.asked) == 1


async def test_a_redirect_is_not_followed(server: LoopbackProvider) -> None:
    server.fault = "redirect"

    with pytest.raises(CallFailed, match="307"):
        await ask(server.base_url)

    assert [asked.path for asked in server.asked] == ["/v1/chat/completions"]


async def test_a_hanging_server_meets_the_deadline(server: LoopbackProvider) -> None:
    server.fault = "hang"
    started = time.perf_counter()

    with pytest.raises(CallFailed, match=r"within 0\.3 seconds"):
        await ask(server.base_url, call_seconds=0.3)

    assert time.perf_counter() - started < 10  # the server hangs for 30


async def test_an_absent_server_is_unavailable(server: LoopbackProvider) -> None:
    with LoopbackProvider() as gone:
        base_url = gone.base_url

    with pytest.raises(ProviderUnavailable, match="no server can be reached"):
        await ask(base_url)


async def test_a_user_and_password_in_the_address_are_never_shown(server: LoopbackProvider) -> None:
    server.fault = "401"
    model = OpenAIModel("small", api_key=KEY, base_url=f"http://me:pa55@{server.host[7:]}/v1", call_seconds=5)

    with pytest.raises(AuthenticationFailed) as failure:
        await model.complete(MESSAGES, SCHEMA)

    assert "pa55" not in f"{failure.value} {model.parameters}"
    await model.aclose()


def test_openai_itself_needs_a_key() -> None:
    with pytest.raises(AuthenticationFailed, match="OPENAI_API_KEY"):
        OpenAIModel("small", api_key=None, base_url=None, call_seconds=5)


async def test_a_server_of_ones_own_needs_none(server: LoopbackProvider) -> None:
    completion = await ask(server.base_url, api_key=None)

    assert completion.text == '{"blue": true}'


@pytest.mark.parametrize("key", ["sk-two words", "sk-\nnewline", "sk-ключ"])
def test_a_key_that_cannot_be_one_is_refused_unseen(key: str) -> None:
    with pytest.raises(AuthenticationFailed, match="characters that no key has") as failure:
        OpenAIModel("small", api_key=key, base_url=None, call_seconds=5)

    assert key not in str(failure.value)


@pytest.mark.parametrize(
    "address", ["localhost:8000", "ftp://host/v1", "http://", "http://[::1/v1", "http://host:99999/v1"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ProviderUnavailable, match="http address"):
        OpenAIModel("small", api_key=KEY, base_url=address, call_seconds=5)


async def test_the_models_of_a_server_are_listed_by_name(server: LoopbackProvider) -> None:
    names = await models_at(api_key=None, base_url=server.base_url)

    assert names == ("large", "small")


@pytest.mark.parametrize(
    ("fault", "error"),
    [("401", AuthenticationFailed), ("200_html", CallFailed), ("hang", CallFailed), ("cut", CallFailed)],
)
async def test_a_listing_that_fails_has_its_error(
    server: LoopbackProvider, fault: Fault, error: type[ProviderError]
) -> None:
    server.fault = fault

    with pytest.raises(error):
        await models_at(api_key=KEY, base_url=server.base_url, seconds=0.3)


@pytest.mark.parametrize(
    ("fault", "kind", "maybe_paid"),
    [
        ("429_ms", FailureKind.RATE_LIMITED, False),
        ("503", FailureKind.OVERLOADED, False),
        ("529", FailureKind.OVERLOADED, False),
        ("400_context", FailureKind.CONTEXT_TOO_LONG, False),
        ("400_policy", FailureKind.POLICY, False),
        ("400", FailureKind.BAD_REQUEST, False),
        ("reset", FailureKind.LOST, True),
        ("truncate_body", FailureKind.LOST, True),
        ("hang", FailureKind.TIMEOUT, True),
        ("200_empty", FailureKind.PROTOCOL, True),
    ],
)
async def test_a_failure_has_the_kind_that_the_thin_client_gives_it(
    fault: str, kind: FailureKind, maybe_paid: bool
) -> None:
    with FaultyProvider(rules=[Rule(fault)], hang_seconds=1) as provider, pytest.raises(CallFailed) as failure:
        await ask(provider.base_url, call_seconds=0.4)

    assert (failure.value.kind, failure.value.maybe_paid) == (kind, maybe_paid)
    assert failure.value.retry_after == (0.05 if fault == "429_ms" else None)


async def test_a_spent_quota_is_no_rate_limit() -> None:
    with FaultyProvider(rules=[Rule("429_quota")]) as provider, pytest.raises(QuotaExhausted, match="quota is spent"):
        await ask(provider.base_url)
