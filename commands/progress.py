"""How a run shows that it goes on: a live bar on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from commands.output import errors, say
from memory.runs import RunCounts

LINE_EVERY = 10.0  # seconds between plain lines


class RunProgress:
    """Counts finished rows; measures the wall and CPU seconds of the run."""

    def __init__(self, total: int | None) -> None:
        self._total = total
        self._live = errors.is_terminal
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=errors,
        )

    def __enter__(self) -> Self:
        self._started, self._cpu_started, self._said = time.perf_counter(), time.process_time(), time.perf_counter()
        if self._live:
            self._task = self._bar.add_task("enriching", total=self._total)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._bar.stop()

    @property
    def seconds(self) -> float:
        """Wall seconds since the run began."""
        return time.perf_counter() - self._started

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of this process since the run began."""
        return time.process_time() - self._cpu_started

    def advance(self, ended: RunCounts, spent: str = "") -> None:
        """Show how far the run is, what it has spent, and what holds it back."""
        counts = f"{ended.enriched} enriched, {ended.failed} failed, {ended.rejected} rejected"
        counts += f", {ended.skipped} done before" if ended.skipped else ""
        counts += f"; {spent}" if spent else ""
        if self._live:
            self._bar.update(self._task, completed=sum(dict(ended).values()), description=counts)
        elif time.perf_counter() - self._said >= LINE_EVERY:
            self._said = time.perf_counter()
            say(f"{counts} of {self._total or '?'} after {self.seconds:.0f} s")
