"""Questions under way: of equal ones that are asked at the same moment one is sent, and all who ask get its answer."""

import asyncio
from collections.abc import Awaitable, Callable

from memory.model_call import ModelCall


class EqualQuestions:
    """The calls under way by their key (`memory.model_call.call_key`), in one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[ModelCall]] = {}

    async def answer(self, key: str, ask: Callable[[], Awaitable[ModelCall]]) -> tuple[ModelCall, bool]:
        """Return the answer, and whether it was another's; `ask` is awaited only where nobody asks the same now.

        Where the other's call failed or was cancelled, whoever waited for it asks in turn: no item meets the failure
        of another.
        """
        while (other := self._under_way.get(key)) is not None:
            await asyncio.wait([other])
            if not other.cancelled():
                return other.result(), True
        own = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            call = await ask()
            own.set_result(call)
        finally:
            own.cancel()  # does nothing to one that has its result
            del self._under_way[key]
        return call, False
