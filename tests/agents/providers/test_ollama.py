"""Models in an Ollama server, tried on a real HTTP server on this machine."""

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
)
from agents.providers.ollama import OllamaModel, models_at
from memory.model_call import Message, Usage
from tests.loopback_provider import Fault, LoopbackProvider

MESSAGES = (Message(role="system", content="You judge."), Message(role="user", content="Is it blue?"))
SCHEMA = AnswerSchema("Ruling", {"type": "object", "properties": {"blue": {"type": "boolean"}}, "required": ["blue"]})


@pytest.fixture
def server() -> Iterator[LoopbackProvider]:
    with LoopbackProvider({"blue": True}) as server:
        yield server


async def ask(host: str, *, call_seconds: float = 5) -> Completion:
    model = OllamaModel("small", host=host, call_seconds=call_seconds, context_tokens=2048)
    try:
        return await model.complete(MESSAGES, SCHEMA)
    finally:
        await model.aclose()


async def test_the_raw_answer_comes_with_its_finish_reason_tokens_and_model(server: LoopbackProvider) -> None:
    completion = await ask(server.host)

    assert completion.text == '{"blue": true}'
    assert completion.finish_reason is FinishReason.STOP
    assert completion.usage == Usage(prompt_tokens=11, completion_tokens=7)
    assert completion.model == "small"


async def test_the_request_holds_the_model_to_the_schema_and_names_its_context(server: LoopbackProvider) -> None:
    await ask(server.host)

    [asked] = server.asked
    assert asked.path == "/api/chat"
    assert asked.body["format"] == dict(SCHEMA.json_schema)
    assert asked.body["options"] | {"num_ctx": 2048, "temperature": 0, "seed": 0} == asked.body["options"]
    assert [message["content"] for message in asked.body["messages"]] == ["You judge.", "Is it blue?"]


async def test_the_environment_changes_neither_server_nor_headers(
    server: LoopbackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OLLAMA_HOST", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("OLLAMA_API_KEY", "canary")

    await ask(server.host)
    await models_at(server.host)

    assert len(server.asked) == 2
    assert "canary" not in str([asked.headers for asked in server.asked])


@pytest.mark.parametrize("form", ["http://127.0.0.1:{port}", "127.0.0.1:{port}", "http://127.0.0.1:{port}/", ":{port}"])
async def test_a_host_may_be_written_as_ollama_writes_it(server: LoopbackProvider, form: str) -> None:
    host = form.format(port=server.host.rpartition(":")[2])

    completion = await ask(host)

    assert completion.text == '{"blue": true}'
    assert await models_at(host) == ("large:latest", "small:latest")


async def test_a_user_and_password_in_the_host_are_sent_and_never_shown(server: LoopbackProvider) -> None:
    host = f"http://me:pa55@{server.host[7:]}"
    await ask(host)
    assert server.asked[0].headers["authorization"].startswith("Basic ")
    server.fault = "500"

    with pytest.raises(CallFailed) as failure:
        await ask(host)

    assert "pa55" not in str(failure.value)


async def test_an_answer_that_ran_into_the_limit_keeps_its_text(server: LoopbackProvider) -> None:
    server.fault = "length"

    completion = await ask(server.host)

    assert (completion.finish_reason, completion.text) == (FinishReason.LENGTH, '{"blue"')


async def test_tokens_that_the_server_does_not_count_are_estimated_and_marked(server: LoopbackProvider) -> None:
    server.fault = "no_usage"

    completion = await ask(server.host)

    assert completion.usage == Usage(prompt_tokens=6, completion_tokens=4, estimated=True)


async def test_a_prompt_that_fills_the_context_was_cut(server: LoopbackProvider) -> None:
    server.prompt_tokens = 2048

    with pytest.raises(CallFailed, match="does not fit into 2048 tokens"):
        await ask(server.host)


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("401", AuthenticationFailed, "401"),
        ("404", ModelNotFound, "`ollama pull small`; there are: large:latest, small:latest"),
        ("500", CallFailed, "500"),
        ("200_html", CallFailed, "no chat answer"),
        ("no_choices", CallFailed, "before it was done"),
        ("redirect", CallFailed, "307"),
        ("cut", CallFailed, "cut"),
    ],
)
async def test_each_failure_has_its_error(
    server: LoopbackProvider, fault: Fault, error: type[ProviderError], says: str
) -> None:
    server.fault = fault

    with pytest.raises(error, match=says):
        await ask(server.host)

    assert "/stolen" not in [asked.path for asked in server.asked]


async def test_a_hanging_server_meets_the_deadline(server: LoopbackProvider) -> None:
    server.fault = "hang"
    started = time.perf_counter()

    with pytest.raises(CallFailed, match=r"within 0\.3 seconds"):
        await ask(server.host, call_seconds=0.3)

    assert time.perf_counter() - started < 10  # the server hangs for 30


async def test_an_absent_server_says_how_to_start_it() -> None:
    with LoopbackProvider() as gone:
        host = gone.host

    with pytest.raises(ProviderUnavailable, match="ollama serve"):
        await ask(host)
    with pytest.raises(ProviderUnavailable, match="ollama serve"):
        await models_at(host)


@pytest.mark.parametrize("host", ["ftp://host", "http://[::1", "http://host:99999"])
async def test_a_host_that_is_no_address_is_unavailable(host: str) -> None:
    with pytest.raises(ProviderUnavailable):
        await ask(host)
    with pytest.raises(ProviderUnavailable):
        await models_at(host)


@pytest.mark.parametrize(("fault", "error"), [("500", CallFailed), ("200_html", CallFailed), ("hang", CallFailed)])
async def test_a_listing_that_fails_has_its_error(
    server: LoopbackProvider, fault: Fault, error: type[ProviderError]
) -> None:
    server.fault = fault

    with pytest.raises(error):
        await models_at(server.host, seconds=0.3)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("myhost", "http://myhost:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("https://myhost", "https://myhost"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:8080", "http://[::1]:8080"),
    ],
)
async def test_what_a_host_leaves_out_is_filled_in(host: str, url: str) -> None:
    model = OllamaModel("small", host=host, call_seconds=5)

    assert model.parameters["server"] == url

    await model.aclose()


@pytest.mark.parametrize(
    ("fault", "kind", "maybe_paid"),
    [
        ("500", FailureKind.OVERLOADED, False),
        ("200_html", FailureKind.PROTOCOL, True),
        ("no_choices", FailureKind.LOST, True),
        ("cut", FailureKind.LOST, True),
        ("hang", FailureKind.TIMEOUT, True),
    ],
)
async def test_a_failure_has_its_kind(
    server: LoopbackProvider, fault: Fault, kind: FailureKind, maybe_paid: bool
) -> None:
    server.fault = fault

    with pytest.raises(CallFailed) as failure:
        await ask(server.host, call_seconds=0.4)

    assert (failure.value.kind, failure.value.maybe_paid) == (kind, maybe_paid)
