"""When a server is down: calls are held back, single probes are sent, and after some of them it is given up."""

import asyncio
from enum import StrEnum

from agents.providers.base import ProviderUnavailable
from agents.providers.clock import Clock

LONGEST_COOLDOWN = 60.0  # seconds between two probes


class BreakerState(StrEnum):
    """Whether calls go through."""

    CLOSED = "closed"  # they do
    OPEN = "open"  # they wait
    HALF_OPEN = "half_open"  # one is tried


class Breaker:
    """Opens after `failures` calls in a row that a server's own trouble ended.

    Open, it lets one probe through after `cooldown` seconds, which double with each that fails. After `probes` of them
    whoever waits is told `ProviderUnavailable`; a later call may probe again once the cooldown is over.
    """

    def __init__(self, clock: Clock, *, failures: int, cooldown: float, probes: int) -> None:
        self._clock = clock
        self._failures, self._cooldown, self._probes = failures, cooldown, probes
        self._failed = 0  # in a row
        self._failed_probes = 0
        self._opens_at: float | None = None  # when the next probe may go; None: closed
        self._probing = False
        self._changed = asyncio.Event()
        self._last = ""

    @property
    def state(self) -> BreakerState:
        """Whether calls go through."""
        if self._opens_at is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self._probing else BreakerState.OPEN

    async def admit(self) -> bool:
        """Wait until a call may be sent; return whether it is the probe. Raises `ProviderUnavailable`."""
        while self._opens_at is not None:
            if self._probing:
                self._changed.clear()
                await self._changed.wait()
                continue
            wait = self._opens_at - self._clock.now()
            if wait > 0:
                if self._failed_probes >= self._probes:
                    raise self._given_up()
                await self._clock.sleep(wait)
                continue
            self._probing = True
            return True
        return False

    def succeeded(self) -> None:
        """Take note of a call that the server answered, be it with a refusal."""
        self._failed = self._failed_probes = 0
        self._opens_at, self._probing = None, False
        self._changed.set()

    def failed(self, reason: str, *, probe: bool) -> None:
        """Take note of a call that the server's trouble ended; `reason` is told when it is given up."""
        self._failed += 1
        self._last = reason
        if probe:
            self._failed_probes += 1
            self._open()
        elif self._opens_at is None and self._failed >= self._failures:
            self._open()

    def abandoned(self) -> None:
        """Take note of a probe that ended without telling anything, such as a cancelled one."""
        self._probing = False
        self._changed.set()

    def _open(self) -> None:
        cooldown = min(LONGEST_COOLDOWN, self._cooldown * 2.0 ** min(self._failed_probes, 30))
        self._opens_at = self._clock.now() + cooldown
        self._probing = False
        self._changed.set()

    def _given_up(self) -> ProviderUnavailable:
        return ProviderUnavailable(
            f"the server failed {self._failed} calls in a row, the last with: {self._last};"
            " when it is back, the same command resumes where this run stopped"
        )
