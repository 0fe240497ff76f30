"""What a worker on a Ray cluster opens: the same workshop as on one machine, within what all workers share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from agents.spending.prices import Price
from commands.run_options import RunControls, RunOptions
from commands.settings import Settings
from commands.workshop import open_workshop
from graphs.piece_bench import Bench, BenchSettings
from graphs.ray_worker import Shared
from memory.record import Record


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
    async with open_workshop(settings, controls=_controls(assignment, shared)) as workshop:
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


def _controls(assignment: Assignment, shared: Shared) -> RunControls:
    """Return controls that ask what the workers share."""
    settings, options = assignment.settings, assignment.options
    limited = settings.requests_per_minute is not None or settings.tokens_per_minute is not None
    return RunControls(
        shared.budget(assignment.price, options.budget is not None, options.max_tokens is not None),
        shared.stop,
        assignment.price,
        escalation_price=assignment.escalation_price,
        doubts=options.retry_failed,
        limits=shared.limits if limited else None,
        in_turn=shared.in_turn,
    )
