"""The one run of the process: begun by whoever asks first, watched by every tab, and ended by itself or on request."""

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

import typer

from commands.progress import Standing
from commands.run_options import RunControls
from commands.run_report import RunReport
from commands.run_watch import Watch
from memory.errors import ReaseqError

LOOK_SECONDS = 0.3  # between two looks at where the run stands

Work = Callable[[Watch], Coroutine[Any, Any, object]]


class RunUnderWay(ReaseqError):
    """Another run is under way; one process does one at a time."""


@dataclass
class DeskRun:
    """One run: what it is, where it stands, what came of it."""

    title: str
    work: Work
    about: str = ""  # what tells it from runs of another kind
    total: int | None = None
    standing: Standing | None = None  # None: it is being opened
    outcome: object = None  # what the work returned
    problem: str = ""
    ended: bool = False
    stopping: bool = False
    seconds: float = 0.0
    _loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)
    _controls: RunControls | None = field(default=None, repr=False)
    _report: RunReport | None = field(default=None, repr=False)

    @property
    def report(self) -> RunReport | None:
        """What came of it, where it was a catalog's run and has ended."""
        return self.outcome if isinstance(self.outcome, RunReport) else None

    def stop(self) -> None:
        """Ask it to stop at its ease: what is in flight is stored."""
        self.stopping = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wish)

    def _wish(self) -> None:
        if self._report is not None and self._controls is not None:
            self._report.stopped_by = signal.SIGINT  # as if its user had asked at a terminal
            self._controls.stop.wish()

    @contextmanager
    def watching(self, controls: RunControls, report: RunReport) -> Iterator[None]:
        """Let the run be stopped from other threads."""
        self._loop, self._controls, self._report = asyncio.get_running_loop(), controls, report
        if self.stopping:  # asked for while it was opened
            self._wish()
        try:
            yield
        finally:
            self._loop = None


class DeskWatch:
    """How the desk watches a run: it looks now and then, for the pages to read."""

    def __init__(self, run: DeskRun) -> None:
        self._run = run
        self._standing: Callable[[], Standing] | None = None
        self._started, self._cpu_started = time.perf_counter(), time.process_time()

    def stopping(self, controls: RunControls, report: RunReport) -> AbstractContextManager[None]:
        """Return what lets the run be stopped."""
        return self._run.watching(controls, report)

    def progress(self, total: int | None, standing: Callable[[], Standing]) -> Self:
        """Return this, to be entered."""
        self._run.total, self._standing = total, standing
        return self

    def __enter__(self) -> Self:
        self._started, self._cpu_started = time.perf_counter(), time.process_time()
        self._look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._look()

    @property
    def seconds(self) -> float:
        """Wall seconds since the run began."""
        return time.perf_counter() - self._started

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of this process since then, those of the pages too."""
        return time.process_time() - self._cpu_started

    async def keep_telling(self) -> None:
        """Look now and then; ends by being cancelled."""
        while True:
            self._look()
            await asyncio.sleep(LOOK_SECONDS)

    def _look(self) -> None:
        if self._standing is not None:
            now = self._standing()
            self._run.standing = now._replace(failed=dict(now.failed))
            self._run.seconds = self.seconds


class RunDesk:
    """Where runs are asked for: ten requests at once begin one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._thread: Thread | None = None
        self.run: DeskRun | None = None  # the present one, else the last

    def begin(self, run: DeskRun) -> DeskRun:
        """Begin a run in a thread of its own; `RunUnderWay` where there is one."""
        with self._lock:
            if self.run is not None and not self.run.ended:
                raise RunUnderWay(f"{self.run.title} is under way: stop it first, or wait for its end")
            self.run = run
            self._thread = Thread(target=_work, args=(run,), name="run", daemon=True)
            self._thread.start()
        return run

    def close(self, patience: float) -> None:
        """Stop the run, if there is one, and wait for it so many seconds."""
        if self.run is not None and self._thread is not None and not self.run.ended:
            self.run.stop()
            self._thread.join(patience)


def _work(run: DeskRun) -> None:
    try:
        run.outcome = asyncio.run(run.work(DeskWatch(run)))
    except (ReaseqError, OSError) as error:
        run.problem = str(error)
    except typer.Exit:  # how an evaluation ends that was asked to stop
        run.problem = "stopped; the same run goes on where it was"
    finally:
        if run.outcome is None and not run.problem:  # what nobody foresaw; the log has it
            run.problem = "it ended by an error of the program: the log of the studio says which"
        run.ended = True
