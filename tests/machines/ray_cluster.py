"""A Ray cluster of two nodes on loopback, until standard input ends: python -m tests.machines.ray_cluster

Prints where its Jobs API answers when it does. Each node has a CPU for one worker.
"""

from __future__ import annotations

import socket
import sys
import time

_OBJECTS = 80 << 20  # bytes of object store a node: the least that Ray takes


def main() -> None:
    from ray.cluster_utils import Cluster
    from ray.job_submission import JobSubmissionClient

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    head = {"num_cpus": 1, "object_store_memory": _OBJECTS, "include_dashboard": True, "dashboard_port": port}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(num_cpus=1, object_store_memory=_OBJECTS)
        cluster.wait_for_nodes()
        address = f"http://127.0.0.1:{port}"
        for _ in range(120):
            try:
                JobSubmissionClient(address)
                break
            except (OSError, RuntimeError):
                time.sleep(0.5)
        sys.stdout.write(f"ready {address}\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        cluster.shutdown()


if __name__ == "__main__":
    main()
