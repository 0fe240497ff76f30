"""How a catalog is planned on a cluster: piece after piece, as workers will want them, those to be done first."""

import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.data import DataContext
from ray.data.block import BlockMetadata
from ray.data.datasource import Datasource, ReadTask

from graphs.ray_treasury import Place, TreasuryActor
from memory.catalog_pieces import Piece, planned
from memory.database import open_existing_database
from memory.record import Record
from memory.turns import turns_of
from memory.work import WorkState

LOOK_SECONDS = 0.1  # between two looks whether more is wanted
LOOKED_AT = 64  # pieces whose first items are looked up together
PUT_OFF = 100_000  # pieces that are left for later at most


class Source(Record):
    """Which catalog: its files, its columns, how many rows of it.

    `ended` has a byte that is 1 for each piece to leave out; `resumed` begins with those that are not done.
    """

    files: tuple[str, ...]
    columns: Mapping[str, str] | None = None
    limit: int | None = None
    ended: bytes = b""
    resumed: bool = True


class Plan(Datasource):
    """The pieces of a catalog, one a block; each is planned when the treasury says that workers will want it soon."""

    def __init__(self, source: Source, treasury: ActorHandle[TreasuryActor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._source, self._treasury = source, treasury

    def estimate_inmemory_data_size(self) -> int | None:
        """Return nothing: nobody knows before it is planned."""
        return None

    def get_read_tasks(
        self, parallelism: int, per_task_row_limit: int | None = None, data_context: DataContext | None = None
    ) -> list[ReadTask]:
        """Return one task, which goes through the catalog once."""
        source, treasury = self._source, self._treasury
        metadata = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
        return [ReadTask(lambda: _blocks(source, treasury), metadata)]


def undone_first(place: Place, pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Yield pieces whose first item is not done before the others, so that a resumed run begins at once with new ones.

    The order decides nothing but that: each piece is looked through in its turn.
    """
    later: list[Piece] = []
    with open_existing_database(place.kb, durability=place.durability) as database:
        while some := list(islice(pieces, LOOKED_AT)):
            with database.session() as session:
                turns = turns_of(session, place.version_id, [piece.first_id for piece in some])
            done = {item_id for item_id, turn in turns.items() if turn.state is WorkState.ENRICHED}
            put_off = [piece for piece in some if piece.first_id in done][: PUT_OFF - len(later)]
            later.extend(put_off)
            kept = {piece.number for piece in put_off}
            yield from (piece for piece in some if piece.number not in kept)
    yield from later


def _blocks(source: Source, treasury: ActorHandle[TreasuryActor]) -> Iterable[Any]:
    """Yield the pieces as tables of one row, each when it is wanted; ends early where the run is to stop."""
    import pyarrow as pa  # noqa: PLC0415 - in a process of Ray's

    pieces = _left(source, treasury)
    if source.resumed:
        place: Any = None
        while place is None:
            place = ray.get(treasury.place.remote())
        pieces = undone_first(place, pieces)
    for number, piece in enumerate(pieces):
        wanted: Any = False
        while not (wanted := ray.get(treasury.go_ahead.remote(number))):
            if wanted is None:
                return
            time.sleep(LOOK_SECONDS)
        yield pa.table({"piece": [piece.model_dump_json()]})


def _left(source: Source, treasury: ActorHandle[TreasuryActor]) -> Iterator[Piece]:
    """Yield the pieces that have not ended, and tell at the end how many there are in all."""
    pieces = 0
    for piece in planned(list(source.files), source.columns, source.limit):
        pieces = piece.number + 1
        if not source.ended[piece.number : pieces].strip(b"\0"):
            yield piece
    ray.get(treasury.all_planned.remote(pieces))
