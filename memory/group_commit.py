"""Many small writes in few transactions: one thread commits what waits, and each caller learns its own fate."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlmodel import Session

from memory.database import Database, DatabaseBusy

A = TypeVar("A")
T = TypeVar("T")
Together = Callable[[Session, Sequence[A]], Sequence[T | Exception]]  # many writes as one; what each came to, in order
MOST = 512  # writes in one transaction: more would keep other processes waiting
# Seconds between the beginnings of two transactions: what comes meanwhile is committed together. A write that comes
# after a pause does not wait, and one that does waits for a hundredth of what a model takes to answer.
APART = 0.02


@dataclass
class _Write(Generic[T]):
    """One write on its way, and who waits for it."""

    work: Callable[[Session], T]
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[T]"
    part: tuple[Together[Any, T], Any] | None = None  # what `work` does, where others of its kind can be done with it
    result: T | None = None
    error: BaseException | None = None


class GroupWriter:
    """Commits writes in groups from a thread of its own, in the order they came; the callers' event loop never waits.

    The first write starts the thread. A write whose caller was cancelled is committed all the same.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: SimpleQueue[_Write[Any] | None] = SimpleQueue()
        self._starting = Lock()
        self._thread: Thread | None = None
        self._closed = False

    async def write_together(self, work: Together[A, T], argument: A) -> T:
        """Run `work` once for all the arguments that wait; else as `write`, also where one of them made it fail.

        A result that is an exception is raised to its own caller; what it stands for has then changed nothing.
        """
        return await self._submitted(lambda session: _only(work(session, [argument])), (work, argument))

    async def write(self, work: Callable[[Session], T]) -> T:
        """Run `work` in a transaction and return its result once that is durable; raise its error if it fails.

        It runs in the writer's thread, beside other writes that its failure does not touch. It may be run again when
        its group could not be committed, so it changes nothing but the database.
        """
        return await self._submitted(work, None)

    async def close(self) -> None:
        """Commit what waits, and end the thread."""
        self._closed = True
        if self._thread is not None:
            self._waiting.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    async def _submitted(self, work: Callable[[Session], T], part: tuple[Together[Any, T], Any] | None) -> T:
        if self._closed:
            raise RuntimeError("this writer is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.put(_Write(work, loop, future, part))
        with self._starting:  # event loops of several threads may share a writer
            if self._thread is None:
                self._thread = Thread(target=self._run, name="knowledge base writer", daemon=True)
                self._thread.start()
        return await future

    def _run(self) -> None:
        may_begin = 0.0
        while first := self._waiting.get():
            if not self._closed:
                time.sleep(max(0.0, may_begin - time.monotonic()))
            may_begin = time.monotonic() + APART
            group, last = self._with_what_waits(first)
            try:
                self._commit(group)
            except BaseException as error:  # noqa: BLE001 - a defect here must reach those who wait
                for write in group:
                    write.error = write.error or error
            _tell(group)
            if last:
                return

    def _with_what_waits(self, first: _Write[Any]) -> tuple[list[_Write[Any]], bool]:
        """Return a group, and whether it is the last one."""
        group = [first]
        with suppress(Empty):
            while len(group) < MOST:
                following = self._waiting.get_nowait()
                if following is None:
                    return group, True
                group.append(following)
        return group, False

    def _commit(self, group: Sequence[_Write[Any]]) -> None:
        """Commit the group as one; where that is impossible, each write alone."""
        try:
            self._database.write(lambda session: _run_group(session, group), beside=True)
        except DatabaseBusy as error:
            _fail(group, error)  # the lock was waited for already; waiting again for each write would take minutes
        except Exception as error:  # noqa: BLE001 - each write then meets its own error
            if len(group) == 1:
                _fail(group, error)
                return
            for write in group:
                self._commit([write])


def _run_group(session: Session, group: Sequence[_Write[Any]]) -> None:
    """Run all writes, those of a kind first and together; raise what spoils the whole transaction."""
    for write in group:  # it may be their second time
        write.result = write.error = None
    if len(group) == 1:
        group[0].result = group[0].work(session)
        return
    kinds: defaultdict[Together[Any, Any], list[_Write[Any]]] = defaultdict(list)
    for write in group:
        if write.part:
            kinds[write.part[0]].append(write)
    for work, writes in kinds.items():
        _run_together(session, work, writes)
    for write in group:
        if not write.part:
            _run_one(session, write)


def _run_together(session: Session, work: Together[Any, Any], writes: Sequence[_Write[Any]]) -> None:
    try:
        with session.begin_nested():
            results = work(session, [write.part[1] for write in writes if write.part])
    except Exception as error:
        if _spoils_the_transaction(error):
            raise
        for write in writes:
            _run_one(session, write)
        return
    for write, result in zip(writes, results, strict=True):
        write.result, write.error = (None, result) if isinstance(result, Exception) else (result, None)


def _run_one(session: Session, write: _Write[Any]) -> None:
    try:
        with session.begin_nested():
            write.result = write.work(session)
    except Exception as error:
        if _spoils_the_transaction(error):
            raise
        write.error = error


def _spoils_the_transaction(error: Exception) -> bool:
    """Return whether the database may have rolled everything back, savepoints included, as when the disk is full."""
    return isinstance(error, DatabaseError) and not isinstance(error, IntegrityError)


def _only(results: Sequence[T | Exception]) -> T:
    """Return the one result, or raise it."""
    (result,) = results
    if isinstance(result, Exception):
        raise result
    return result


def _fail(group: Sequence[_Write[Any]], error: BaseException) -> None:
    for write in group:
        write.error = error


def _tell(group: Sequence[_Write[Any]]) -> None:
    """Wake those who wait, each event loop once."""
    loops: defaultdict[asyncio.AbstractEventLoop, list[_Write[Any]]] = defaultdict(list)
    for write in group:
        loops[write.loop].append(write)
    for loop, writes in loops.items():
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            loop.call_soon_threadsafe(_settle, writes)


def _settle(writes: Sequence[_Write[Any]]) -> None:
    for write in writes:
        if write.future.done():  # cancelled
            continue
        if write.error is None:
            write.future.set_result(write.result)
        else:
            write.future.set_exception(write.error)
