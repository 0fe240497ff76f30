"""Training one model in several processes of a Ray cluster: this one leads, and goes on where one of them is lost."""

import os
import pickle
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from commands.cluster_maps import Cluster, cores_of_cluster
from commands.output import say
from graphs.ray_cluster import LOOPBACK, ClusterUnreachable, connected
from learning.devices import Team, joined, use_threads

MOST_FAILURES = 3  # times that a lost process lets the training begin again at its last checkpoint
ROOM_SECONDS = 120.0  # that a cluster may take to make room for the processes
Done = TypeVar("Done")
Follow = Callable[[], object]


def trained_on(cluster: Cluster | None, lead: Callable[[], Done], follow: Follow) -> Done:
    """Return what `lead` returns, here, while each of the other processes does `follow`: the same, writing nothing.

    Both train the same model from the same examples and settings. `follow` travels pickled. A lost process begins all
    of them again at the last checkpoint, three times at most. Raises `ClusterUnreachable`.
    """
    if cluster is None:
        return lead()
    with connected(cluster.address, cores=None if cluster.address else cluster.workers):
        import ray  # noqa: PLC0415 - of the extra `ray`, and half a second to import

        size = cluster.workers or cores_of_cluster()
        told = ray.put(pickle.dumps(follow))
        for left in reversed(range(MOST_FAILURES + 1)):
            try:
                return _together(size, cluster.address, lead, told)
            except _ProcessLost as error:
                if not left:
                    raise ClusterUnreachable(f"{error}; the same command goes on at the last checkpoint") from error
                say(f"{error}: the training goes on at its last checkpoint")
    raise AssertionError("a training ends or fails")


class _ProcessLost(Exception):
    """One of the processes that train is gone."""


def _together(size: int, address: str | None, lead: Callable[[], Done], told: Any) -> Done:
    with _followers(size - 1) as followers, _meeting(address) as (meeting, interface):
        teams = [Team(rank, size, meeting) for rank in range(size)]
        working = [own.follow.remote(team, interface, told) for own, team in zip(followers, teams[1:], strict=True)]
        try:
            with joined(teams[0]):
                return lead()
        except RuntimeError as error:  # which gloo raises where a connection ends
            if not _is_one_lost(working):
                raise
            raise _ProcessLost("a process of the cluster was lost") from error


@contextmanager
def _followers(number: int) -> Iterator[list[Any]]:
    """Yield so many processes that are ready; they end with the context."""
    import ray  # noqa: PLC0415 - as above

    begun: Any = ray.remote(num_cpus=1)(_Follower)
    followers = [begun.remote() for _ in range(number)]
    try:
        ray.get([own.ready.remote() for own in followers], timeout=ROOM_SECONDS)
        yield followers
    except ray.exceptions.GetTimeoutError:
        raise ClusterUnreachable(f"the cluster has no room for {number} processes more: fewer --workers") from None
    finally:
        for own in followers:
            ray.kill(own)


@contextmanager
def _meeting(address: str | None) -> Iterator[tuple[str, str | None]]:
    """Yield where the processes find each other, and the network that they talk over; None: the one of the host."""
    local = address is None or address.startswith(LOOPBACK)
    interface = next((name for _, name in socket.if_nameindex() if name in ("lo", "lo0")), None) if local else None
    with tempfile.TemporaryDirectory(prefix="reaseq-team-") as folder:
        if local:  # nobody listens for it
            _talk_over(interface)
            yield f"file://{Path(folder) / 'meeting'}", interface
            return
        import ray  # noqa: PLC0415 - as above

        with socket.socket() as free:
            free.bind(("", 0))
            port = free.getsockname()[1]
        here = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        yield f"tcp://{here}:{port}", None


def _talk_over(interface: str | None) -> None:
    if interface is not None:
        os.environ["GLOO_SOCKET_IFNAME"] = interface  # gloo takes it from nowhere else


def _is_one_lost(working: list[Any]) -> bool:
    """Return whether one of the processes has ended; the others end as well, by what the lost one does not answer."""
    import ray  # noqa: PLC0415 - as above

    ended, _ = ray.wait(working, num_returns=len(working), timeout=10.0)
    for own in ended:
        try:
            ray.get(own)
        except ray.exceptions.RayActorError:
            return True
        except ray.exceptions.RayTaskError:
            continue
    return False


class _Follower:
    """A process that trains with others and writes nothing."""

    def ready(self) -> None:
        """Return when it is there."""

    def follow(self, team: Team, interface: str | None, told: bytes) -> None:
        """Do what it is told as one of the team."""
        _talk_over(interface)
        use_threads(1)
        with joined(team):
            pickle.loads(told)()  # noqa: S301 - from the process that began this one
