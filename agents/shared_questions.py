"""Equal questions over several workers: an office knows who asks which now, and nobody else asks it meanwhile."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import chain

from agents.stopping import RunStopped, Stop
from memory.record import Record

SILENT_SECONDS = 120.0  # a worker that said nothing for so long holds nobody up: as long as a lease
UNKNOWN_SECONDS = 5.0  # that an office which goes on waits for workers that nobody told it of
LOOK_SECONDS = 0.1  # between two wishes for what another worker holds, and at the most until an end is told
GAP_SECONDS = 0.05  # from one message to the next: each costs as much CPU as a good part of a call

InTurn = Callable[[str], AbstractAsyncContextManager[None]]  # by the question's key (`memory.model_call.call_key`)


class TurnsWanted(Record):
    """All that a worker holds and wants at a moment; what it held before and does not name has ended."""

    worker: str
    office: str  # that the worker spoke with last; "" for none
    number: int  # of the worker's messages, growing
    holds: tuple[str, ...]
    wants: tuple[str, ...] = ()


class TurnsGiven(Record):
    """The answer: what the worker holds from now on beside what it held."""

    office: str
    keys: tuple[str, ...] = ()


@dataclass
class _Worker:
    """What an office knows of one worker."""

    number: int
    heard: float  # seconds
    keys: set[str]


class QuestionOffice:
    """Gives each key to one worker at a time.

    An office that goes on for one that died does not know what that one gave. It gives nothing before all of
    `awaited`, the workers that were known, have told it what they hold, and never less than a few seconds, in which
    others that nobody knew speak too. What was written to another office than this one counts as nothing: only a
    worker that has heard of this one has had all answers of the one before.
    """

    def __init__(self, name: str, *, now: float, awaited: Iterable[str] | None = None) -> None:
        """Begin; `awaited` is None where no worker can hold anything yet."""
        self._name, self._began = name, now
        self._goes_on = awaited is not None
        self._awaited = set(awaited or ())
        self._workers: dict[str, _Worker] = {}
        self._holders: dict[str, str] = {}

    def take(self, wanted: TurnsWanted, now: float) -> TurnsGiven:
        """Note what a worker holds, free what it does not any more, and give what it wants and nobody else holds."""
        known = self._workers.get(wanted.worker)
        # A message that was sent again because it seemed lost may arrive after later ones.
        if wanted.office != self._name or (known is not None and wanted.number < known.number):
            return TurnsGiven(office=self._name)
        self._hear(wanted, now)
        if not self._knows_all(now):
            return TurnsGiven(office=self._name)
        return TurnsGiven(
            office=self._name, keys=tuple(key for key in wanted.wants if self._given(key, wanted.worker, now))
        )

    def lose(self, worker: str) -> None:
        """Free all that a worker holds."""
        self._awaited.discard(worker)
        known = self._workers.pop(worker, None)
        for key in known.keys if known else ():
            del self._holders[key]

    def _hear(self, wanted: TurnsWanted, now: float) -> None:
        self._awaited.discard(wanted.worker)
        known = self._workers.setdefault(wanted.worker, _Worker(wanted.number, now, set()))
        known.number, known.heard = wanted.number, now
        for key in known.keys.difference(wanted.holds):
            known.keys.discard(key)
            del self._holders[key]
        for key in wanted.holds:  # but for what was given to another while this worker was silent
            if self._holders.setdefault(key, wanted.worker) == wanted.worker:
                known.keys.add(key)

    def _knows_all(self, now: float) -> bool:
        if now - self._began > SILENT_SECONDS:
            self._awaited.clear()
        return not self._awaited and (not self._goes_on or now - self._began > UNKNOWN_SECONDS)

    def _given(self, key: str, worker: str, now: float) -> bool:
        holder = self._holders.get(key, worker)
        if holder != worker and now - self._workers[holder].heard > SILENT_SECONDS:
            self.lose(holder)
            holder = worker
        if holder == worker:
            self._holders[key] = worker
            self._workers[worker].keys.add(key)
        return holder == worker


class SharedQuestions:
    """A worker's side: one message is under way at a time, and takes all along that is to be said.

    A wish is sent at once, or with the next message where there was one just now; an end waits a moment for a wish that
    it may travel with. So a call costs a message where there are few, and much less than one where there are many.
    """

    def __init__(self, worker: str, ask: Callable[[TurnsWanted], Awaitable[TurnsGiven]], stop: Stop) -> None:
        self._worker, self._ask, self._stop = worker, ask, stop
        self._office = ""
        self._number = 0
        self._spoke_at = float("-inf")  # by the loop's clock
        self._held: set[str] = set()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # in the order they came
        self._untold = False  # whether something has ended that the office takes for held
        self._wished = asyncio.Event()  # something is wanted that no message has named yet
        self._speaking = asyncio.Lock()
        self._errand: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Hold a key, once nobody else does, here or with another worker.

        Raises `RunStopped` where the run is asked to stop while the key is another's, and what asking raises.
        """
        own: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, deque()).append(own)
        if key not in self._held:
            self._wished.set()
            self._send()
        try:
            await own
            yield
        finally:
            if own.done() and not own.cancelled() and own.exception() is None:
                self._hand_on(key)
            else:
                self._forget(key, own)

    async def report(self) -> None:
        """Tell the office what is held: a sign of life, and what an office that goes on for another waits for."""
        await self._speak()

    def _hand_on(self, key: str) -> None:
        """Pass a key that is held to the next who waits for it here, else give it back."""
        for own in self._waiting.get(key, ()):
            if not own.done():
                own.set_result(None)
                self._forget(key, own)
                return
        self._held.discard(key)
        self._untold = True
        self._send()

    def _forget(self, key: str, own: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(key)
        if waiting and own in waiting:
            waiting.remove(own)
        if not waiting:
            self._waiting.pop(key, None)

    def _send(self) -> None:
        if self._errand is None:
            self._errand = asyncio.create_task(self._say_all())
            self._errand.add_done_callback(self._tell_failure)

    async def _say_all(self) -> None:
        """Speak with the office until nothing is wanted of it and nothing is left to tell."""
        try:
            while self._untold or self._wanted():
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wished.wait()
                if self._stop.wished:
                    self._refuse_all(RunStopped("the run was asked to stop"))
                await asyncio.sleep(self._spoke_at + GAP_SECONDS - asyncio.get_running_loop().time())
                await self._speak()
        finally:
            self._errand = None

    def _wanted(self) -> tuple[str, ...]:
        return tuple(key for key in self._waiting if key not in self._held)

    async def _speak(self) -> None:
        """Send one message, and another where it reached an office that was not known."""
        async with self._speaking:
            self._spoke_at = asyncio.get_running_loop().time()
            given = await self._said()
            while given.office != self._office:
                self._office = given.office
                given = await self._said()
            for key in given.keys:
                self._held.add(key)
                self._hand_on(key)

    async def _said(self) -> TurnsGiven:
        self._number += 1
        self._wished.clear()
        wanted = TurnsWanted(
            worker=self._worker,
            office=self._office,
            number=self._number,
            holds=tuple(self._held),
            wants=self._wanted(),
        )
        untold, self._untold = self._untold, False
        try:
            return await self._ask(wanted)
        except BaseException:
            self._untold = self._untold or untold
            raise

    def _tell_failure(self, errand: asyncio.Task[None]) -> None:
        """Let all who wait know why nothing came; where nobody does, the loop tells of it."""
        if not errand.cancelled() and self._waiting and (error := errand.exception()):
            self._refuse_all(error)

    def _refuse_all(self, error: BaseException) -> None:
        waiting, self._waiting = self._waiting, {}
        for own in chain.from_iterable(waiting.values()):
            if not own.done():
                own.set_exception(error)
