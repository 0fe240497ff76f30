"""Several servers that serve one model: who gets a call, who is put aside, and how it comes back."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agents.providers.base import (
    AnswerSchema,
    AuthenticationFailed,
    CallFailed,
    Completion,
    FailureKind,
    ModelNotFound,
    ModelSpecError,
    ProviderUnavailable,
)
from agents.providers.chat_completions import ChatCompletionsModel
from agents.providers.fleet.model import FleetModel
from agents.providers.specs import build_model, reachable_models
from agents.resilience.model import ResilientModel
from agents.resilience.policy import ResiliencePolicy
from memory.model_call import Message
from tests.loopback_provider import Asked, LoopbackProvider
from tests.model_server import ModelServer

SCHEMA = AnswerSchema("Title", {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]})
POLICY = ResiliencePolicy(longest_backoff=0.05, breaker_cooldown=0.05)
SECRET = "not-to-be-told"


def slowly(seconds: float) -> Callable[[Asked], object]:
    def answer(_: Asked) -> object:
        time.sleep(seconds)
        return {"title": "Kettle"}

    return answer


def fleet(*servers: LoopbackProvider | ModelServer, model: str = "small", call_seconds: float = 5.0) -> FleetModel:
    urls = [server.base_url for server in servers]
    return FleetModel(
        [ChatCompletionsModel(model, api_key="sk-1", base_url=url, call_seconds=call_seconds) for url in urls]
    )


def questions(number: int) -> list[list[Message]]:
    return [[Message(role="user", content=f"item {n}")] for n in range(number)]


async def ask(model: ResilientModel | FleetModel, number: int) -> list[Completion | BaseException]:
    asked = (model.complete(messages, SCHEMA) for messages in questions(number))
    return await asyncio.gather(*asked, return_exceptions=True)


def asked_of(server: LoopbackProvider) -> int:
    return sum(asked.path == "/v1/chat/completions" for asked in server.asked)


def failures(ends: Sequence[Completion | BaseException]) -> list[BaseException]:
    return [end for end in ends if isinstance(end, BaseException)]


async def until(wished: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not wished():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.01)


async def test_servers_that_answer_alike_get_alike_many_calls() -> None:
    with LoopbackProvider(slowly(0.02)) as first, LoopbackProvider(slowly(0.02)) as second:
        model = ResilientModel(fleet(first, second), POLICY)
        ends = await ask(model, 120)
        await model.aclose()

    assert failures(ends) == []
    assert asked_of(first) + asked_of(second) == 120
    assert 40 <= asked_of(first) <= 80


async def test_a_slower_server_gets_less() -> None:
    with LoopbackProvider(slowly(0.02)) as fast, LoopbackProvider(slowly(0.5)) as slow:
        model = ResilientModel(fleet(slow, fast), POLICY)
        ends = await ask(model, 120)
        await model.aclose()

    assert failures(ends) == []
    assert 0 < asked_of(slow) * 2 < asked_of(fast)


async def test_where_both_are_idle_the_one_that_answered_faster_is_asked() -> None:
    with LoopbackProvider(slowly(0.05)) as slow, LoopbackProvider(slowly(0)) as fast:
        model = fleet(slow, fast)
        for messages in questions(10):
            await model.complete(messages, SCHEMA)
        await model.aclose()

    assert (asked_of(slow), asked_of(fast)) == (1, 9)


async def test_a_call_that_one_server_refuses_goes_to_another_at_once() -> None:
    with LoopbackProvider(slowly(0)) as well, LoopbackProvider(slowly(0)) as ill:
        model = fleet(ill, well)
        await ask(model, 2)
        ill.fault = "500"
        ends = await ask(model, 8)
        states = model.servers
        await model.aclose()

    assert failures(ends) == []
    assert [state.aside for state in states] == ["answered with an error of its own", ""]


async def test_a_server_that_is_not_there_at_the_beginning_is_put_aside() -> None:
    with LoopbackProvider() as gone:
        pass
    with LoopbackProvider(slowly(0)) as well:
        model = fleet(gone, well)
        ends = await ask(model, 8)
        states = model.servers
        await model.aclose()

    assert failures(ends) == []
    assert [state.aside for state in states] == ["cannot be reached", ""]


async def test_an_answer_that_may_have_been_paid_is_not_asked_of_another_server_unasked() -> None:
    with LoopbackProvider(slowly(0)) as well, LoopbackProvider(slowly(0), fault="cut") as ill:
        model = fleet(ill, well)
        model._roster._looked = True  # its listing would be cut as well

        with pytest.raises(CallFailed) as caught:
            await model.complete(questions(1)[0], SCHEMA)
        second = await model.complete(questions(1)[0], SCHEMA)
        await model.aclose()

    assert (caught.value.kind, caught.value.maybe_paid) == (FailureKind.LOST, True)
    assert second.text == '{"title": "Kettle"}'
    assert (asked_of(ill), asked_of(well)) == (1, 1)


async def test_a_server_that_was_killed_comes_back_when_it_is_started_again(tmp_path: Path) -> None:
    with LoopbackProvider(slowly(0.005)) as steady, ModelServer(tmp_path, delay=0.005) as shaky:
        model = ResilientModel(fleet(steady, shaky), POLICY)
        before = await ask(model, 40)
        shaky.kill()
        while_down = await ask(model, 40)
        aside = [server.aside for server in model.state.servers]
        shaky.start()
        await until(lambda: not model.state.servers[1].aside)
        asked = shaky.asked
        after = await ask(model, 60)
        await model.aclose()

    assert failures([*before, *while_down, *after]) == []
    assert aside[0] == ""
    assert aside[1] in ("cannot be reached", "cut the connection")  # by which of its calls was the last
    assert shaky.asked > asked


async def test_all_being_down_is_told_like_one_being_down() -> None:
    with LoopbackProvider() as first, LoopbackProvider() as second:
        pass
    policy = ResiliencePolicy(longest_backoff=0.01, breaker_cooldown=0.01, breaker_failures=4, breaker_probes=2)
    model = ResilientModel(fleet(first, second), policy)

    ends = await ask(model, 12)
    await model.aclose()

    assert len(failures(ends)) == 12
    assert {type(end) for end in ends} <= {ProviderUnavailable, CallFailed} | set(CallFailed.__subclasses__())
    assert any("failed" in str(end) and "in a row" in str(end) for end in ends)
    assert model.state.breaker != "closed"


async def test_a_server_that_serves_another_model_is_named() -> None:
    with LoopbackProvider() as server, LoopbackProvider() as other:
        model = fleet(server, other, model="medium")
        with pytest.raises(ModelNotFound, match=r"127\.0\.0\.1:\d+/v1 serves 'small', 'large' and not 'medium'"):
            await model.complete(questions(1)[0], SCHEMA)
        await model.aclose()

    assert asked_of(server) + asked_of(other) == 0


async def test_a_limited_server_is_left_alone_while_another_has_room() -> None:
    with LoopbackProvider(slowly(0.01)) as free, LoopbackProvider(slowly(0.01)) as busy:
        model = fleet(busy, free)
        server = model._roster._places[0].server
        limit = CallFailed("slower", kind=FailureKind.RATE_LIMITED, retry_after=30)
        server.limited(server.begin(), limit, time.monotonic())
        server.end()
        ends = await ask(model, 6)
        await model.aclose()

    assert failures(ends) == []
    assert (asked_of(busy), asked_of(free)) == (0, 6)


async def test_what_is_asked_does_not_depend_on_how_many_servers_there_are() -> None:
    with LoopbackProvider() as first, LoopbackProvider() as second:
        alone, several = fleet(first), fleet(first, second)

    assert (alone.spec, alone.parameters) == (several.spec, several.parameters)

    await alone.aclose()
    await several.aclose()


def built(urls: str, client: str = "aiohttp") -> object:
    return build_model(
        "openai:small",
        openai_api_key=None,
        openai_base_url=urls,
        ollama_host="http://127.0.0.1:1",
        call_seconds=5,
        client=client,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("urls", "kind"),
    [
        ("http://127.0.0.1:1/v1", "ChatCompletionsModel"),
        ("http://127.0.0.1:1/v1,", "ChatCompletionsModel"),
        ("http://127.0.0.1:1/v1, http://127.0.0.1:1/v1", "ChatCompletionsModel"),
        ("http://127.0.0.1:1/v1,http://127.0.0.1:2/v1", "FleetModel"),
        ("http://127.0.0.1:1/v1 http://127.0.0.1:2/v1", "FleetModel"),
    ],
)
async def test_addresses_stand_with_commas_between_them(urls: str, kind: str) -> None:
    assert type(built(urls)).__name__ == kind


def test_the_other_client_knows_one_server_only() -> None:
    with pytest.raises(ModelSpecError, match="names 2 servers"):
        built("http://127.0.0.1:1/v1,http://127.0.0.1:2/v1", "langchain")


async def test_the_list_of_models_says_which_server_serves_what_and_no_password() -> None:
    with LoopbackProvider() as first, LoopbackProvider() as gone, LoopbackProvider(fault="401") as closed:
        gone.__exit__()
        urls = [server.base_url.replace("://", f"://me:{SECRET}@") for server in (first, gone, closed)]
        found = await reachable_models(
            openai_api_key=SECRET, openai_base_url=",".join(urls), ollama_host="http://127.0.0.1:1"
        )

    notes = {model.note: model.reachable for model in found if model.spec.startswith("openai:")}
    assert notes[f"1 of the 3 servers of OPENAI_BASE_URL: {first.base_url}"]
    assert sum(gone.base_url in note or closed.base_url in note for note, well in notes.items() if not well) == 2
    assert all(SECRET not in note for note in notes)


async def test_no_error_and_no_state_tells_a_password() -> None:
    with LoopbackProvider() as first, LoopbackProvider(fault="401") as second:
        urls = [server.base_url.replace("://", f"://me:{SECRET}@") for server in (first, second)]
        members = [ChatCompletionsModel("small", api_key=SECRET, base_url=url, call_seconds=5) for url in urls]
        model = FleetModel(members)
        with pytest.raises(AuthenticationFailed, match="127") as caught:
            await model.complete(questions(1)[0], SCHEMA)
        told = f"{caught.value} {model.servers} {model.parameters}"
        await model.aclose()

    assert SECRET not in told
