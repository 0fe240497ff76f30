"""How calls survive a bad provider, in virtual time."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.providers.base import (
    AnswerSchema,
    AuthenticationFailed,
    CallFailed,
    CallKey,
    Capabilities,
    Completion,
    ContextTooLong,
    FailureKind,
    FinishReason,
    ProviderError,
    ProviderUnavailable,
    QuotaExhausted,
    ServerUnreachable,
)
from agents.resilience.breaker import BreakerState
from agents.resilience.model import ResilientModel
from agents.resilience.policy import ResiliencePolicy
from memory.model_call import Message, Usage
from tests.virtual_clock import VirtualClock

MESSAGES = (Message(role="user", content="Is it blue?"),)
SCHEMA = AnswerSchema("Ruling", {"type": "object"})
ABOUT = CallKey(agent="critic", item_id="7")
ANSWER = Completion(
    text="{}",
    finish_reason=FinishReason.STOP,
    usage=Usage(prompt_tokens=3, completion_tokens=1),
    model="small",
    seconds=0.0,
)
CUT = ANSWER.model_copy(update={"finish_reason": FinishReason.LENGTH, "text": "{"})

Ending = Completion | ProviderError


def failure(kind: FailureKind, *, retry_after: float | None = None, maybe_paid: bool = False) -> CallFailed:
    return CallFailed(f"it failed: {kind}", kind=kind, retry_after=retry_after, maybe_paid=maybe_paid)


LIMITED, OVERLOADED = failure(FailureKind.RATE_LIMITED), failure(FailureKind.OVERLOADED)
LOST = failure(FailureKind.LOST, maybe_paid=True)


class Provider:
    """Ends each call as it is told, one after another and then with answers, or as a function of the time says."""

    spec = "openai:small"
    capabilities = Capabilities()

    def __init__(self, clock: VirtualClock, endings: Iterable[Ending] | Callable[[float], Ending] = ()) -> None:
        self.clock = clock
        self.endings = endings if callable(endings) else iter(endings)
        self.sent: list[float] = []  # when
        self.limits: list[int] = []  # the longest answer of each call
        self.max_tokens = 100
        self.seconds = 0.1
        self.active = self.most_active = 0

    @property
    def parameters(self) -> Mapping[str, str | int | float | None]:
        return {"max_tokens": self.max_tokens}

    def with_max_tokens(self, max_tokens: int) -> "Provider":
        other = Provider(self.clock)
        other.__dict__ |= self.__dict__ | {"max_tokens": max_tokens}
        return other

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        self.sent.append(self.clock.now())
        self.limits.append(self.max_tokens)
        ending = self.endings(self.clock.now()) if callable(self.endings) else next(self.endings, ANSWER)
        self.active += 1
        self.most_active = max(self.most_active, self.active)
        try:
            await self.clock.sleep(self.seconds)
        finally:
            self.active -= 1
        if isinstance(ending, ProviderError):
            raise ending
        return ending

    async def aclose(self) -> None:
        pass


class Bench:
    """A provider behind a resilient model, on one virtual clock; the drawn waits are the longest possible."""

    def __init__(
        self, endings: Iterable[Ending] | Callable[[float], Ending] = (), policy: ResiliencePolicy | None = None
    ) -> None:
        self.clock = VirtualClock()
        self.provider = Provider(self.clock, endings)
        self.paid_lost: list[tuple[CallKey | None, FailureKind]] = []
        self.model = ResilientModel(
            self.provider,
            policy,
            clock=self.clock,
            on_paid_lost=lambda about, messages, error: self.paid_lost.append((about, error.kind)),
            draw=lambda: 1.0,
        )

    async def ask(self) -> Completion:
        return await self.clock.run(self.model.complete(MESSAGES, SCHEMA, about=ABOUT))

    async def ask_at_once(self, number: int) -> list[Completion | BaseException]:
        calls = (self.model.complete(MESSAGES, SCHEMA, about=ABOUT) for _ in range(number))
        return await self.clock.run(asyncio.gather(*calls, return_exceptions=True))


async def test_an_answer_passes_through_as_it_is() -> None:
    bench = Bench()

    assert await bench.ask() == ANSWER
    assert (bench.model.spec, bench.model.parameters) == ("openai:small", {"max_tokens": 100})
    assert bench.model.state.retries == 0


@pytest.mark.parametrize(
    ("kind", "maybe_paid", "calls"),
    [
        (FailureKind.OVERLOADED, False, 4),
        (FailureKind.TIMEOUT, True, 2),
        (FailureKind.LOST, True, 2),
        (FailureKind.PROTOCOL, True, 2),
        (FailureKind.BAD_REQUEST, False, 1),
        (FailureKind.POLICY, False, 1),
    ],
)
async def test_each_kind_of_failure_is_tried_so_often(kind: FailureKind, maybe_paid: bool, calls: int) -> None:
    bench = Bench([failure(kind, maybe_paid=maybe_paid)] * 20)

    with pytest.raises(CallFailed) as last:
        await bench.ask()

    assert last.value.kind is kind
    assert len(bench.provider.sent) == calls


@pytest.mark.parametrize("error", [AuthenticationFailed("401"), QuotaExhausted("spent"), ContextTooLong("too long")])
async def test_what_no_repetition_mends_is_not_repeated(error: ProviderError) -> None:
    bench = Bench([error])

    with pytest.raises(type(error)):
        await bench.ask()

    assert len(bench.provider.sent) == 1


async def test_an_unreachable_server_is_tried_again_and_then_stops_the_run() -> None:
    bench = Bench([ServerUnreachable("no server")] * 20)

    with pytest.raises(ProviderUnavailable, match="no server"):
        await bench.ask()

    assert len(bench.provider.sent) == 4


async def test_lost_answers_of_all_kinds_together_are_asked_once_more_and_each_is_told() -> None:
    bench = Bench([LOST, failure(FailureKind.PROTOCOL, maybe_paid=True), ANSWER])

    with pytest.raises(CallFailed):
        await bench.ask()

    assert bench.paid_lost == [(ABOUT, FailureKind.LOST), (ABOUT, FailureKind.PROTOCOL)]
    assert bench.model.state.paid_lost == 2


async def test_a_refusal_is_an_answer() -> None:
    refused = ANSWER.model_copy(update={"finish_reason": FinishReason.REFUSAL})
    bench = Bench([refused])

    assert await bench.ask() == refused
    assert len(bench.provider.sent) == 1


@pytest.mark.parametrize(
    ("retry_after", "pause"),
    [(2.0, 2.0), (86400.0, 60.0), (None, 0.5), (0.0, 0.5), (-5.0, 0.5), (float("inf"), 0.5), (float("nan"), 0.5)],
)
async def test_a_rate_limit_is_waited_out_as_asked_within_reason(retry_after: float | None, pause: float) -> None:
    bench = Bench([failure(FailureKind.RATE_LIMITED, retry_after=retry_after)])

    assert await bench.ask() == ANSWER

    assert bench.provider.sent[1] - bench.provider.sent[0] == pytest.approx(pause + bench.provider.seconds)


async def test_the_longest_wait_is_the_policys() -> None:
    bench = Bench([failure(FailureKind.RATE_LIMITED, retry_after=9.0)], ResiliencePolicy(retry_after_cap=4.0))

    await bench.ask()

    assert max(bench.clock.slept) == 4.0


async def test_a_rate_limit_without_end_stops_the_run_at_the_deadline() -> None:
    bench = Bench(lambda now: LIMITED, ResiliencePolicy(deadline_seconds=100))

    with pytest.raises(ProviderUnavailable, match="for 100 seconds; the same command resumes"):
        await bench.ask()

    assert bench.clock.now() <= 100


async def test_nobody_sends_while_the_server_asks_for_silence() -> None:
    bench = Bench([failure(FailureKind.RATE_LIMITED, retry_after=30.0)], ResiliencePolicy(max_concurrency=1))

    await bench.ask_at_once(5)

    assert bench.provider.sent[0] == 0
    assert min(bench.provider.sent[1:]) >= 30


async def test_rate_limits_halve_the_concurrency_and_are_no_outage() -> None:
    bench = Bench([LIMITED] * 64, ResiliencePolicy(max_concurrency=64, breaker_failures=2))

    ends = await bench.ask_at_once(64)

    assert ends == [ANSWER] * 64
    assert bench.model.state.breaker is BreakerState.CLOSED
    assert bench.model.state.allowed == 33  # half, and one step more after as many answers
    assert bench.model.state.rate_limited == 64
    assert bench.provider.most_active == 64


async def test_no_more_calls_are_on_their_way_than_allowed() -> None:
    bench = Bench((), ResiliencePolicy(max_concurrency=7))

    await bench.ask_at_once(50)

    assert bench.provider.most_active == 7
    assert (bench.model.state.in_flight, bench.model.state.waiting) == (0, 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 30), st.lists(st.sampled_from([ANSWER, OVERLOADED, LIMITED]), max_size=30))
def test_no_minute_sees_more_requests_than_the_limit(limit: int, number: int, endings: list[Ending]) -> None:
    bench = Bench(endings, ResiliencePolicy(requests_per_minute=limit, deadline_seconds=1e9))

    asyncio.run(bench.ask_at_once(number))

    sent = bench.provider.sent
    assert all(sum(1 for at in sent if start <= at < start + 60 - 1e-6) <= limit for start in sent)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(list(FailureKind)), st.none() | st.floats(), st.booleans()).map(
            lambda told: failure(told[0], retry_after=told[1], maybe_paid=told[2])
        ),
        max_size=12,
    ),
    st.floats(0, 120),
)
def test_no_wait_is_negative_longer_than_the_cap_or_past_the_deadline(endings: list[CallFailed], cap: float) -> None:
    policy = ResiliencePolicy(retry_after_cap=cap, longest_backoff=5, deadline_seconds=90, breaker_failures=100)
    bench = Bench(endings, policy)

    asyncio.run(bench.ask_at_once(1))

    waits = [seconds for seconds in bench.clock.slept if seconds != bench.provider.seconds]
    assert all(0 <= seconds <= max(cap, 5) + 1e-9 for seconds in waits)
    assert bench.clock.now() <= 90 + cap + bench.provider.seconds
    assert len(bench.provider.sent) <= 1 + len(endings)


async def test_a_servers_own_limit_raises_no_storm() -> None:
    passed: list[float] = []

    def limited(now: float) -> Ending:
        recent = [at for at in passed if at > now - 60]
        if len(recent) >= 60:
            return failure(FailureKind.RATE_LIMITED, retry_after=recent[0] + 60 - now)
        passed.append(now)
        return ANSWER

    bench = Bench(limited, ResiliencePolicy(max_concurrency=40))

    ends = await bench.ask_at_once(600)

    assert ends == [ANSWER] * 600
    late = sum(1 for at in bench.provider.sent if at > 10)
    assert late - sum(1 for at in passed if at > 10) <= 0.05 * late
    assert bench.clock.now() < 11 * 60


async def test_tokens_per_minute_hold_calls_back() -> None:
    answer = ANSWER.model_copy(update={"usage": Usage(prompt_tokens=300, completion_tokens=100)})
    bench = Bench([answer] * 4, ResiliencePolicy(tokens_per_minute=1000, max_concurrency=1))

    await bench.ask_at_once(4)

    assert [at for at in bench.provider.sent if at < 60] == bench.provider.sent[:2]


async def test_an_outage_is_waited_out_with_single_probes() -> None:
    concurrency = 40
    bench = Bench(lambda now: OVERLOADED if 10 <= now < 70 else ANSWER, ResiliencePolicy(max_concurrency=concurrency))
    bench.provider.seconds = 1.0

    ends = await bench.ask_at_once(1000)

    assert ends == [ANSWER] * 1000
    assert sum(1 for at in bench.provider.sent if 10 <= at < 70) <= 2 * concurrency


@pytest.mark.parametrize("error", [OVERLOADED, LOST, failure(FailureKind.TIMEOUT, maybe_paid=True)])
async def test_an_outage_without_end_stops_the_run_and_does_not_walk_the_catalog(error: CallFailed) -> None:
    bench = Bench(lambda now: error, ResiliencePolicy(max_concurrency=8))

    ends = await bench.ask_at_once(1000)

    stopped = [end for end in ends if isinstance(end, ProviderUnavailable)]
    assert len(stopped) >= 990
    assert "the same command resumes" in str(stopped[0])
    assert len(bench.provider.sent) <= 10 + 8 + 5  # failures that open the breaker, calls on their way, probes
    assert bench.clock.now() < 300


async def test_a_cut_answer_is_asked_once_more_with_twice_the_limit_and_both_are_counted() -> None:
    bench = Bench([CUT, ANSWER])

    completion = await bench.ask()

    assert bench.provider.limits == [100, 200]
    assert (completion.text, completion.usage) == ("{}", ANSWER.usage + CUT.usage)


async def test_an_answer_that_is_cut_again_stays_cut() -> None:
    bench = Bench([CUT, CUT])

    completion = await bench.ask()

    assert bench.provider.limits == [100, 200]
    assert (completion.finish_reason, completion.usage.completion_tokens) == (FinishReason.LENGTH, 2)


async def test_a_cut_answer_is_kept_where_the_longer_one_fails() -> None:
    bench = Bench([CUT, failure(FailureKind.BAD_REQUEST)])

    assert await bench.ask() == CUT


async def test_a_call_that_outlasts_the_deadline_is_ended() -> None:
    class Endless(Provider):
        async def complete(
            self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
        ) -> Completion:
            await asyncio.Event().wait()
            raise AssertionError("it never ends")

    model = ResilientModel(Endless(VirtualClock()), ResiliencePolicy(deadline_seconds=0.05))

    with pytest.raises(CallFailed, match=r"within 0\.05 seconds") as failure:
        await model.complete(MESSAGES, SCHEMA)

    assert (failure.value.kind, failure.value.maybe_paid) == (FailureKind.TIMEOUT, True)


async def test_waiting_calls_end_at_once_when_they_are_cancelled_and_leave_nothing_behind() -> None:
    bench = Bench(lambda now: failure(FailureKind.RATE_LIMITED, retry_after=60.0))
    bench.provider.seconds = 0.0
    calls = [asyncio.create_task(bench.model.complete(MESSAGES, SCHEMA)) for _ in range(40)]
    await bench.clock.run(bench.clock.sleep(1))
    assert bench.model.state.paused_seconds == 59

    for call in calls:
        call.cancel()
    ends = await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    assert (bench.model.state.in_flight, bench.model.state.waiting) == (0, 0)


async def test_a_cancelled_probe_lets_the_next_call_probe() -> None:
    bench = Bench(lambda now: OVERLOADED if now < 5 else ANSWER, ResiliencePolicy(breaker_failures=1))
    first = asyncio.create_task(bench.model.complete(MESSAGES, SCHEMA))
    bench.provider.seconds = 4.0
    await bench.clock.run(bench.clock.sleep(9.5))  # fails at 4, waits 5 seconds, is now on its way as the probe
    assert bench.model.state.breaker is BreakerState.HALF_OPEN

    first.cancel()

    assert await bench.ask() == ANSWER
    assert bench.model.state.breaker.value == "closed"
