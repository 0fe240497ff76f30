"""A clock whose sleepers wake in order and at once: hours of waiting pass in a moment."""

import asyncio
import heapq
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class VirtualClock:
    """Time stands still while anybody can work, and jumps to the next sleeper when nobody can."""

    def __init__(self) -> None:
        self._now = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0
        self.slept: list[float] = []  # how long each sleep was

    def now(self) -> float:
        """Return the seconds since the clock was made."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until `run` comes to that moment."""
        self.slept.append(seconds)
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heapq.heappush(self._sleepers, (self._now + seconds, self._count, woken))
        await woken

    async def run(self, work: Awaitable[T]) -> T:
        """Return what the work returns, with time passing as it sleeps."""
        task = asyncio.ensure_future(work)
        while True:
            await _settled()
            if task.done():
                return task.result()
            if not self._sleepers:
                task.cancel()
                raise AssertionError("the work waits for something that no passing of time brings")
            at, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, at)
            if not woken.done():
                woken.set_result(None)


async def _settled() -> None:
    """Return when nobody else has anything to do before time passes."""
    ready = vars(asyncio.get_running_loop())["_ready"]  # the loop offers no other way to see that it is idle
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110
        await asyncio.sleep(0)
