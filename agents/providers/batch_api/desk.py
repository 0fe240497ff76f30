"""Where questions wait to be asked in batches: gathered until no more come, submitted together, answered one by one."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from itertools import islice
from uuid import uuid4

from agents.providers.base import CallFailed, FailureKind, ProviderError
from agents.providers.batch_api.courier import BatchCourier, Shelf
from agents.providers.batch_api.pace import BatchPace
from agents.providers.batch_api.under_way import BatchesUnderWay
from agents.providers.batch_api.wire import BatchState, request_line
from agents.providers.clock import Clock
from memory.batch_shelf import AskedQuestion

TICKS = 10  # looks without a new question before a batch is put together: a busy loop does not pass for a quiet one
LINE_BYTES = 160  # of a request's line beside the question itself
HOUR = 3600.0  # seconds
LONGEST_POST = 30.0  # seconds that the end waits for the answer to "make this batch"


@dataclass(eq=False)
class _Waiting:
    """A question, and whoever waits for its line."""

    asked: AskedQuestion
    body: bytes
    line: "asyncio.Future[str]"
    batches: int = 0  # that it has been in
    put_off: ProviderError | None = None  # what the last one said of it

    def fail(self, error: BaseException) -> None:
        if not self.line.done():
            self.line.set_exception(error)
            self.line.exception()  # whoever waited for it may have gone


_Some = dict[str, _Waiting]  # by question


@dataclass
class BatchDesk:
    """Answers questions by way of batches; one that the shelf knows is never submitted again.

    When the run is asked to stop, `clock` says so: whoever waits is told at once, and nothing new is submitted.
    """

    courier: BatchCourier
    shelf: Shelf
    pace: BatchPace
    clock: Clock
    _waiting: _Some = field(default_factory=dict)  # all of them
    _gathered: _Some = field(default_factory=dict)
    _under_way: dict[str, _Some] = field(default_factory=dict)  # by the submission's token
    _states: dict[str, BatchState] = field(default_factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _posting: set["asyncio.Task[None] | None"] = field(default_factory=set)
    _gathering: bool = False
    _watching: bool = False  # for the wish to stop
    _arrived: int = 0
    _bytes: int = 0  # of the gathered questions

    @property
    def state(self) -> BatchesUnderWay:
        """What waits at the moment."""
        states = self._states.values()
        return BatchesUnderWay(
            batches=len(self._states),
            # The provider counts a batch's questions when it has begun with it.
            questions=sum(max(state.total, len(self._under_way[token])) for token, state in self._states.items()),
            answered=sum(state.completed + state.failed for state in states),
            gathering=len(self._gathered),
        )

    async def answer(self, asked: AskedQuestion, body: bytes) -> str:
        """Return the line that answers a question; `CallFailed` where batch after batch gave none."""
        waiting = self._waiting.get(asked.question)
        if waiting is None:
            if not self._watching:
                self._watching = True
                self._start(self._watched(), self._waiting)
            waiting = _Waiting(asked, body, asyncio.get_running_loop().create_future())
            self._waiting[asked.question] = waiting
            waiting.line.add_done_callback(lambda _: self._waiting.pop(asked.question, None))
            self._admit(waiting)
        return await asyncio.shield(waiting.line)

    async def drop(self, question: str) -> None:
        """Forget a line that is of no use: asked again, its question goes into another batch."""
        shelved = self.shelf.look(question)
        if shelved is not None:
            await self.shelf.drop(shelved.token, question)

    async def aclose(self) -> None:
        """End all waiting; what was submitted stays with the provider, and what was being submitted is told apart."""
        posting = {task for task in self._posting if task is not None}
        for task in self._tasks - posting:
            task.cancel()
        if posting:
            _, late = await asyncio.wait(posting, timeout=LONGEST_POST)
            for task in late:
                task.cancel()
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.shelf.tidy()

    def progressed(self, token: str, state: BatchState) -> None:
        """Hear how far a submission is."""
        self._states[token] = state

    def answered(self, token: str, results: Mapping[str, str]) -> None:
        """Hand out lines that are on the shelf."""
        under_way = self._under_way.get(token, {})
        for question, line in results.items():
            waiting = under_way.pop(question, None)
            if waiting is not None and not waiting.line.done():
                waiting.line.set_result(line)

    def put_off(self, token: str, question: str, error: ProviderError) -> None:
        """Remember why a question has to go into another batch."""
        if waiting := self._under_way.get(token, {}).get(question):
            waiting.put_off = error

    def _admit(self, waiting: _Waiting) -> None:
        """Answer from the shelf, wait for what is under way, or gather for the next batch."""
        shelved = self.shelf.look(waiting.asked.question)
        if shelved is None:
            self._gather(waiting)
        elif shelved.result is not None:
            waiting.line.set_result(shelved.result)
        else:
            waiting.batches += 1
            if shelved.token not in self._under_way:
                self._under_way[shelved.token] = {}
                self._start(self._followed(shelved.token), self._under_way[shelved.token])
            self._under_way[shelved.token][waiting.asked.question] = waiting

    def _gather(self, waiting: _Waiting) -> None:
        self._gathered[waiting.asked.question] = waiting
        self._arrived += 1
        self._bytes += len(waiting.body) + LINE_BYTES
        if not self._gathering:
            self._gathering = True
            self._start(self._batched(), self._gathered)

    async def _batched(self) -> None:
        """Put batches together and have them submitted until nothing is gathered any more."""
        try:
            while self._gathered:
                await self._quiet()
                batch = self._taken()
                self._start(self._submitted(batch), batch)
        finally:
            self._gathering = False

    async def _quiet(self) -> None:
        """Return when no question has come for a while, or a batch is full."""
        quiet, seen = 0, self._arrived
        while quiet < TICKS and self._bytes < self.pace.bytes and len(self._gathered) < self.pace.requests:
            await self.clock.sleep(self.pace.settle_seconds / TICKS)
            quiet = quiet + 1 if self._arrived == seen else 0
            seen = self._arrived

    def _taken(self) -> _Some:
        """Take out what fits into one batch, in the order in which it came."""
        batch: _Some = {}
        size = 0
        for question, waiting in islice(self._gathered.items(), self.pace.requests):
            size += len(waiting.body) + LINE_BYTES
            if batch and size > self.pace.bytes:
                break
            batch[question] = waiting
        for question, waiting in batch.items():
            del self._gathered[question]
            self._bytes -= len(waiting.body) + LINE_BYTES
        return batch

    async def _submitted(self, batch: _Some) -> None:
        token = uuid4().hex
        mine = await self.shelf.prepare(token, [one.asked for one in batch.values()], self.pace.lease_seconds)
        for question in [question for question in batch if question not in mine]:
            self._admit(batch.pop(question))  # another process was faster
        if not batch:
            return
        for waiting in batch.values():
            waiting.batches += 1
        self._under_way[token] = batch
        try:
            await self._made(token, batch)
        except BaseException:
            del self._under_way[token]  # nobody follows it
            raise
        self._start(self._followed(token), batch)

    async def _made(self, token: str, batch: _Some) -> None:
        content = b"".join(request_line(question, token, one.body) for question, one in batch.items())
        file = await self.courier.upload(token, content)
        task = asyncio.current_task()
        self._posting.add(task)
        try:
            await self.courier.submit(token, file)
        finally:
            self._posting.discard(task)

    async def _followed(self, token: str) -> None:
        try:
            await self.courier.follow(token, self)
        finally:
            self._states.pop(token, None)
            left = self._under_way.pop(token, {})
        for waiting in left.values():
            if waiting.batches < self.pace.batches:
                self._admit(waiting)
            else:
                said = f": {waiting.put_off}" if waiting.put_off else ""
                text = f"no answer in {waiting.batches} batches{said}"
                waiting.fail(CallFailed(text, kind=FailureKind.OVERLOADED))

    async def _watched(self) -> None:
        """Raise, to all who wait, what the clock does when the run is asked to stop."""
        try:
            while True:
                await self.clock.sleep(HOUR)
        finally:
            self._watching = False

    def _start(self, work: Coroutine[object, object, None], waiting: _Some) -> None:
        """Begin some work; what ends it ill is told to those who wait for it."""

        def ended(task: "asyncio.Task[None]") -> None:
            self._tasks.discard(task)
            error = None if task.cancelled() else task.exception()
            if error is not None:
                for one in list(waiting.values()):
                    one.fail(error)

        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(ended)
