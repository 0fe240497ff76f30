"""How many calls may be on their way at once: halved when the server limits us, raised slowly while it does not.

Additive increase, multiplicative decrease, as in TCP (Chiu and Jain, 1989).
"""

import asyncio

STEPS = 40  # raises from nothing to the maximum
# A server that asks for a longer pause counts calls over time: all that are on their way when its limit is met are
# refused, however few they are. So cut deeper then, and grow by time and not by calls.
LONG_PAUSE = 5.0  # seconds
GROWTH_SECONDS = 5.0  # between two raises after a long pause


class AdaptiveConcurrency:
    """A count of calls on their way, and how many of them are allowed: between 1 and `maximum`."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._allowed = float(maximum)
        self._in_flight = 0
        self._cuts = 0
        self._answers = 0  # since the last raise
        self._changed_at = float("-inf")
        self._growth_seconds = 0.0
        self._room = asyncio.Event()

    @property
    def allowed(self) -> int:
        """How many calls may be on their way now."""
        return int(self._allowed)

    @property
    def in_flight(self) -> int:
        """How many are."""
        return self._in_flight

    async def room(self) -> None:
        """Wait until one more call is allowed; one waiter at a time."""
        while self._in_flight >= self.allowed:
            self._room.clear()
            await self._room.wait()

    def begin(self) -> int:
        """Count a call in; return the ticket that `limited` takes."""
        self._in_flight += 1
        return self._cuts

    def end(self) -> None:
        """Count a call out."""
        self._in_flight -= 1
        self._room.set()

    def answered(self, now: float) -> None:
        """Allow a little more when as many answers have come as are allowed at once."""
        self._answers += 1
        if self._allowed >= self._maximum or self._answers < self._allowed:
            return
        if now - self._changed_at >= self._growth_seconds:
            self._allowed = min(self._maximum, self._allowed + max(1.0, self._maximum / STEPS))
            self._answers, self._changed_at = 0, now
            self._room.set()

    def limited(self, ticket: int, now: float, pause: float = 0.0) -> None:
        """Allow half as much after a rate limit, a quarter where the server asks for a long `pause` (seconds).

        Calls that had begun before the last cut do not cut again.
        """
        if ticket == self._cuts:
            long = pause >= LONG_PAUSE
            self._allowed = max(1.0, self._allowed / (4 if long else 2))
            self._growth_seconds = GROWTH_SECONDS if long else 0.0
            self._cuts += 1
            self._answers, self._changed_at = 0, now
