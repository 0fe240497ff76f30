"""How a run is asked to stop: no new call is made, no wait is sat out, and what is in flight is still stored."""

import asyncio
from collections.abc import Sequence

from agents.providers.around import ModelAround
from agents.providers.base import AnswerSchema, CallKey, ChatModel, Completion
from agents.providers.clock import MonotonicClock
from memory.errors import ReaseqError
from memory.model_call import Message


class RunStopped(ReaseqError):
    """The run was asked to stop before this call; the item is given back."""


class Stop:
    """The wish to stop, shared by all who might start something new."""

    def __init__(self) -> None:
        self._wished = asyncio.Event()

    def wish(self) -> None:
        """Ask the run to stop."""
        self._wished.set()

    @property
    def wished(self) -> bool:
        """Whether the run was asked to stop."""
        return self._wished.is_set()

    async def sleep(self, seconds: float) -> None:
        """Wait so many seconds; `RunStopped` as soon as the run is asked to stop."""
        try:
            async with asyncio.timeout(seconds):
                await self._wished.wait()
        except TimeoutError:
            return
        raise RunStopped("the run was asked to stop")


class StoppableClock(MonotonicClock):
    """The machine's time, whose waits end with `RunStopped` when the run is asked to stop."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop

    async def sleep(self, seconds: float) -> None:
        """Wait, unless the run is asked to stop."""
        await self._stop.sleep(seconds)


class StoppableModel(ModelAround):
    """A chat model that starts no call once the run was asked to stop."""

    def __init__(self, inner: ChatModel, stop: Stop) -> None:
        super().__init__(inner)
        self._stop = stop

    async def complete(
        self, messages: Sequence[Message], schema: AnswerSchema, *, about: CallKey | None = None
    ) -> Completion:
        """Return the raw answer, or raise `RunStopped`."""
        if self._stop.wished:
            raise RunStopped("the run was asked to stop")
        return await self._inner.complete(messages, schema, about=about)
