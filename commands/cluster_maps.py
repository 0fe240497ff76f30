"""Work in pieces on a Ray cluster: workers load what they need once, results come in the order in which they end."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from graphs.ray_cluster import connected

if TYPE_CHECKING:
    import numpy as np
    import ray

CLUSTER: dict[str, Any] = {
    "engine": Annotated[
        Literal["local", "ray"] | None, typer.Option("--engine", help="This machine (local), or a Ray cluster.")
    ],
    "workers": Annotated[
        int | None, typer.Option("--workers", help="Processes on the cluster; else as many as it has cores.", min=1)
    ],
    "ray_address": Annotated[
        str | None,
        typer.Option("--ray-address", help="A running cluster; else one of this machine alone.", metavar="HOST:PORT"),
    ],
}
Piece = TypeVar("Piece")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Cluster:
    """Where work in pieces is done."""

    address: str | None = None  # None: a cluster of this machine alone, for as long as it is needed
    workers: int | None = None  # None: as many as it has cores


def cluster_of(*, engine: str | None, workers: int | None, ray_address: str | None) -> Cluster | None:
    """Return the cluster that was asked for; None for this process. Raises `typer.BadParameter`."""
    if engine == "ray":
        return Cluster(ray_address, workers)
    if workers is not None or ray_address is not None:
        raise typer.BadParameter("goes with --engine ray", param_hint="--workers, --ray-address")
    return None


def mapped(
    cluster: Cluster, pieces: Sequence[Piece], begun: Callable[[], Callable[[Piece], Result]]
) -> Iterator[tuple[int, Result]]:
    """Yield what a worker makes of each piece, with the piece's number, in the order in which they end.

    `begun` makes a worker's function, once in each of them; it and the pieces travel pickled. A worker that dies is
    replaced, and its piece done again. Raises `graphs.ray_cluster.ClusterUnreachable`.
    """
    if not pieces:
        return
    with connected(cluster.address, cores=None if cluster.address else cluster.workers):
        import ray.data  # noqa: PLC0415 - of the extra `ray`, and a second to import

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        workers = min(len(pieces), cluster.workers or cores_of_cluster())
        rows = [{"number": number, "piece": pickle.dumps(piece)} for number, piece in enumerate(pieces)]
        results = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Worker,
            fn_constructor_args=(ray.put(pickle.dumps(begun)),),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
        )
        for row in results.iter_rows():
            yield int(row["number"]), pickle.loads(row["made"])  # noqa: S301 - from a worker that this process began


def cores_of_cluster() -> int:
    """Return how many cores the cluster that this process has joined may use."""
    import ray  # noqa: PLC0415 - as above

    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(resources.get("CPU", 1)))


class _Worker:
    """One process of the cluster, with what it loaded."""

    def __init__(self, begun: "ray.ObjectRef[bytes]") -> None:
        import ray  # noqa: PLC0415 - as above

        self._work: Callable[[Any], Any] = pickle.loads(ray.get(begun))()  # noqa: S301 - from who began this process

    def __call__(self, batch: "dict[str, np.ndarray[Any, Any]]") -> dict[str, list[Any]]:
        made = [pickle.dumps(self._work(pickle.loads(piece))) for piece in batch["piece"]]  # noqa: S301 - as above
        return {"number": list(batch["number"]), "made": made}
