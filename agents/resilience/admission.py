"""When a call may be sent: one door for all calls to a provider, and what the calls' ends do to it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from agents.providers.base import CallFailed, Completion, FailureKind
from agents.providers.clock import Clock
from agents.providers.server_state import ServerState
from agents.resilience.adaptive_concurrency import AdaptiveConcurrency
from agents.resilience.breaker import Breaker, BreakerState
from agents.resilience.policy import ResiliencePolicy
from agents.resilience.rate_limits import Limits, MinuteLimits, Sent
from memory.record import Record

# Such failures are the server's own trouble: many in a row mean that it is down.
TROUBLE = frozenset(
    {
        FailureKind.OVERLOADED,
        FailureKind.UNREACHABLE,
        FailureKind.TIMEOUT,
        FailureKind.LOST,
        FailureKind.PROTOCOL,
    }
)
FIRST_OUTPUT_GUESS = 256.0  # tokens of an answer, before any has come


class RateState(Record):
    """What holds the calls back at the moment, for a live view."""

    in_flight: int
    allowed: int
    waiting: int
    paused_seconds: float  # left of a Retry-After that all calls obey
    breaker: BreakerState
    retries: int
    rate_limited: int
    paid_lost: int
    servers: tuple[ServerState, ...] = ()  # where there are several


@dataclass
class Turn:
    """One call's permission to be sent."""

    ticket: int  # for the concurrency
    probe: bool  # the one call that tries whether a broken server is back
    tokens: Sent | None
    told: bool = False  # whether the gate knows how it ended


class Gate:
    """Lets calls out in the order they came, as the provider's limits and state allow."""

    def __init__(self, policy: ResiliencePolicy, clock: Clock, limits: Limits | None = None) -> None:
        self._clock = clock
        self._concurrency = AdaptiveConcurrency(policy.max_concurrency)
        self._breaker = Breaker(
            clock,
            failures=policy.breaker_failures,
            cooldown=policy.breaker_cooldown,
            probes=policy.breaker_probes,
        )
        self._limits = limits or MinuteLimits(policy.requests_per_minute, policy.tokens_per_minute)
        self._paused_until = float("-inf")
        self._waiting = 0
        self._output = FIRST_OUTPUT_GUESS
        # Behind it one call at a time looks at limits and state, so that nothing changes between look and leave.
        self._door = asyncio.Lock()

    def state(self, counts: Mapping[str, int], servers: tuple[ServerState, ...] = ()) -> RateState:
        """Return what holds the calls back; `counts` are the retries, rate limits and paid losses so far."""
        return RateState(
            in_flight=self._concurrency.in_flight,
            allowed=self._concurrency.allowed,
            waiting=self._waiting,
            paused_seconds=max(0.0, self._paused_until - self._clock.now()),
            breaker=self._breaker.state,
            retries=counts.get("retries", 0),
            rate_limited=counts.get("rate_limited", 0),
            paid_lost=counts.get("paid_lost", 0),
            servers=servers,
        )

    async def enter(self, prompt_tokens: int) -> Turn:
        """Wait for the call's turn; raises `ProviderUnavailable` when the server is given up. `leave` ends it."""
        self._waiting += 1
        try:
            async with self._door:
                await self._concurrency.room()
                tokens = prompt_tokens + self._output
                probe = await self._clear(tokens)
                return self._turn(tokens, probe)
        finally:
            self._waiting -= 1

    def leave(self, turn: Turn) -> None:
        """End the turn, however the call ended."""
        self._concurrency.end()
        if turn.probe and not turn.told:
            self._breaker.abandoned()

    def completed(self, turn: Turn, completion: Completion) -> None:
        """Take note of an answer, and of its tokens instead of the guess."""
        usage = completion.usage
        self._output += (usage.completion_tokens - self._output) / 16
        self._limits.correct(turn.tokens, usage.prompt_tokens + usage.completion_tokens)
        self.answered(turn)
        self._concurrency.answered(self._clock.now())

    def answered(self, turn: Turn) -> None:
        """Take note that the server answered, be it with a refusal."""
        turn.told = True
        self._breaker.succeeded()

    def failed(self, turn: Turn, error: CallFailed, pause: float) -> None:
        """Take note of a failure; nobody is sent for `pause` seconds."""
        now = self._clock.now()
        self._paused_until = max(self._paused_until, now + pause)
        if error.kind is FailureKind.RATE_LIMITED:
            self._concurrency.limited(turn.ticket, now, pause)
        if error.kind in TROUBLE:
            turn.told = True
            self._breaker.failed(str(error), probe=turn.probe)
        else:
            self.answered(turn)

    def _turn(self, tokens: float, probe: bool) -> Turn:
        sent = self._limits.send(tokens, self._clock.now())
        return Turn(self._concurrency.begin(), probe, sent)

    async def _clear(self, tokens: float) -> bool:
        """Wait until nothing holds the call back; return whether it is the breaker's probe."""
        while True:
            wait = self._delay(tokens)
            if wait > 0:
                await self._clock.sleep(wait)
                continue
            if await self._breaker.admit():
                return True
            if self._delay(tokens) <= 0:  # else a pause was ordered while the breaker was open
                return False

    def _delay(self, tokens: float) -> float:
        now = self._clock.now()
        return max(0.0, self._paused_until - now, self._limits.delay(tokens, now))
