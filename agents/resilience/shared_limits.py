"""Limits by the minute that several workers share: an office grants portions of them, each to be used at once."""

import asyncio
from collections.abc import Awaitable, Callable

from agents.resilience.rate_limits import MINUTE, MinuteLimits, Sent
from memory.record import Record

VALID_SECONDS = 2.0  # a portion may be used so long after it was asked for; then what is left of it is void
NO_LIMIT = 1e15  # requests or tokens that nobody sends
LOOK_SECONDS = 0.02  # between two looks whether a portion has come


class Portion(Record):
    """How many requests and tokens may be sent; or how long to wait before asking again, where it is none."""

    number: int = 0
    requests: float = 0.0
    tokens: float = 0.0
    wait: float = 0.0  # seconds


class Asked(Record):
    """What a worker asks for, and by how much the tokens of an earlier portion were fewer or more in the end."""

    tokens: float  # of the next call
    corrections: tuple[tuple[int, float], ...] = ()


class RateOffice:
    """Never grants more in a minute than the limits, however late in its time each portion is used."""

    def __init__(self, requests: int | None, tokens: int | None, *, full: bool, now: float) -> None:
        """Begin; `full` as if all had just been granted: who does not know what was granted before waits it out."""
        self._limits = MinuteLimits(requests, tokens, MINUTE + VALID_SECONDS)
        self._a_second = (
            NO_LIMIT if requests is None else max(1.0, requests / MINUTE),
            NO_LIMIT if tokens is None else tokens / MINUTE,
        )
        self._granted: dict[int, Sent | None] = {}
        self._last = 0
        if full:
            self._limits.send(tokens or 0, now, requests or 0)

    def grant(self, asked: Asked, now: float) -> Portion:
        """Return a portion: what a second allows, or at least one call."""
        for number, difference in asked.corrections:
            sent = self._granted.get(number)
            self._limits.correct(sent, (sent.amount if sent else 0.0) + difference)
        requests, tokens = float(int(self._a_second[0])), max(asked.tokens, self._a_second[1])
        if self._limits.delay(tokens, now, requests) > 0:
            requests, tokens = 1.0, asked.tokens
        if (wait := self._limits.delay(tokens, now, requests)) > 0:
            return Portion(wait=min(1.0, wait))
        self._last += 1
        self._granted[self._last] = self._limits.send(tokens, now, requests)
        self._granted.pop(self._last - 1000, None)
        return Portion(number=self._last, requests=requests, tokens=tokens)


class SharedLimits:
    """A worker's side: portions are asked for in the background, and used up before the next is asked for."""

    def __init__(self, ask: Callable[[Asked], Awaitable[Portion]], now: Callable[[], float]) -> None:
        self._ask, self._now = ask, now
        self._portion = Portion()
        self._until = self._not_before = float("-inf")
        self._corrections: dict[int, float] = {}
        self._asking: asyncio.Future[None] | None = None

    def delay(self, tokens: float, now: float) -> float:
        """Return the seconds until a call of so many tokens may be sent; 0 means now."""
        if now < self._until and self._portion.requests >= 1 and self._portion.tokens >= tokens:
            return 0.0
        if self._asking is None and now >= self._not_before:
            self._asking = asyncio.ensure_future(self._fetch(tokens))
        return max(LOOK_SECONDS, self._not_before - now)

    def send(self, tokens: float, now: float) -> Sent | None:
        """Count a call; the record names the portion that it is of."""
        left = self._portion
        self._portion = left.model_copy(update={"requests": left.requests - 1, "tokens": left.tokens - tokens})
        return Sent(float(left.number), tokens)

    def correct(self, sent: Sent | None, tokens: float) -> None:
        """Replace an estimate by what it came to be; the office hears of it with the next question."""
        if sent is not None:
            self._add(int(sent.at), tokens - sent.amount)

    def _add(self, number: int, difference: float) -> None:
        self._corrections[number] = self._corrections.get(number, 0.0) + difference

    async def _fetch(self, tokens: float) -> None:
        if self._portion.number and self._portion.tokens > 0:
            self._add(self._portion.number, -self._portion.tokens)  # what is left is given back
        self._portion = Portion()
        corrections, self._corrections = self._corrections, {}
        asked_at = self._now()
        try:
            portion = await self._ask(Asked(tokens=tokens, corrections=tuple(corrections.items())))
            self._portion, self._until = portion, asked_at + VALID_SECONDS
            self._not_before = self._now() + portion.wait
        finally:
            self._asking = None
