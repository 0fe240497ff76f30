"""A catalog's pieces through Ray Data: planned as they are wanted, worked off by a pool of stateful workers."""

import logging
from collections.abc import Iterator
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.data import ActorPoolStrategy, DataContext, Dataset, read_datasource
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from graphs.piece_ends import PieceEnd
from graphs.ray_cluster import SHARE_OF_A_CORE
from graphs.ray_plan import Plan, Source
from graphs.ray_treasury import TreasuryActor
from graphs.ray_worker import Opener, PieceWorker
from memory.catalog_pieces import ROWS, planned


def treasury_on_this_node() -> ActorHandle[TreasuryActor]:
    """Start the treasury beside the driver; it is started anew should it die, and knows nothing then."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    made: Any = ray.remote(TreasuryActor).options(
        num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here, max_concurrency=1
    )
    treasury: ActorHandle[TreasuryActor] = made.remote()
    return treasury


def at_once(concurrency: int) -> int:
    """Return how many pieces a worker takes at once, so that it has as many items as it may, and some to go on with."""
    return -(-concurrency // ROWS) + 1


def ends(
    source: Source, treasury: ActorHandle[TreasuryActor], opener: Opener, *, workers: int, concurrency: int
) -> Iterator[PieceEnd]:
    """Yield what came of each piece, in the order they end; a piece whose worker is lost is done by another.

    The next end may be long in coming, so this is for a thread of its own.
    """
    _quiet()
    rows: Any
    for rows in _dataset(source, treasury, opener, workers, concurrency).iter_batches(
        batch_size=None, batch_format="pyarrow", prefetch_batches=0
    ):
        for text in rows.column("end").to_pylist():
            yield PieceEnd.model_validate_json(text)


async def rows_in_all(source: Source) -> int | None:
    """Return how many rows a catalog has, counted by a process of the cluster; None where that takes reading it all."""
    counting: Any = ray.remote(_rows_in_all).options(num_cpus=0)
    rows: int | None = await counting.remote(source)
    return rows


def _rows_in_all(source: Source) -> int | None:
    rows = 0
    for piece in planned(list(source.files), source.columns, source.limit):
        if piece.layout.kind == "whole":
            return None
        rows += piece.rows
    return rows


def _dataset(
    source: Source, treasury: ActorHandle[TreasuryActor], opener: Opener, workers: int, concurrency: int
) -> Dataset:
    pieces = at_once(concurrency)
    plan = read_datasource(Plan(source, treasury), override_num_blocks=1, num_cpus=0)
    pool = ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=pieces, max_concurrent_calls_per_actor=pieces)
    worked: Dataset = plan.map_batches(
        PieceWorker,
        batch_size=1,
        batch_format="numpy",
        compute=pool,
        fn_constructor_args=(treasury, opener),
        num_cpus=SHARE_OF_A_CORE,
    )
    return worked


def _quiet() -> None:
    """Let Ray Data keep one piece a block, and say nothing: the run has a view of its own."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = DataContext.get_current()
    context.target_max_block_size = 1
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = False
    context.execution_options.verbose_progress = False
