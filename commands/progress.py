"""How a run shows that it goes on: a live view on a terminal, plain lines elsewhere."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from agents.providers.batch_api.under_way import BatchesUnderWay
from agents.providers.server_state import ServerState
from agents.resilience.admission import RateState
from agents.resilience.breaker import BreakerState
from commands.output import errors, say
from memory.ledger import Spend
from memory.runs import RunCounts

LINE_EVERY = 10.0  # seconds between plain lines
LOOK_EVERY = 1.0  # seconds between looks at whether one is due
SHOWN_SERVERS = 8  # of several that serve one model

_BREAKER = {BreakerState.OPEN: "the server is down, calls wait", BreakerState.HALF_OPEN: "trying whether it is back"}


class Standing(NamedTuple):
    """Where a run stands."""

    counts: RunCounts
    failed: Mapping[str, int]  # by reason
    spend: Spend
    rate: RateState
    elsewhere: int = 0  # items that another process has leased, and that are waited for
    batches: BatchesUnderWay | None = None  # where a provider's batches are asked
    total: int | None = None  # rows in all, where that was not known when the run began


class RunProgress:
    """Shows where a run stands, also while nothing ends; measures its wall and CPU seconds."""

    def __init__(self, total: int | None, standing: Callable[[], Standing]) -> None:
        self._total = total
        self._standing = standing
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=errors,
        )
        self._started, self._cpu_started = time.perf_counter(), time.process_time()
        self._task = self._bar.add_task("enriching", total=total)
        self._live = Live(console=errors, get_renderable=self._view) if errors.is_terminal else None

    def __enter__(self) -> Self:
        self._started, self._cpu_started = time.perf_counter(), time.process_time()
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    @property
    def seconds(self) -> float:
        """Wall seconds since the run began."""
        return time.perf_counter() - self._started

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of this process since the run began."""
        return time.process_time() - self._cpu_started

    async def keep_telling(self) -> None:
        """Say a plain line every so often where there is no terminal; ends by being cancelled."""
        last = time.perf_counter()
        while self._live is None:
            await asyncio.sleep(LOOK_EVERY)
            if time.perf_counter() - last >= LINE_EVERY:
                last = time.perf_counter()
                standing = self._standing()
                ended = sum(dict(standing.counts).values())
                left = remaining(ended, standing.total or self._total, self.seconds)
                say(f"{ended} of {left} after {self.seconds:.0f} s: {status(standing, self.seconds)}")

    def _view(self) -> Group:
        """Return what the terminal shows now; the live view asks several times a second."""
        standing = self._standing()
        ended = sum(dict(standing.counts).values())
        self._bar.update(self._task, completed=ended, total=standing.total or self._total)
        return Group(self._bar, Text(status(standing, self.seconds)))


def remaining(ended: int, total: int | None, seconds: float) -> str:
    """Return how many rows there are in all, how many are left, and about how long these will take."""
    if total is None:
        return "?"
    left = max(0, total - ended)
    minutes = left * seconds / ended / 60 if ended else None
    return f"{total} ({left} left)" if minutes is None else f"{total} ({left} left, about {minutes:.0f} min)"


def status(standing: Standing, seconds: float) -> str:
    """Return where a run stands as one line: ends, speed, spending, what holds it back."""
    counts, spend = standing.counts, standing.spend
    worst = max(standing.failed, key=lambda reason: standing.failed[reason], default="")
    skipped = f", {counts.skipped} done before" if counts.skipped else ""
    failed = f"{counts.failed} failed" + (f" (most: {worst}, {standing.failed[worst]})" if worst else "")
    tokens = spend.usage.prompt_tokens + spend.usage.completion_tokens
    unpriced = f" + {spend.unpriced} calls of unknown price" if spend.unpriced else ""
    elsewhere = f", {standing.elsewhere} items leased by other processes" if standing.elsewhere else ""
    speed = (counts.enriched + counts.failed) / seconds if seconds > 0 else 0.0
    return (
        f"{counts.enriched} enriched, {failed}, {counts.rejected} rejected{skipped}, {speed:.1f} items/s; "
        f"{spend.cost:.4f}{unpriced}, {tokens} tokens spent; {held_back(standing.rate, standing.batches)}{elsewhere}"
    )


def held_back(rate: RateState, batches: BatchesUnderWay | None = None) -> str:
    """Return what holds the calls back at the moment."""
    parts = [f"{rate.in_flight} of {rate.allowed} calls in flight"]
    parts += [_in_batches(batches)] if batches else []
    parts += [f"{rate.waiting} waiting"] if rate.waiting else []
    parts += [f"paused by the server for {rate.paused_seconds:.0f} s"] if rate.paused_seconds else []
    parts += [f"{rate.rate_limited} times rate-limited"] if rate.rate_limited else []
    parts += [f"{rate.retries} retries"] if rate.retries else []
    parts += [f"{rate.paid_lost} answers lost"] if rate.paid_lost else []
    parts += [_BREAKER[rate.breaker]] if rate.breaker in _BREAKER else []
    parts += [server_line(rate.servers)] if rate.servers else []
    return ", ".join(parts)


def server_line(servers: Sequence[ServerState]) -> str:
    """Return how several servers stand: the calls on their way to each, and which are put aside, and why."""
    well = sum(not server.aside for server in servers)
    shown = [f"{server.url} {server.aside or f'{server.in_flight} in flight'}" for server in _telling(servers)]
    return f"{well} of {len(servers)} servers well ({', '.join(shown)})"


def _telling(servers: Sequence[ServerState]) -> list[ServerState]:
    """Return the servers that a line has room for; those that are put aside go first."""
    return sorted(servers, key=lambda server: not server.aside)[:SHOWN_SERVERS]


def _in_batches(state: BatchesUnderWay) -> str:
    gathering = f", {state.gathering} questions gathering" if state.gathering else ""
    return f"{state.batches} batches with the provider, {state.answered} of {state.questions} answered{gathering}"
