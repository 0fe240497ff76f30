"""Who watches a run: how it is shown, and how it is asked to stop; at a terminal by signals."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Protocol, Self

from commands.output import say
from commands.progress import RunProgress, Standing
from commands.run_options import RunControls
from commands.run_report import RunReport

STOPPING = "stopping: what is in flight is stored, nothing new is begun (once more: now). The same command resumes."
STOPPING_BATCHES = (
    "stopping: nothing new is submitted; what is submitted stays with the provider, goes on there and costs what it"
    " costs. The same command finds it again."
)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Progress(Protocol):
    """Shows where a run stands while it is entered; measures its seconds."""

    @property
    def seconds(self) -> float:
        """Wall seconds since the run began."""

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds since then."""

    async def keep_telling(self) -> None:
        """Tell where the run stands now and then; ends by being cancelled."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Watch(Protocol):
    """Who watches a run, and may ask it to stop."""

    def stopping(self, controls: RunControls, report: RunReport) -> AbstractContextManager[None]:
        """Return what lets the run be stopped while it is entered."""

    def progress(self, total: int | None, standing: Callable[[], Standing]) -> Progress:
        """Return what shows where the run stands."""


class TerminalWatch:
    """A person at a terminal: signals stop the run, progress is shown on standard error."""

    def stopping(self, controls: RunControls, report: RunReport) -> AbstractContextManager[None]:
        """Return what lets signals stop the run."""
        return stopping_on_signals(controls, report)

    def progress(self, total: int | None, standing: Callable[[], Standing]) -> Progress:
        """Return the live view, or plain lines."""
        return RunProgress(total, standing)


@contextmanager
def stopping_on_signals(controls: RunControls, report: RunReport) -> Iterator[None]:
    """Let the first signal stop the run at its ease, and the second at once."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    stop = controls.stop

    def asked(number: int) -> None:
        if stop.wished and task is not None:
            say("stopping now; answers that came are stored")
            task.cancel()
            return
        report.stopped_by = number
        stop.wish()
        say(STOPPING_BATCHES if controls.provider_batch else STOPPING)

    for number in SIGNALS:
        loop.add_signal_handler(number, asked, number)
    try:
        yield
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
