"""Soft-encoding against the nearest-neighbour search of scikit-learn that it replaces.

    python bench/soft_encoding.py

Both find the k nearest bins of every pixel of a batch of 16 maps of 64 x 64 and weigh them, with one thread
(scikit-learn's trees have no more). The time is the processor's, which other programs disturb less than the clock's,
and the median of many rounds, in each of which a method runs for about 0.1 s.
"""

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from skimage.color import rgb2lab
from skimage.data import astronaut
from sklearn.neighbors import BallTree, KDTree

from _machine import describe
from tintype.color.encoding import soft_encode
from tintype.color.gamut import bin_centres

SIGMA = 5.0
ROUNDS = 21


def by_tree(tree: KDTree | BallTree, colours: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    distance, numbers = tree.query(colours, k=k)
    weights = np.exp(-(distance**2) / (2 * SIGMA**2))
    return numbers, weights / weights.sum(1, keepdims=True)


def seconds(work: Callable[[], object], at_least: float = 0.1) -> float:
    """Processor time of one call, of as many as it takes."""
    calls, start = 0, time.process_time()
    while True:
        work()
        calls += 1
        if (taken := time.process_time() - start) >= at_least:
            return taken / calls


def largest_difference(maps: torch.Tensor, colours: np.ndarray, k: int) -> tuple[float, int]:
    """Between dense encodings, over the pixels whose k nearest bins are no matter of rounding; and how many are not."""
    tree = KDTree(bin_centres())
    numbers, weights = by_tree(tree, colours, k)
    distance, _ = tree.query(colours, k=k + 1)
    clear = distance[:, k] - distance[:, k - 1] > 1e-4
    ours = [x.permute(0, 2, 3, 1).reshape(-1, k).numpy() for x in soft_encode(maps, k, SIGMA)]
    worst = 0.0
    for rows in np.array_split(np.flatnonzero(clear), 64):
        dense = np.zeros((len(rows), 313))
        np.put_along_axis(dense, numbers[rows], weights[rows], 1)
        other = np.zeros_like(dense)
        np.put_along_axis(other, ours[0][rows], ours[1][rows].astype(float), 1)
        worst = max(worst, float(np.abs(dense - other).max()))
    return worst, int((~clear).sum())


def compare(maps: torch.Tensor, colours: np.ndarray, k: int) -> None:
    first = seconds(lambda: soft_encode(maps[:1], k, SIGMA), at_least=0)
    print(f"\nk = {k}, {len(colours)} pixels; building the table at first use: {first:.2f} s")
    works: dict[str, Callable[[], object]] = {
        "tintype": lambda: soft_encode(maps, k, SIGMA),
        "scikit-learn KDTree": lambda: by_tree(KDTree(bin_centres()), colours, k),
        "scikit-learn BallTree": lambda: by_tree(BallTree(bin_centres()), colours, k),
    }
    rounds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):  # in turns, so that what else the machine does falls on all alike
        for name, work in works.items():
            rounds[name].append(seconds(work))
    took = {name: statistics.median(times) for name, times in rounds.items()}
    for name, median in took.items():
        ratio = median / took["tintype"]
        print(f"  {name:22} {median / len(colours) * 1e9:7.0f} ns per pixel   {ratio:5.1f} times tintype's")
    worst, unclear = largest_difference(maps, colours, k)
    print(f"  largest difference of any weight: {worst:.1e} ({unclear} pixels left out, whose k-th bin is a tie)")


def main() -> None:
    print(describe("torch", "scikit-learn"))
    torch.set_num_threads(1)
    ab = rgb2lab(astronaut())[::2, ::2, 1:].astype(np.float32)  # 256 x 256: as many places as 16 targets of 64 x 64
    maps = torch.from_numpy(ab).reshape(16, 64, 64, 2).permute(0, 3, 1, 2).contiguous()
    for k in (5, 10):
        compare(maps, ab.reshape(-1, 2), k)


if __name__ == "__main__":
    main()
