"""A Ray cluster of three nodes on this machine, listening on 127.0.0.1, whose workers and nodes can be killed."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

WORKER = "ray::MapWorker"  # how Ray calls the processes of a pool
CORES = 2.0  # that each node says it has: more than there are, for its workers wait nearly all the time
OBJECT_STORE = 80 << 20


class ThreeNodes:
    """A running cluster; use it as a context manager. Nothing that it did not start is touched."""

    def __init__(self, nodes: int = 3) -> None:
        # Before Ray is imported: it would put the network's address in place of 127.0.0.1, and report its use.
        os.environ.update(RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", RAY_USAGE_STATS_ENABLED="0", RAY_worker_niceness="0")
        os.environ.update(RAY_agent_register_timeout_ms="180000", RAY_worker_register_timeout_seconds="180")
        self._nodes = nodes
        self._others: list[Any] = []

    @property
    def address(self) -> str:
        """The address that `--ray-address` takes."""
        return str(self._cluster.address)

    @property
    def session_folder(self) -> str:
        """Where the cluster keeps its logs."""
        return str(self._cluster.head_node.get_session_dir_path())

    def roots(self) -> list[int]:
        """Return the processes of the cluster that the others are below."""
        nodes = [self._cluster.head_node, *self._others]
        return [int(one.process.pid) for node in nodes for found in node.all_processes.values() for one in found]

    def workers(self) -> list[int]:
        """Return the processes that work on pieces now."""
        return self._called(WORKER)

    def kill_treasury(self) -> int:
        """End the one actor that all workers ask at once, and return its process."""
        (treasury,) = self._called("ray::TreasuryActor")
        os.kill(treasury, signal.SIGKILL)
        return treasury

    def _called(self, name: str) -> list[int]:
        raylets = [_raylet(node) for node in [self._cluster.head_node, *self._others]]
        return [worker for raylet in raylets for worker in _children(raylet) if _name(worker).startswith(name)]

    def kill_worker(self) -> int:
        """End one worker at once, and return its process."""
        (worker, *_) = self.workers()
        os.kill(worker, signal.SIGKILL)
        return worker

    def kill_node(self) -> int:
        """End the raylet of a node that has workers at once, so that all that was on it is lost; return its process.

        What Ray leaves running without its raylet is ended too, as it would be with its machine.
        """
        node = next((node for node in self._others if self._has_workers(node)), self._others[0])
        raylet = _raylet(node)
        below = _children(raylet)
        os.kill(raylet, signal.SIGKILL)
        for process in below:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._others.remove(node)
        return raylet

    def _has_workers(self, node: Any) -> bool:
        return any(_name(worker).startswith(WORKER) for worker in _children(_raylet(node)))

    def __enter__(self) -> Self:
        from ray.cluster_utils import Cluster

        arguments: Any = {"num_cpus": CORES, "node_ip_address": "127.0.0.1", "object_store_memory": OBJECT_STORE}
        self._cluster: Any = Cluster(initialize_head=True, head_node_args={**arguments, "include_dashboard": False})
        self._others = [self._cluster.add_node(**arguments) for _ in range(self._nodes - 1)]
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.shutdown()


def wait_until(what: Any, seconds: float = 300.0) -> None:
    """Wait until something is so; fails where it takes longer."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.2)


def _raylet(node: Any) -> int:
    (raylet,) = node.all_processes["raylet"]
    return int(raylet.process.pid)


def _children(process: int) -> list[int]:
    tasks = Path(f"/proc/{process}/task")
    found = [(task / "children").read_text(encoding="ascii").split() for task in tasks.iterdir()]
    return [int(child) for children in found for child in children]


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
