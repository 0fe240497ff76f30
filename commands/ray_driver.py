"""A run on Ray as its driver sees it: pieces' ends are counted, workers looked at, and lost ones' leases freed."""

import asyncio
import pickle
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from agents.spending.treasury import Amount
from commands.catalog_run import ended
from commands.progress import Standing
from commands.ray_sums import all_rates, counts_with, spend_of_both
from commands.ray_workshop import Assignment, bench_of
from commands.run_options import RunControls, RunOptions
from commands.run_report import SHOWN_ITEMS, RunReport
from commands.settings import Settings
from commands.workshop import Workshop
from graphs.piece_ends import PieceEnd
from graphs.ray_cluster import nodes_alive
from graphs.ray_treasury import Known, Limits, Place, Report
from memory.ledger import Spend
from memory.owners import has_ended
from memory.runs import RunCounts, run_of
from memory.store import enrichment_of
from memory.turns import free_leases

if TYPE_CHECKING:
    from graphs.ray_plan import Source

LOOK_SECONDS = 0.5  # between two looks at where the workers stand
PATIENCE = 40.0  # seconds for the workers to end what is under way, once the run is to stop


class Order(NamedTuple):
    """What a run is to do, and with what."""

    workshop: Workshop
    settings: Settings
    options: RunOptions
    controls: RunControls
    report: RunReport
    version_id: int
    files: list[str]
    workers: int


class RayRun:
    """A run as the driver sees it: the truth is what pieces' ends and the knowledge base say, the rest is a view."""

    def __init__(self, order: Order) -> None:
        from graphs.ray_engine import at_once, treasury_on_this_node  # noqa: PLC0415 - Ray Data is of an extra

        settings, options = order.settings, order.options
        self.workshop, self.controls, self.report = order.workshop, order.controls, order.report
        self.version_id = order.version_id
        self.problem = ""
        self.over = False
        self._settings, self._options, self._workers, self._files = settings, options, order.workers, order.files
        self._ended = bytearray()  # a byte a piece, 1 where it has ended
        self._last: dict[str, Report | PieceEnd] = {}  # of each process that ever was, what it said last
        self._known: Known | None = None
        self._total: int | None = None
        self._at_work = asyncio.Event()
        self._freed: set[str] = set()
        self._shown: list[str] = []
        self._treasury = treasury_on_this_node()
        self._limits = _limits(order, at_once(settings.concurrency) * order.workers)
        self._assignment = pickle.dumps(self._assigned())
        self._place = Place(kb=settings.kb, durability=settings.durability, version_id=order.version_id)

    def _assigned(self) -> Assignment:
        with self.workshop.database.session() as session:
            run = run_of(session, self.report.run_id or 0)
        return Assignment(
            settings=self._settings,
            options=self._options,
            run_id=run.id,
            version_id=self.version_id,
            run_began=run.started_at,
            price=self.controls.price,
            escalation_price=self.controls.escalation_price,
        )

    async def one_pass(self) -> None:
        """Have all pieces worked off that have not ended; a second pass finds nothing, unless something was lost."""
        arriving: asyncio.Queue[PieceEnd | BaseException | None] = asyncio.Queue()
        Thread(target=self._iterate, args=(asyncio.get_running_loop(), arriving), daemon=True).start()
        while (end := await self._next(arriving)) is not None:
            if isinstance(end, BaseException):
                raise end
            self._take(end)
        known = await self._look()
        self.over = known.planned is not None and sum(self._ended) == known.planned

    def _iterate(self, loop: asyncio.AbstractEventLoop, arriving: "asyncio.Queue[Any]") -> None:
        from graphs.ray_engine import ends  # noqa: PLC0415 - as above

        source = self._source()
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            try:
                for end in ends(
                    source,
                    self._treasury,
                    bench_of,
                    workers=self._workers,
                    concurrency=self._settings.concurrency,
                ):
                    loop.call_soon_threadsafe(arriving.put_nowait, end)
            except BaseException as error:  # noqa: BLE001 - it is raised where the run waits
                loop.call_soon_threadsafe(arriving.put_nowait, error)
            else:
                loop.call_soon_threadsafe(arriving.put_nowait, None)

    def _source(self) -> "Source":
        from graphs.ray_plan import Source  # noqa: PLC0415 - as above

        options = self._options
        return Source(
            files=tuple(self._files),
            columns=options.columns,
            limit=options.limit,
            ended=bytes(self._ended),
            resumed=not options.fresh,
        )

    async def _next(
        self, arriving: "asyncio.Queue[PieceEnd | BaseException | None]"
    ) -> PieceEnd | BaseException | None:
        """Return the next piece's end; None at the end, and where the run is to stop and nothing ends any more."""
        waited = 0.0
        while waited < PATIENCE:
            try:
                async with asyncio.timeout(1.0):
                    return await arriving.get()
            except TimeoutError:
                waited = waited + 1.0 if self.controls.stop.wished else 0.0
        return None

    def _take(self, end: PieceEnd) -> None:
        """Count a piece, once."""
        self._last[end.process] = end
        if end.problem:
            self.problem = self.problem or end.problem
            self.controls.stop.wish()
        if end.number < len(self._ended) and self._ended[end.number]:
            return
        self.report.add(end)
        self._shown.extend(end.shown[: SHOWN_ITEMS - len(self._shown)])
        if end.whole:
            self._ended.extend(bytes(max(0, end.number + 1 - len(self._ended))))
            self._ended[end.number] = 1
        self._treasury.end.remote(end.number)

    async def keep_counting(self) -> None:
        """Count the catalog's rows once workers are at it: for the view alone, so that nobody waits for it."""
        from graphs.ray_engine import rows_in_all  # noqa: PLC0415 - as above

        await self._at_work.wait()
        self._total = await rows_in_all(self._source())

    async def keep_looking(self) -> None:
        """Look where the workers stand, pass the wish to stop on, and free what a lost worker had leased."""
        while True:
            known = await self._look()
            for report in known.reports.values():
                self._last[report.process] = report
                self._at_work.set()
            if self.controls.stop.wished:
                self._treasury.stop.remote()
            await self._free_what_is_lost(known)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> Known:
        """Return what the treasury knows; one that has just begun is told first."""
        from ray.exceptions import RayActorError  # noqa: PLC0415 - of the extra `ray`

        while True:
            with suppress(RayActorError):
                known: Known | None = await self._treasury.look.remote()
                if known is not None:
                    self._known = known
                    return known
                spent = self.spend_by_ledger()
                in_ledger = Amount(money=spent.cost, tokens=spent.usage.prompt_tokens + spent.usage.completion_tokens)
                await self._treasury.entrust.remote(self._assignment, self._place, self._limits, self._known, in_ledger)
            await asyncio.sleep(LOOK_SECONDS / 5)

    async def _free_what_is_lost(self, known: Known) -> None:
        alive = nodes_alive()
        lost = set(known.lost)
        for process, report in known.reports.items():
            if report.node not in alive or has_ended(f"{process}:"):
                self._treasury.lose.remote(process)
                lost.add(process)
        if lost - self._freed:
            await self.workshop.ledger.write(lambda session: free_leases(session, self.version_id, lost))
            self._freed |= lost

    @property
    def counts(self) -> RunCounts:
        """Return where the rows ended, those of pieces under way included."""
        counts = self.report.counts
        ended_ = self._ended
        for said in self._last.values():
            under_way = said.under_way if isinstance(said, Report) else {}
            for number, so_far in under_way.items():
                if number >= len(ended_) or not ended_[number]:
                    counts = counts_with(counts, so_far)
        return counts

    @property
    def standing(self) -> Standing:
        """Return where the run stands, summed over its workers."""
        spend = Spend()
        for said in self._last.values():
            spend = spend_of_both(spend, said.spend)
        states = [report.rate for report in (self._known.reports.values() if self._known else ()) if report.rate]
        return Standing(self.counts, self.report.failed, spend, all_rates(states), total=self._total)

    @property
    def workers_cpu_seconds(self) -> float:
        """CPU seconds of all workers there were."""
        return sum(said.cpu_seconds for said in self._last.values())

    def close(self) -> None:
        """Complete the report by what the knowledge base says, and store how the run ended."""
        self.report.spend = self.spend_by_ledger()
        with self.workshop.database.session() as session:
            known = (enrichment_of(session, item_id, self.version_id) for item_id in self._shown)
            self.report.shown.extend((one.item, one.enrichment) for one in known if one is not None)
        ended(self.workshop, self.version_id, self.report)

    def spend_by_ledger(self) -> Spend:
        """Return what the run has paid as its ledger says it, lost workers' calls included."""
        with self.workshop.database.session() as session:
            run = run_of(session, self.report.run_id or 0)
        replayed = Spend()
        for said in self._last.values():
            replayed = spend_of_both(replayed, said.spend)
        return Spend(
            calls=run.calls,
            usage=run.usage,
            cost=run.cost,
            unpriced=run.unpriced,
            replayed=replayed.replayed,
            replayed_usage=replayed.replayed_usage,
        )


def _limits(order: Order, pieces: int) -> Limits:
    settings, options = order.settings, order.options
    return Limits(
        money=options.budget,
        tokens=options.max_tokens,
        requests_per_minute=settings.requests_per_minute,
        tokens_per_minute=settings.tokens_per_minute,
        pieces=pieces,
    )
