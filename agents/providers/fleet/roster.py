"""Which of several servers gets a call, and how one that was put aside is brought back."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agents.providers.base import CallFailed, FailureKind, ModelNotFound, ProviderError
from agents.providers.clock import Clock, MonotonicClock
from agents.providers.fleet.probing import Probe
from agents.providers.fleet.server import Server, Turn
from agents.providers.openai_protocol import OpenAIServer
from agents.providers.server_state import ServerState

FIRST_PROBE = 0.5  # seconds after a server was put aside; doubled with each probe that fails
LONGEST_PROBE = 30.0
_TROUBLE = frozenset(
    {
        FailureKind.UNREACHABLE,
        FailureKind.OVERLOADED,
        FailureKind.TIMEOUT,
        FailureKind.LOST,
        FailureKind.PROTOCOL,
    }
)


@dataclass(frozen=True)
class _Place:
    server: Server
    probe: Probe


class Roster:
    """The servers of one model, shared by all who ask it."""

    def __init__(
        self,
        servers: Sequence[OpenAIServer],
        model: str,
        *,
        clock: Clock | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._places = [_Place(Server(server.url, number), Probe(server)) for number, server in enumerate(servers)]
        self._model = model
        self._clock = clock or MonotonicClock()
        self._draw = draw  # a number between 0 and 1
        self._door = asyncio.Lock()
        self._looked = False
        self._probing: set[asyncio.Task[None]] = set()

    @property
    def states(self) -> tuple[ServerState, ...]:
        """How the servers stand, in the order in which they were named."""
        return tuple(place.server.state for place in self._places)

    async def looked_at(self) -> None:
        """Ask each server once whether it serves the model; raises `ProviderError` naming one that does not.

        One that is not well is put aside.
        """
        if self._looked:
            return
        async with self._door:
            if not self._looked:
                await asyncio.gather(*(self._look(place) for place in self._places))
                self._looked = True

    def next(self, tried: Sequence[Server]) -> Server | None:
        """Return the server that a call goes to; None where those that were tried are all there is.

        The least loaded of those that are well; where none is, one that was put aside, so that a call learns of all
        being down as it would of one. Raises `CallFailed` where all that are well ask to be left alone.
        """
        now = self._clock.now()
        left = [place.server for place in self._places if place.server not in tried]
        well = [server for server in left if not server.is_aside]
        free = [server for server in well if server.pause(now) == 0]
        if free:
            return min([server for server in free if server.has_room] or free, key=lambda server: server.load)
        if tried:
            return None
        if well:
            soonest = min(well, key=lambda server: server.pause(now))
            said = f"{soonest.url} asks to be left alone, and no other server is free"
            raise CallFailed(said, kind=FailureKind.RATE_LIMITED, retry_after=soonest.pause(now))
        return min(left, key=lambda server: server.load)

    def failed(self, server: Server, turn: Turn, error: CallFailed) -> bool:
        """Take note of a failure; return whether another server may be asked the same at once.

        Not where the answer may have been paid, nor where the question is to blame.
        """
        if error.kind is FailureKind.RATE_LIMITED:
            server.limited(turn, error, self._clock.now())
            return True
        if error.kind not in _TROUBLE:
            return False
        if server.trouble(error):
            self._begin_probing(self._places[server.number])
        return not error.maybe_paid

    async def aclose(self) -> None:
        """End the probing, and close its connections."""
        probing = [task for task in self._probing if task.get_loop() is asyncio.get_running_loop()]
        for task in probing:
            task.cancel()
        await asyncio.gather(*probing, return_exceptions=True)
        for place in self._places:
            await place.probe.aclose()

    async def _look(self, place: _Place) -> None:
        try:
            await place.probe.well(self._model)
        except CallFailed as error:
            if place.server.trouble(error):
                self._begin_probing(place)

    def _begin_probing(self, place: _Place) -> None:
        task = asyncio.get_running_loop().create_task(self._until_well(place))
        self._probing.add(task)
        task.add_done_callback(self._probing.discard)

    async def _until_well(self, place: _Place) -> None:
        """Probe a server again and again until it is well, or an answer of it has come."""
        probes = place.server.failures - 1  # one that comes back only to fail again is probed less and less
        while True:
            longest = min(LONGEST_PROBE, FIRST_PROBE * 2.0 ** min(probes, 30))
            await self._clock.sleep(longest * (0.5 + self._draw() / 2))
            if not place.server.is_aside:
                return
            probes += 1
            if await self._is_well(place):
                place.server.come_back()
                return

    async def _is_well(self, place: _Place) -> bool:
        try:
            await place.probe.well(self._model)
        except ModelNotFound:
            place.server.put_aside("serves other models now")
        except ProviderError:
            pass
        else:
            return True
        return False
