"""The thin client within the resilient model, against a provider that misbehaves for a share of the calls."""

import asyncio
import time
from collections.abc import Mapping, Sequence

import pytest

from agents.providers.base import (
    AnswerSchema,
    AuthenticationFailed,
    CallFailed,
    Completion,
    FinishReason,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
)
from agents.providers.chat_completions import ChatCompletionsModel
from agents.resilience.model import ResilientModel
from agents.resilience.policy import ResiliencePolicy
from memory.model_call import Message
from tests.faulty_provider import FaultyProvider, Rule

SCHEMA = AnswerSchema("Title", {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]})
FAST = ResiliencePolicy(longest_backoff=0.02, retry_after_cap=0.3, breaker_cooldown=0.05, breaker_failures=20)


async def ask_all(
    provider: FaultyProvider, number: int, *, policy: ResiliencePolicy = FAST, call_seconds: float = 0.5
) -> tuple[list[Completion | BaseException], ResilientModel]:
    inner = ChatCompletionsModel("small", api_key="sk-canary", base_url=provider.base_url, call_seconds=call_seconds)
    model = ResilientModel(inner, policy)
    questions = [[Message(role="user", content=f"<product-1>item{n}</product-1>")] for n in range(number)]
    ends = await asyncio.gather(*(model.complete(asked, SCHEMA) for asked in questions), return_exceptions=True)
    await model.aclose()
    return ends, model


def answers(ends: Sequence[Completion | BaseException]) -> list[str]:
    return [end.text for end in ends if isinstance(end, Completion)]


@pytest.mark.parametrize(
    ("rates", "most_calls"),
    [
        ({"429": 0.5}, 220),
        ({"429_ms": 0.1, "429_noheader": 0.1, "429_garbage": 0.1, "429_negative": 0.1}, 220),
        ({"500": 0.04, "502_html": 0.04, "503": 0.04, "504": 0.04, "529": 0.04}, 150),
        ({"reset": 0.02, "close": 0.02, "truncate_body": 0.02, "chunked_cut": 0.02, "reset_after": 0.02}, 130),
        ({"200_html": 0.02, "200_error": 0.02, "200_empty": 0.02, "200_bad_json": 0.02, "200_no_choices": 0.02}, 130),
        ({"hang": 0.02, "stall": 0.02, "slow_body": 0.02, "slow_headers": 0.02}, 130),
    ],
)
async def test_every_question_is_answered_or_fails_after_its_tries(rates: Mapping[str, float], most_calls: int) -> None:
    with FaultyProvider(rates=rates, seed=4, hang_seconds=1, retry_after=0.01) as provider:
        ends, model = await ask_all(provider, 100)

        for n, end in enumerate(ends):
            if isinstance(end, Completion):
                assert end.text == f'{{"title": "item{n}"}}'
            else:
                assert isinstance(end, CallFailed)
                assert 1 <= len(provider.calls_of(f"item{n}", "Title")) <= FAST.tries[end.kind]
        assert len(answers(ends)) >= (100 if "429" in str(rates) else 97)
        assert 100 < len(provider.calls) <= most_calls
        assert provider.repeats == []
        lost = [call for call in provider.calls if call.billed and not call.usable]
        assert len(lost) <= model.state.paid_lost


async def test_the_server_never_sees_more_calls_at_once_than_allowed() -> None:
    with FaultyProvider(latency=0.01) as provider:
        await ask_all(provider, 40)

        assert provider.most_active == FAST.max_concurrency


async def test_a_wait_of_a_day_is_not_slept_through() -> None:
    with FaultyProvider(rules=[Rule("429_huge", attempts=[1])]) as provider:
        started = time.perf_counter()

        ends, _ = await ask_all(provider, 1)

        assert len(answers(ends)) == 1
        assert provider.calls[1].at - provider.calls[0].at >= 0.3
        assert 0.3 <= time.perf_counter() - started < 10  # and not a day


@pytest.mark.parametrize(("fault", "error"), [("429_quota", QuotaExhausted), ("401", AuthenticationFailed)])
async def test_a_spent_quota_or_a_refused_key_is_met_once_by_each_call_on_its_way(
    fault: str, error: type[ProviderError]
) -> None:
    with FaultyProvider(rules=[Rule(fault)]) as provider:
        ends, _ = await ask_all(provider, 8)

        assert all(isinstance(end, error) for end in ends)
        assert len(provider.calls) == 8
        assert "sk-canary" not in str(ends)


@pytest.mark.parametrize("fault", ["hang", "503", "reset"])
async def test_a_server_that_stays_away_stops_the_run(fault: str) -> None:
    policy = ResiliencePolicy(longest_backoff=0.01, breaker_cooldown=0.01, breaker_failures=8, breaker_probes=2)
    with FaultyProvider(rules=[Rule(fault)], hang_seconds=2) as provider:
        ends, model = await ask_all(provider, 50, policy=policy, call_seconds=0.1)

        assert sum(isinstance(end, ProviderUnavailable) for end in ends) >= 42
        assert len(provider.calls) <= 8 + 8 + 2
        assert model.state.in_flight == 0


@pytest.mark.parametrize("fault", ["refusal", "content_filter", "400_policy", "400_context", "307"])
async def test_what_a_repetition_cannot_mend_is_asked_as_often_as_it_makes_sense(fault: str) -> None:
    with FaultyProvider(rules=[Rule(fault)]) as provider:
        await ask_all(provider, 1)

        assert len(provider.calls) == (2 if fault == "307" else 1)
        assert provider.stolen == []


async def test_a_cut_answer_is_whole_at_the_second_time_and_both_are_counted() -> None:
    with FaultyProvider(rules=[Rule("length", from_call=1, to_call=1)]) as provider:
        [end], _ = await ask_all(provider, 1)

        assert isinstance(end, Completion)
        assert (end.text, end.finish_reason) == ('{"title": "item0"}', FinishReason.STOP)
        assert end.usage.prompt_tokens + end.usage.completion_tokens == provider.billed_tokens


async def test_the_failure_of_one_question_disturbs_no_other() -> None:
    with FaultyProvider(rules=[Rule("400", item="item7$")]) as provider:
        ends, _ = await ask_all(provider, 20)

        assert [n for n, end in enumerate(ends) if isinstance(end, CallFailed)] == [7]
        assert len(answers(ends)) == 19


async def test_held_calls_are_answered_when_the_gate_opens() -> None:
    with FaultyProvider() as provider:
        provider.close_gate()
        asking = asyncio.create_task(ask_all(provider, 5, call_seconds=5))
        await asyncio.to_thread(provider.wait_for_held, 5)
        assert not asking.done()

        provider.open_gate()
        ends, _ = await asking

        assert len(answers(ends)) == 5
        assert provider.cost == sum(call.cost for call in provider.calls) > 0
        assert [call.usable for call in provider.calls_of("item3", "Title")] == [True]
