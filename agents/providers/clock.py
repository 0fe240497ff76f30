"""The time that waits are measured in: seconds that never jump, and sleeping through them."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits; what is measured with it does not notice when the wall clock is set."""

    def now(self) -> float:
        """Return seconds since some moment in the past; never less than before."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class MonotonicClock:
    """The machine's own monotonic time."""

    def now(self) -> float:
        """Return `time.monotonic`."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait in the running event loop."""
        await asyncio.sleep(seconds)
