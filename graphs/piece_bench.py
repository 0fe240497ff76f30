"""One piece of a catalog through the graph: what ended before is settled, the rest is one batch."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from agents.onlooker import NOBODY, Onlooker
from agents.resilience.admission import RateState
from agents.stopping import Stop
from graphs.batch import Batch, BatchSettings
from graphs.context import EnrichmentContext
from graphs.enrichment import EnrichmentGraph
from graphs.outcomes import Enriched, Failed, Outcome, Skipped
from graphs.piece_ends import PieceEnd, Tally
from memory.catalog import RejectedRow
from memory.catalog_pieces import Piece, items_in, line_of
from memory.database import Database
from memory.errors import ReaseqError
from memory.ledger import Ledger
from memory.owners import Owner
from memory.schema import CatalogItem
from memory.store import enrichment_of
from memory.turns import Turn, turns_of
from memory.work import WorkState

AT_ONCE = 512  # rows that are looked up together; a piece has as many only where its file cannot be parted


@dataclass(frozen=True)
class BenchSettings:
    """What a worker's pieces have in common."""

    version_id: int
    run_began: datetime
    concurrency: int
    again: bool = False
    retry_failed: bool = False


@dataclass(frozen=True)
class Bench:
    """An open knowledge base with its ledger, the graph, and the wish to stop, for any number of pieces."""

    settings: BenchSettings
    graph: EnrichmentGraph
    context: EnrichmentContext
    database: Database
    ledger: Ledger
    stop: Stop
    rate: Callable[[], RateState]
    onlooker: Onlooker = NOBODY

    async def work(self, piece: Piece, tally: Tally, *, redone: bool) -> PieceEnd:
        """Bring each row of a piece to its end, or say what stopped that; `redone` where a worker was lost with it."""
        try:
            rows = items_in(piece)
            while not self.stop.wished and (some := list(islice(rows, AT_ONCE))):
                async for outcome in self._outcomes(piece, some, redone):
                    tally.count(outcome)
        except ReaseqError as error:
            self.stop.wish()
            return tally.end(whole=False, problem=str(error))
        return tally.end(whole=not self.stop.wished)

    async def _outcomes(
        self, piece: Piece, rows: Sequence[CatalogItem | RejectedRow], redone: bool
    ) -> AsyncIterator[Outcome]:
        ids = [row.id for row in rows if isinstance(row, CatalogItem)]
        with self.database.session() as session:
            turns = turns_of(session, self.settings.version_id, ids)
        left: list[CatalogItem | RejectedRow] = []
        for row in rows:
            turn = turns.get(row.id) if isinstance(row, CatalogItem) else None
            settled = self._settled(piece, row, turn, redone) if isinstance(row, CatalogItem) and turn else None
            if isinstance(settled, RejectedRow) or settled is None:
                left.append(settled or row)
            else:
                yield settled
        if left:
            async for outcome in self._batch().outcomes(left):
                yield outcome

    def _settled(self, piece: Piece, item: CatalogItem, turn: Turn, redone: bool) -> Outcome | None:
        """Return how an item ended that nothing is left to do of; None where it is to be done."""
        in_this_run = turn.at >= self.settings.run_began
        if turn.content_hash != item.content_hash:
            return self._second(piece, item) if in_this_run and turn.state is not WorkState.WAITING else None
        if redone and in_this_run:
            return self._found_again(item, turn)
        if turn.state is WorkState.ENRICHED and not self.settings.again:
            return Skipped(item.id, "done")
        if turn.state is WorkState.FAILED and not (self.settings.again or self.settings.retry_failed):
            return Skipped(item.id, "failed before")
        return None

    def _second(self, piece: Piece, item: CatalogItem) -> RejectedRow:
        reason = f"has the id {item.id!r} of another row of this catalog with other content"
        line = line_of(piece, item.id)
        return RejectedRow(file=piece.layout.file, line=line, reason=reason, item_id=item.id)

    def _found_again(self, item: CatalogItem, turn: Turn) -> Outcome | None:
        """Return the end that a lost worker had stored and could not tell."""
        if turn.state is WorkState.FAILED:
            return Failed(item, turn.reason, turn.detail)
        if turn.state is not WorkState.ENRICHED:
            return None
        with self.database.session() as session:
            known = enrichment_of(session, item.id, self.settings.version_id)
        return None if known is None else Enriched(item, known.enrichment)

    def _batch(self) -> Batch:
        settings = self.settings
        return Batch(
            self.graph,
            self.context,
            self.database,
            self.ledger,
            settings=BatchSettings(
                version_id=settings.version_id,
                owner=str(Owner.present()),
                concurrency=settings.concurrency,
                again=settings.again,
                retry_failed=settings.retry_failed,
            ),
            stop=self.stop,
            onlooker=self.onlooker,
        )
