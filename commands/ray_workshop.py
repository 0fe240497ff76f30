"""What a worker on a Ray cluster opens: the same workshop as on one machine, within what all workers share."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice

from agents.spending.prices import Price
from commands.run_options import RunControls, RunOptions
from commands.settings import Settings
from commands.workshop import open_workshop
from graphs.piece_bench import Bench, BenchSettings
from graphs.ray_worker import Shared
from memory.catalog_pieces import Piece
from memory.database import open_existing_database
from memory.record import Record
from memory.turns import turns_of
from memory.work import WorkState

LOOKED_AT = 64  # pieces whose first items are looked up together
PUT_OFF = 100_000  # pieces that are left for later at most


class Assignment(Record):
    """What all workers get; it travels from process to process, and stands in no environment, log or list of jobs."""

    settings: Settings
    options: RunOptions
    run_id: int
    version_id: int
    run_began: datetime
    price: Price | None
    escalation_price: Price | None


@asynccontextmanager
async def bench_of(assignment: Assignment, shared: Shared) -> AsyncIterator[Bench]:
    """Yield a bench of the worker's own."""
    settings, options = assignment.settings, assignment.options
    limited = settings.requests_per_minute is not None or settings.tokens_per_minute is not None
    controls = RunControls(
        shared.budget(assignment.price, options.budget is not None, options.max_tokens is not None),
        shared.stop,
        assignment.price,
        escalation_price=assignment.escalation_price,
        doubts=options.retry_failed,
        limits=shared.limits if limited else None,
    )
    async with open_workshop(settings, controls=controls) as workshop:
        workshop.ledger.begin_run(assignment.run_id, fresh=options.fresh)
        yield Bench(
            BenchSettings(
                version_id=assignment.version_id,
                run_began=assignment.run_began,
                concurrency=settings.concurrency,
                again=options.fresh,
                retry_failed=options.retry_failed,
            ),
            workshop.graph,
            workshop.context,
            workshop.database,
            workshop.ledger,
            shared.stop,
            lambda: workshop.model.state,
            workshop.onlooker,
        )


def undone_first(assignment: Assignment, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield the pieces whose first item is not done before the others, so that a resumed run begins at once with new ones.

    The order decides nothing but that: each piece is looked through in its turn.
    """
    settings, later = assignment.settings, list[Piece]()
    with open_existing_database(settings.kb, durability=settings.durability) as database:
        while some := list(islice(pieces, LOOKED_AT)):
            with database.session() as session:
                turns = turns_of(session, assignment.version_id, [piece.first_id for piece in some])
            done = {item_id for item_id, turn in turns.items() if turn.state is WorkState.ENRICHED}
            put_off = [piece for piece in some if piece.first_id in done][: PUT_OFF - len(later)]
            later.extend(put_off)
            kept = {piece.number for piece in put_off}
            yield from (piece for piece in some if piece.number not in kept)
    yield from later
