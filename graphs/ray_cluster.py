"""A Ray cluster to work on: one that runs already, or one of this machine alone for as long as it is needed."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from memory.errors import ReaseqError
from memory.extras import extras

LOOPBACK = "127.0.0.1"
OBJECT_STORE = 128 << 20  # bytes: what travels are pieces of a catalog by name, and counts
SHARE_OF_A_CORE = 0.2  # that a worker books: it waits for a model nearly all the time
CLIENT = "ray://"
ROOT = Path(__file__).parent.parent  # of the source, which workers import by the same names

logger = logging.getLogger(__name__)

# Read by Ray when a node starts: nothing is reported to anybody, and no warning is meant for our users.
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
# Of the driver and of a cluster of its own: what Ray's core has to say stands in its logs where it matters.
_SILENT = {"RAY_BACKEND_LOG_LEVEL": "fatal"}
# Ray lets its workers go behind everything else on the machine (nice 15); ours are what the machine is to do.
_NOT_NICE = {"RAY_worker_niceness": "0"}
# A busy machine takes longer than Ray waits for its own helpers to start; whoever knows better says so beforehand.
_PATIENT = {"RAY_agent_register_timeout_ms": "180000", "RAY_worker_register_timeout_seconds": "180"}
# Ray puts the address of the network in place of 127.0.0.1, unless it is told that there is no network.
_STAYS_HERE = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}


class ClusterUnreachable(ReaseqError):
    """There is no Ray cluster at this address, or none that a run can work on."""


@contextmanager
def connected(address: str | None, *, cores: int | None = None) -> Iterator[None]:
    """Join the cluster at `address` ("auto": the one that this machine is a node of), or start one on this machine.

    One that is started here listens on 127.0.0.1 alone, has no dashboard, reports nothing to anybody, and ends with
    the context; `cores` is what it may book, all of the machine's unless given. Workers import this very source, which
    is at the same path on each node. Who is connected already stays so. Raises `ClusterUnreachable`.
    """
    if address is None or address.startswith(LOOPBACK):
        os.environ.update(_STAYS_HERE)  # read when Ray is imported
    os.environ.update(_PATIENT | os.environ | _QUIET | _SILENT | _NOT_NICE)
    with extras():
        import ray  # noqa: PLC0415 - of the extra `ray`, and half a second to import

    if ray.is_initialized():
        yield
        return
    _begin(address, cores)
    try:
        yield
    finally:
        ray.shutdown()


def hosts() -> set[str]:
    """Return the addresses of the machines whose nodes are alive."""
    return {str(node["NodeManagerAddress"]) for node in _nodes() if node["Alive"]}


def nodes_alive() -> set[str]:
    """Return the names of the nodes that are alive."""
    return {str(node["NodeID"]) for node in _nodes() if node["Alive"]}


def _nodes() -> list[dict[str, Any]]:
    import ray  # noqa: PLC0415 - as above

    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return nodes


def _begin(address: str | None, cores: int | None) -> None:
    import ray  # noqa: PLC0415 - as above

    if address and address.startswith(CLIENT):
        raise ClusterUnreachable(
            f"{address} is an address for Ray's client; run the command on a node of the cluster, and give HOST:PORT"
        )
    local: dict[str, Any] = {
        "num_cpus": cores or os.cpu_count(),
        "object_store_memory": OBJECT_STORE,
        "include_dashboard": False,
        "_node_ip_address": LOOPBACK,
    }
    # Environment variables of a job are shown in its dashboard: the path is all that travels that way.
    environment = {"env_vars": {"PYTHONPATH": str(ROOT), **_QUIET}}
    _leave_stdout_alone()
    try:
        ray.init(
            address=address or "local",
            runtime_env=environment,
            log_to_driver=False,
            logging_level=logging.ERROR,
            **({} if address else local),
        )
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        with suppress(RuntimeError):
            ray.shutdown()
        raise ClusterUnreachable(f"no Ray cluster at {address or 'this machine'}: {error}") from error


def _leave_stdout_alone() -> None:
    """Log what Ray says of its processes; told or not, it prints that to stdout, where a command's JSON goes."""
    ray_worker = import_module("ray._private.worker")
    ray_worker.print_to_stdstream = _log  # type: ignore[attr-defined] # of no public name; a test ends a process


def _log(data: dict[str, Any], **_: object) -> None:
    for line in data["lines"]:
        logger.warning("Ray: %s", line)
