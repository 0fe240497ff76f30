"""How much may be sent in any minute: a sliding window over requests or tokens.

A leaky bucket (aiolimiter) is not used: a full burst and what leaks after it make up to twice the limit in one window.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

MINUTE = 60.0  # seconds


@dataclass
class Sent:
    """An amount that counts in the window from when it was sent."""

    at: float
    amount: float


class SlidingWindow:
    """Never more than `limit` in any `seconds`, half-open; one amount above the limit goes alone, lest it never go."""

    def __init__(self, limit: float, seconds: float = MINUTE) -> None:
        self._limit = limit
        self._seconds = seconds
        self._sent: deque[Sent] = deque()
        self._total = 0.0

    def delay(self, amount: float, now: float) -> float:
        """Return the seconds until the amount may be sent; 0 means now."""
        self._forget(now)
        over = self._total + amount - self._limit
        if over <= 0 or not self._sent:
            return 0.0
        for sent in self._sent:
            over -= sent.amount
            if over <= 0:
                break
        return max(0.0, sent.at + self._seconds - now)

    def send(self, amount: float, now: float) -> Sent:
        """Count the amount; `correct` takes the record."""
        sent = Sent(now, amount)
        self._sent.append(sent)
        self._total += amount
        return sent

    def correct(self, sent: Sent, amount: float) -> None:
        """Replace an estimate by what it came to be."""
        if sent.at >= (self._sent[0].at if self._sent else float("inf")):  # else it has left the window
            self._total += amount - sent.amount
            sent.amount = amount

    def _forget(self, now: float) -> None:
        while self._sent and self._sent[0].at + self._seconds <= now:
            self._total -= self._sent.popleft().amount
        if not self._sent:
            self._total = 0.0  # no rounding errors are carried along


class Limits(Protocol):
    """How many calls, and how many tokens, may be sent in a minute."""

    def delay(self, tokens: float, now: float) -> float:
        """Return the seconds until a call of so many tokens may be sent; 0 means now."""

    def send(self, tokens: float, now: float) -> Sent | None:
        """Count a call; `correct` takes the record."""

    def correct(self, sent: Sent | None, tokens: float) -> None:
        """Replace an estimate of tokens by what they came to be."""


class MinuteLimits:
    """The limits of a process that calls alone; None where there is none."""

    def __init__(self, requests: float | None, tokens: float | None, seconds: float = MINUTE) -> None:
        self._requests = SlidingWindow(requests, seconds) if requests else None
        self._tokens = SlidingWindow(tokens, seconds) if tokens else None

    def delay(self, tokens: float, now: float, requests: float = 1) -> float:
        """Return the seconds until so many may be sent; 0 means now."""
        wait = self._requests.delay(requests, now) if self._requests is not None else 0.0
        return max(wait, self._tokens.delay(tokens, now)) if self._tokens is not None else wait

    def send(self, tokens: float, now: float, requests: float = 1) -> Sent | None:
        """Count them; the record is that of the tokens, None where these are not limited."""
        if self._requests is not None:
            self._requests.send(requests, now)
        return self._tokens.send(tokens, now) if self._tokens is not None else None

    def correct(self, sent: Sent | None, tokens: float) -> None:
        """Replace an estimate of tokens by what they came to be."""
        if self._tokens is not None and sent is not None:
            self._tokens.correct(sent, tokens)
