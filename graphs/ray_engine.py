"""A catalog's pieces through Ray Data: planned as they are wanted, worked off by a pool of stateful workers."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.data import ActorPoolStrategy, DataContext, Dataset, read_datasource
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from graphs.piece_ends import PieceEnd
from graphs.ray_cluster import SHARE_OF_A_CORE
from graphs.ray_treasury import TreasuryActor
from graphs.ray_worker import Opener, PieceWorker
from memory.catalog_pieces import ROWS, Piece, planned
from memory.record import Record

LOOK_SECONDS = 0.1  # between two looks whether more is wanted
PIECE_BYTES = 1000.0  # about what a piece takes on its way: it names rows, and holds none


class Source(Record):
    """Which catalog: its files, its columns, how many rows of it; `ended` has a byte that is 1 for each piece to leave out."""

    files: tuple[str, ...]
    columns: Mapping[str, str] | None = None
    limit: int | None = None
    ended: bytes = b""


First = Callable[[Any, Iterator[Piece]], Iterator[Piece]]  # of what all workers get, and the pieces in their order


class Plan(Datasource):
    """The pieces of a catalog, one a block; each is planned when the treasury says that workers will want it soon."""

    def __init__(self, source: Source, treasury: ActorHandle[TreasuryActor], first: First | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._source, self._treasury, self._first = source, treasury, first

    def estimate_inmemory_data_size(self) -> int | None:
        """Return nothing: nobody knows before it is planned."""
        return None

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: DataContext | None = None
    ) -> list[ReadTask]:
        """Return one task, which goes through the catalog once."""
        source, treasury, first = self._source, self._treasury, self._first
        metadata = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(lambda: _blocks(source, treasury, first), metadata)]


def treasury_on_this_node() -> ActorHandle[TreasuryActor]:
    """Start the treasury beside the driver; it is started anew should it die, and knows nothing then."""
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    made = ray.remote(TreasuryActor).options(
        num_cpus=0, max_restarts=-1, max_task_retries=-1, scheduling_strategy=here, max_concurrency=1
    )
    return made.remote()


def at_once(concurrency: int) -> int:
    """Return how many pieces a worker takes at once, so that it has as many items as it may, and some to go on with."""
    return -(-concurrency // ROWS) + 1


def ends(
    source: Source,
    treasury: ActorHandle[TreasuryActor],
    opener: Opener,
    *,
    workers: int,
    concurrency: int,
    first: First | None = None,
) -> Iterator[PieceEnd]:
    """Yield what came of each piece, in the order they end; a piece whose worker is lost is done by another.

    `first` may choose which of some pieces are begun first. Whoever goes on asks for the next end; it may be long in
    coming, so this is for a thread of its own.
    """
    _quiet()
    rows: Any
    for rows in _dataset(source, treasury, opener, workers, concurrency, first).iter_batches(
        batch_size=None, batch_format="pyarrow", prefetch_batches=0
    ):
        for text in rows.column("end").to_pylist():
            yield PieceEnd.model_validate_json(text)


def _dataset(
    source: Source,
    treasury: ActorHandle[TreasuryActor],
    opener: Opener,
    workers: int,
    concurrency: int,
    first: First | None,
) -> Dataset:
    pieces = at_once(concurrency)
    plan = read_datasource(Plan(source, treasury, first), override_num_blocks=1, num_cpus=0)
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
    context = DataContext.get_current()
    context.target_max_block_size = 1
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.preserve_order = False
    context.execution_options.verbose_progress = False


def _blocks(source: Source, treasury: ActorHandle[TreasuryActor], first: First | None) -> Iterable[Any]:
    """Yield the pieces as tables of one row, each when it is wanted; ends early where the run is to stop."""
    import pyarrow  # noqa: PLC0415 - in a process of Ray's

    pieces = _left(source, treasury)
    if first is not None:
        while (assignment := ray.get(treasury.assignment.remote())) is None:
            time.sleep(LOOK_SECONDS)
        pieces = first(assignment, pieces)
    for number, piece in enumerate(pieces):
        while not (wanted := ray.get(treasury.go_ahead.remote(number))):
            if wanted is None:
                return
            time.sleep(LOOK_SECONDS)
        yield pyarrow.table({"piece": [piece.model_dump_json()]})


def _left(source: Source, treasury: ActorHandle[TreasuryActor]) -> Iterator[Piece]:
    """Yield the pieces that have not ended, and tell at the end how many there are in all."""
    pieces = 0
    for piece in planned(list(source.files), source.columns, source.limit):
        pieces = piece.number + 1
        if not source.ended[piece.number : pieces].strip(b"\0"):
            yield piece
    treasury.all_planned.remote(pieces)
