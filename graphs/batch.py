"""Many items through the graph: leased in chunks, a bounded number at a time, each ending in one stored outcome."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from uuid import uuid4

from agents.onlooker import NOBODY, Onlooker
from agents.providers.base import (
    AuthenticationFailed,
    CallFailed,
    ModelNotFound,
    ProviderUnavailable,
    QuotaExhausted,
)
from agents.resilience.admission import TROUBLE
from agents.spending.budget import BudgetSpent
from agents.stopping import RunStopped, Stop
from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph
from graphs.human_decisions import finish_reviewed
from graphs.outcomes import Enriched, Failed, Outcome, Skipped, reason_of
from graphs.rare_collections import rare_collections
from graphs.single_item import enrich_item
from memory.catalog import RejectedRow
from memory.database import Database, DatabaseBusy, DatabaseFull, DatabaseUnreadable
from memory.errors import ReaseqError
from memory.items import item_of
from memory.ledger import Ledger
from memory.outcomes import save_rejected_rows
from memory.schema import CatalogItem
from memory.work import Claimed, FencedOff, claim, fail, release, renew

BUSY_SECONDS = 5.0  # between two looks at what other processes are doing
LOOK_SECONDS = 1.0  # between two looks whether the run is to stop, while no item ends

logger = logging.getLogger(__name__)

# The whole run stops with these: the next item would meet the same.
SYSTEMIC = (
    AuthenticationFailed,
    BudgetSpent,
    DatabaseBusy,
    DatabaseFull,
    DatabaseUnreadable,
    ModelNotFound,
    ProviderUnavailable,
    QuotaExhausted,
)


@dataclass(frozen=True)
class _Suspect:
    """A failure that may be an outage's and not its item's; no item that began after `at` has been answered yet."""

    claimed: Claimed
    error: CallFailed
    at: float  # seconds, monotonic


@dataclass(frozen=True)
class BatchSettings:
    """What one run may do at once, and what it does again."""

    version_id: int
    owner: str  # of the leases; another process has another
    concurrency: int = 1
    again: bool = False  # also what is done already
    retry_failed: bool = False
    claim_size: int = 64  # rows leased in one transaction
    lease_seconds: float = 120.0
    grace_seconds: float = 25.0  # for calls in flight once the run is asked to stop


class Batch:
    """One run over a catalog.

    It holds the rows that are on their way and those leased ahead, never the catalog. A failure that would meet every
    item stops the run: nothing new is begun, what is in flight is stored, the rest is given back, and the failure is
    raised at the end. An item that the server's own trouble ended is failed once a later item has been answered: in an
    outage it is given back with the rest.
    """

    def __init__(
        self,
        graph: EnrichmentGraph,
        context: EnrichmentContext,
        database: Database,
        ledger: Ledger,
        *,
        settings: BatchSettings,
        stop: Stop | None = None,
        clock: Callable[[], float] = time.time,
        onlooker: Onlooker = NOBODY,
    ) -> None:
        self._graph, self._context, self._settings = graph, context, settings
        self._database, self._ledger = database, ledger
        self._stop = stop or Stop()
        self._clock = clock
        self._onlooker = onlooker
        self._leased: deque[Claimed] = deque()
        self._busy: list[str] = []
        self._pending: set[asyncio.Task[Outcome | None]] = set()
        self._just_ended: deque[asyncio.Task[Outcome | None]] = deque()
        self._some_ended = asyncio.Event()
        self._problem: ReaseqError | None = None
        self._suspects: list[_Suspect] = []
        self._answered_since = float("-inf")  # when the last begun of the items that were answered began

    async def outcomes(self, rows: Iterable[CatalogItem | RejectedRow]) -> AsyncIterator[Outcome]:
        """Yield one outcome a row, each stored before it is yielded."""
        heartbeat = asyncio.create_task(self._keep_leases())
        with rare_collections():
            try:
                async for outcome in self._worked_off(iter(rows)):
                    yield outcome
                while self._busy and await self._waited():
                    async for outcome in self._worked_off(self._still_busy()):
                        yield outcome
            finally:
                heartbeat.cancel()
                for task in self._pending:
                    task.cancel()
                await asyncio.gather(heartbeat, *self._pending, return_exceptions=True)
                await self._ledger.write(lambda session: release(session, *self._mine))
        if self._problem:
            raise self._problem

    @property
    def elsewhere(self) -> int:
        """How many items another process has leased; they are waited for at the end, should it die."""
        return len(self._busy)

    @property
    def _mine(self) -> tuple[int, str]:
        return self._settings.version_id, self._settings.owner

    async def _worked_off(self, rows: Iterator[CatalogItem | RejectedRow]) -> AsyncIterator[Outcome]:
        exhausted = False
        stop_by: float | None = None
        while not (exhausted or self._stop.wished) or self._leased or self._pending:
            if self._stop.wished:
                self._leased.clear()  # they are given back at the end
                stop_by = stop_by or time.monotonic() + self._settings.grace_seconds
                if not self._pending or time.monotonic() > stop_by:
                    return
            elif not self._leased and not exhausted and len(self._pending) < self._settings.concurrency:
                chunk = list(islice(rows, self._settings.claim_size))
                exhausted = len(chunk) < self._settings.claim_size
                for outcome in await self._claim(chunk):
                    yield outcome
            self._start()
            more = not (exhausted or self._stop.wished) and len(self._pending) < self._settings.concurrency
            for outcome in await self._ended(wait=not more):
                yield outcome
        for outcome in [] if self._stop.wished else await self._cleared(float("inf")):
            yield outcome

    async def _claim(self, chunk: Sequence[CatalogItem | RejectedRow]) -> list[Outcome]:
        """Lease what is to be done; return what is settled already."""
        rejected = [row for row in chunk if isinstance(row, RejectedRow)]
        if rejected:
            await self._ledger.write(lambda session: save_rejected_rows(session, rejected))
        items = [row for row in chunk if not isinstance(row, RejectedRow)]
        now, settings = self._clock(), self._settings
        claims = await self._ledger.write(
            lambda session: claim(
                session,
                settings.version_id,
                items,
                settings.owner,
                now,
                settings.lease_seconds,
                again=settings.again,
                retry_failed=settings.retry_failed,
            )
        )
        self._leased.extend(claims.claimed)
        self._busy.extend(item.id for item in claims.busy)
        done = [Skipped(item.id, "done") for item in claims.done]
        return [*rejected, *done, *(Skipped(item.id, "failed before") for item in claims.failed)]

    def _start(self) -> None:
        while self._leased and len(self._pending) < self._settings.concurrency:
            task = asyncio.create_task(self._done(self._leased.popleft()))
            task.add_done_callback(self._note_end)
            self._pending.add(task)

    def _note_end(self, task: asyncio.Task[Outcome | None]) -> None:
        # Each task tells its own end: `asyncio.wait` would tell all that are pending, for each that ends.
        if not task.cancelled():
            task.exception()  # the first is raised by `_ended`; that of another is nobody's to miss
        self._just_ended.append(task)
        self._some_ended.set()

    async def _ended(self, *, wait: bool) -> list[Outcome]:
        """Return the outcomes of items that have ended; waits for the first, but not long, so that a stop is seen."""
        if wait and self._pending and not self._just_ended:
            self._some_ended.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._some_ended.wait()
        ended = [self._just_ended.popleft() for _ in range(len(self._just_ended))]
        self._pending.difference_update(ended)
        outcomes = [outcome for task in ended if (outcome := task.result()) is not None]
        return [*outcomes, *await self._cleared(self._answered_since)]

    async def _cleared(self, since: float) -> list[Outcome]:
        """Fail the suspects that failed before `since`: the server was there, so they are to blame."""
        cleared = [suspect for suspect in self._suspects if suspect.at <= since]
        self._suspects = [suspect for suspect in self._suspects if suspect.at > since]
        return [await self._failed(one.claimed, reason_of(one.error), str(one.error)) for one in cleared]

    async def _done(self, claimed: Claimed) -> Outcome | None:
        """Enrich one item and store the outcome; the one place where a failure becomes a stored reason."""
        began = time.monotonic()
        try:
            with self._onlooker.item(claimed.item.id) as enriched:
                enrichment = await enrich_item(self._graph, claimed.item, self._context)
                self._answered_since = max(self._answered_since, began)
                await self._ledger.write_together(finish_reviewed, (claimed, enrichment))
                enriched(enrichment)
            return Enriched(claimed.item, enrichment)
        except RunStopped:
            return None
        except FencedOff:
            return Skipped(claimed.item.id, "taken over")
        except SYSTEMIC as error:
            self._problem = self._problem or error
            self._stop.wish()
            return None
        except ReaseqError as error:
            return await self._blamed(claimed, error)
        except Exception as error:
            trace_id = uuid4().hex
            logger.exception("item %r failed; trace id %s", claimed.item.id, trace_id)
            detail = f"{type(error).__name__}: {error} (trace id {trace_id})"
            return await self._failed(claimed, "internal", detail)

    async def _blamed(self, claimed: Claimed, error: ReaseqError) -> Outcome | None:
        """Fail the item, unless the server may be to blame."""
        if isinstance(error, CallFailed) and error.kind in TROUBLE:
            self._suspects.append(_Suspect(claimed, error, time.monotonic()))
            return None
        return await self._failed(claimed, reason_of(error), str(error))

    async def _failed(self, claimed: Claimed, reason: str, detail: str) -> Outcome:
        try:
            await self._ledger.write(lambda session: fail(session, claimed, reason, detail))
        except FencedOff:
            return Skipped(claimed.item.id, "taken over")
        return Failed(claimed.item, reason, detail)

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            now, seconds = self._clock(), self._settings.lease_seconds
            await self._ledger.write(lambda session: renew(session, *self._mine, now, seconds))  # noqa: B023

    async def _waited(self) -> bool:
        """Wait a while for the other processes; return whether to look again."""
        try:
            await self._stop.sleep(min(BUSY_SECONDS, self._settings.lease_seconds / 4))
        except RunStopped:
            return False
        return True

    def _still_busy(self) -> Iterator[CatalogItem]:
        """Yield the items that another process had; they are claimed anew, should it have died."""
        ids, self._busy = self._busy, []
        for item_id in ids:
            with self._database.session() as session:
                item = item_of(session, item_id)
            if item is not None:
                yield item
