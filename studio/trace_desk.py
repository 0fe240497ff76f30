"""Single items on their way through the graph: one at a time, in a thread of its own, watched by every tab."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from threading import Lock, Thread

from commands.settings import Settings
from commands.tracing import Manner, replayed, traced
from memory.errors import ReaseqError
from memory.schema import CatalogItem
from memory.trace import Trace, TraceStep
from prompts.library import PromptLibrary


class ItemUnderWay(ReaseqError):
    """Another item is under way; one is traced at a time."""


@dataclass
class TraceJob:
    """One item under way: the node at work, the steps that have ended, the trace once it is whole."""

    item: CatalogItem
    node: str = ""
    steps: list[TraceStep] = field(default_factory=list)
    trace: Trace | None = None
    problem: str = ""
    replay_of: Trace | None = None

    @property
    def ended(self) -> bool:
        """Whether it has ended, well or not."""
        return self.trace is not None or bool(self.problem)


class TraceDesk:
    """Where traces are asked for; ten requests at once begin one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.job: TraceJob | None = None  # the present one, else the last

    def trace(self, settings: Settings, item: CatalogItem, library: PromptLibrary | None = None) -> TraceJob:
        """Begin to trace an item; `ItemUnderWay` where one is on its way."""
        job = TraceJob(item)
        return self._begin(job, lambda: traced(settings, item, library=library, manner=_told(job)))

    def replay(self, settings: Settings, trace: Trace, step: int, library: PromptLibrary | None = None) -> TraceJob:
        """Begin to run a trace again from a step; `ItemUnderWay` where an item is on its way."""
        job = TraceJob(trace.item, steps=list(trace.steps[: step - 1]), replay_of=trace)
        return self._begin(job, lambda: replayed(settings, trace, step, library=library, manner=_told(job)))

    def _begin(self, job: TraceJob, work: Callable[[], AsyncIterator[TraceStep | Trace]]) -> TraceJob:
        with self._lock:
            if self.job is not None and not self.job.ended:
                raise ItemUnderWay(f"item {self.job.item.id} is on its way: wait for its end")
            self.job = job
            Thread(target=_work, args=(job, work), name="trace", daemon=True).start()
        return job


def _told(job: TraceJob) -> Manner:
    return Manner(begun=lambda node: setattr(job, "node", node))


def _work(job: TraceJob, work: Callable[[], AsyncIterator[TraceStep | Trace]]) -> None:
    async def follow() -> None:
        async for seen in work():
            if isinstance(seen, Trace):
                job.trace = seen
            else:
                job.steps.append(seen)

    try:
        asyncio.run(follow())
    except (ReaseqError, OSError) as error:
        job.problem = str(error)
    finally:
        if not job.ended:  # what nobody foresaw; the log has it
            job.problem = "it ended by an error of the program: the log of the studio says which"
