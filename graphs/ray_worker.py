"""A worker on a Ray cluster: opened once in its process, then piece after piece, several at a time."""

import asyncio
import pickle
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from agents.resilience.shared_limits import Asked, Portion, SharedLimits
from agents.shared_questions import InTurn, SharedQuestions, TurnsGiven, TurnsWanted
from agents.spending.prices import Price
from agents.spending.shared_budget import SharedBudget
from agents.spending.treasury import Grant, Wish
from agents.stopping import Stop
from graphs.piece_bench import Bench
from graphs.piece_ends import PieceEnd, Tally
from graphs.rare_collections import rare_collections
from graphs.ray_treasury import Report
from memory.catalog_pieces import Piece
from memory.errors import ReaseqError
from memory.owners import Owner
from memory.turns import free_leases, process_of

T = TypeVar("T")
TELL_SECONDS = 0.5  # between two reports
ASK_AGAIN = 0.2  # seconds, while the treasury knows nothing yet

Rows = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Shared:
    """What a worker shares with the others: made for it, asked over the cluster."""

    stop: Stop
    budget: Callable[[Price | None, bool, bool], SharedBudget]  # money limited, tokens limited
    limits: Callable[[str], SharedLimits]
    in_turn: InTurn


Opener = Callable[[Any, Shared], AbstractAsyncContextManager[Bench]]


class PieceWorker:
    """What Ray Data keeps in each process of its pool. `opener` makes a bench of the assignment that all get."""

    def __init__(self, treasury: Any, opener: Opener) -> None:
        self._treasury, self._opener = treasury, opener
        self._opening: asyncio.Future[Bench] | None = None
        self._open = AsyncExitStack()
        self._process = process_of(str(Owner.present()))
        self._stop = Stop()
        self._budget: SharedBudget | None = None
        self._questions = SharedQuestions(self._process, self._take, self._stop)
        self._under_way: dict[int, Tally] = {}
        self._telling: asyncio.Task[None] | None = None

    async def __call__(self, rows: Rows) -> dict[str, list[str]]:
        """Work a piece off; one row in, one row out."""
        piece = Piece.model_validate_json(rows["piece"][0])
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._opened())
        try:
            bench = await asyncio.shield(self._opening)
        except ReaseqError as error:
            return _told(Tally(piece.number).end(whole=False, problem=str(error)))
        redone = await self._asked(lambda: self._treasury.begin.remote(piece.number))
        tally = self._under_way[piece.number] = Tally(piece.number)
        try:
            end = await bench.work(piece, tally, redone=redone)
            await bench.ledger.flush()
            spent = {"process": self._process, "spend": bench.ledger.spend, "cpu_seconds": time.process_time()}
            return _told(end.model_copy(update=spent))
        finally:
            del self._under_way[piece.number]

    async def _opened(self) -> Bench:
        assignment = pickle.loads(await self._asked(self._treasury.assignment.remote))  # noqa: S301 - the driver's
        self._open.enter_context(rare_collections())
        bench = await self._open.enter_async_context(self._opener(assignment, self._shared()))
        lost = await self._asked(lambda: self._treasury.register.remote(self._report(bench)))
        await bench.ledger.write(lambda session: free_leases(session, bench.settings.version_id, lost))
        self._telling = asyncio.create_task(self._keep_telling(bench))
        return bench

    async def _keep_telling(self, bench: Bench) -> None:
        """Report, and hear whether to stop; the bench's budget and questions are reported too."""
        while True:
            await asyncio.sleep(TELL_SECONDS)
            if await self._asked(lambda: self._treasury.report.remote(self._report(bench))):
                self._stop.wish()
            if self._budget is not None:
                await self._budget.report()
            await self._questions.report()

    def _report(self, bench: Bench) -> Report:
        import ray  # noqa: PLC0415 - of the extra `ray`

        where = ray.get_runtime_context()
        return Report(
            actor=where.get_actor_id() or "",
            process=self._process,
            node=where.get_node_id(),
            spend=bench.ledger.spend,
            rate=bench.rate(),
            cpu_seconds=time.process_time(),
            under_way={number: tally.so_far for number, tally in self._under_way.items()},
        )

    def _shared(self) -> Shared:
        def budget(price: Price | None, money: bool, tokens: bool) -> SharedBudget:
            self._budget = SharedBudget(self._process, self._spend, price=price, limited=(money, tokens))
            return self._budget

        return Shared(self._stop, budget, self._limits, self._questions.turn)

    def _limits(self, office: str) -> SharedLimits:
        async def ask(asked: Asked) -> Portion:
            return await self._asked(lambda: self._treasury.send.remote(office, asked))

        return SharedLimits(ask, time.monotonic)

    async def _spend(self, wish: Wish) -> Grant:
        return await self._asked(lambda: self._treasury.spend.remote(wish))

    async def _take(self, wanted: TurnsWanted) -> TurnsGiven:
        return await self._asked(lambda: self._treasury.take.remote(wanted))

    async def _asked(self, question: Callable[[], Awaitable[T | None]]) -> T:
        """Return the treasury's answer; one that has just begun anew is asked until it knows."""
        from ray.exceptions import RayActorError  # noqa: PLC0415 - of the extra `ray`

        while True:
            try:
                answer = await question()
            except RayActorError:
                answer = None
            if answer is not None:
                return answer
            await asyncio.sleep(ASK_AGAIN)


def _told(end: PieceEnd) -> dict[str, list[str]]:
    return {"end": [end.model_dump_json()]}
