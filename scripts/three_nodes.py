"""A Ray cluster of three nodes on this machine for trying things out; it ends with Ctrl-C.

    python scripts/three_nodes.py

It prints the address for `reaseq enrich … --engine ray --ray-address ADDRESS`, and listens on 127.0.0.1 alone. On three
machines the same is `ray start --head --port 6379` on one and `ray start --address FIRST:6379` on the others.
"""

import os
import signal

NODES = 3
SETTINGS = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # else Ray takes the network's address
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_worker_niceness": "0",
}


def main() -> None:
    """Start the nodes, say where, and wait."""
    os.environ.update(SETTINGS)
    from ray.cluster_utils import Cluster  # noqa: PLC0415 - reads the environment

    node = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "object_store_memory": 80 << 20}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "include_dashboard": False})
    try:
        for _ in range(NODES - 1):
            cluster.add_node(**node)
        print(cluster.address, flush=True)
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
