"""`tintype colorize --engine ray` on clusters of more and more workers of one processor each.

    python bench/archive_ray.py [--workers 1 2] [--count 200]

The clusters are local ones of several nodes. Throughput is counted from the first photographs on, when all workers run;
it can grow only as far as the machine has processors. Beside it the local engine's on as many processors.
"""

import argparse
import logging
import tempfile
import time
from pathlib import Path
from threading import Event

import ray
from ray.cluster_utils import Cluster

from _archive import make_archive
from _machine import describe
from tintype.archive.cluster import cluster
from tintype.runtime.batch import colorize_all
from tintype.runtime.folders import find, plan
from tintype.runtime.retry import Work
from tintype.runtime.settings import Settings
from tintype.runtime.strips import cores
from tintype.runtime.workers import Workers

WARM = 0.2  # share of the photographs after which the clock starts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, nargs="+", default=sorted({1, *range(2, cores() + 1, 2), cores()}))
    parser.add_argument("--count", type=int, default=200, help="photographs for each worker")
    arguments = parser.parse_args()
    print(describe("ray", "onnxruntime", "numpy"))
    print("workers  images/s  of one  local engine")
    first = 0.0
    for workers in arguments.workers:
        count = workers * arguments.count
        speed, local = on_cluster(workers, count), here(workers, count)
        first = first or speed
        print(f"{workers:7} {speed:9.1f} {speed / first:6.2f}x {local:10.1f} images/s", flush=True)


def on_cluster(workers: int, count: int) -> float:
    """Photographs per second on a cluster of its own."""
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for _ in range(workers):
            nodes.add_node(num_cpus=1)
        ray.init(address=nodes.address, logging_level=logging.ERROR, log_to_driver=False)
        with cluster(Settings(), None, nodes.address, Event()) as work:
            return throughput(work, count)
    finally:
        ray.shutdown()
        nodes.shutdown()


def here(workers: int, count: int) -> float:
    """Photographs per second by as many processes of this machine."""
    with Workers(Settings(), workers) as processes:
        return throughput(lambda items: colorize_all(items, processes, jobs=workers, stop=Event(), patience=0), count)


def throughput(work: Work, count: int) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name, "in"), str(Path(name, "out"))
        make_archive(folder, count)
        warm, start = int(WARM * count), 0.0
        for done, item in enumerate(work(plan(find([str(folder)], out), out)), 1):
            if item.error:
                raise SystemExit(item.error)
            if done == warm:
                start = time.perf_counter()
        return (count - warm) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
