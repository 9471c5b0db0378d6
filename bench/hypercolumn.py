"""Sparse training of hypercolumns against dense training: peak memory, and the head's time.

    python bench/hypercolumn.py [BATCH]

VGG-16 with batch-norm, all 16 layers of its hypercolumn (12,417 channels), 1024 hidden units, histograms of hue and
chroma, pictures of 352 x 352, one thread, float32. One picture at a time unless told otherwise.

- sparse: 128 points in each picture.
- dense: as it is usually written: every layer enlarged to stride 4, put side by side, the hidden layer as a 1x1
  convolution at all 7,744 places.
- dense, summed: our dense prediction, which convolves each layer at its own stride and sums, used for training.

Memory is the high-water mark of a process of its own for each: in all; beyond what it holds before the step (weights,
gradients and momentum, whose size does not depend on the pictures); and of the head alone, from feature maps to their
gradients, beyond what it holds before that. The head's time is the processor's for that, the best of a few.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from _machine import describe
from tintype.networks import Network, build_network
from tintype.networks.hypercolumn import Hypercolumn
from tintype.networks.sampling import regrid
from tintype.objectives import Histograms
from tintype.pretrain.places import draw_points, grid_points

SIDE, POINTS, ROUNDS = 352, 128, 2
Features = dict[str, Tensor]


def sparse(head: Hypercolumn, features: Features, side: int) -> tuple[Tensor, Tensor]:
    """The prediction, (B, K, N), and its places."""
    points = draw_points(len(features["data"]), side, POINTS, 8, 0)
    return head.at(features, points), points


def dense(head: Hypercolumn, features: Features, side: int) -> tuple[Tensor, Tensor]:
    places = torch.arange(0, side, 4) + head.origin
    column = torch.cat([regrid(features[name], head.grids[name], places, places) for name in head.layers], dim=1)
    return head.predict(head.dropout(F.relu(head.hidden(column)))).flatten(2), every(features, side)


def summed(head: Hypercolumn, features: Features, side: int) -> tuple[Tensor, Tensor]:
    return head(features, (side, side)).flatten(2), every(features, side)


def every(features: Features, side: int) -> Tensor:
    return grid_points(side, side, 4, 2).expand(len(features["data"]), -1, -1)


WAYS: dict[str, Callable[[Hypercolumn, Features, int], tuple[Tensor, Tensor]]] = {
    "sparse": sparse,
    "dense": dense,
    "dense, summed": summed,
}


def build() -> Network:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    return build_network("vgg16_bn", "hypercolumn", 64).train().to(memory_format=torch.channels_last)


def pictures(batch: int, side: int) -> tuple[Tensor, Tensor]:
    rgb = torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(0))
    return rgb, 100 * rgb.mean(1, keepdim=True)


def loss(way: str, head: Hypercolumn, features: Features, rgb: Tensor) -> Tensor:
    objective = Histograms()
    prediction, points = WAYS[way](head, features, rgb.shape[-1])
    return objective.loss(prediction, objective.target(rgb, points))


def memory(line: str) -> float:
    """GB of this process now (VmRSS) or at most so far (VmHWM)."""
    status = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return int(status[line].split()[0]) * 1024 / 1e9


def peak_of_this_process(way: str, batch: int) -> tuple[float, float]:
    """GB in all, and beyond weights, gradients and momentum."""
    network = build()
    optimizer = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9)

    def step(side: int, batch: int) -> None:
        rgb, seen = pictures(batch, side)
        value = loss(way, network.head, network.trunk(seen), rgb)
        optimizer.zero_grad(set_to_none=False)
        value.backward()
        optimizer.step()

    step(32, 2)
    before = memory("VmRSS")
    step(SIDE, batch)
    return memory("VmHWM"), memory("VmHWM") - before


def head_alone(way: str, batch: int) -> tuple[float, float]:
    """GB at most beyond those before, and processor time in seconds, forward and backward."""
    network = build()
    rgb, seen = pictures(batch, SIDE)
    with torch.no_grad():
        features = network.trunk(seen)
    best, peak = float("inf"), 0.0
    for _ in range(ROUNDS):
        leaves = {name: x.detach().requires_grad_() for name, x in features.items()}
        network.zero_grad(set_to_none=False)
        before = memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts anew
        start = time.process_time()
        loss(way, network.head, leaves, rgb).backward()
        best, peak = min(best, time.process_time() - start), max(peak, memory("VmHWM") - before)
    return peak, best


def child(*arguments: object) -> list[float]:
    command = [sys.executable, __file__, *map(str, arguments)]
    return [float(v) for v in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]


def main(batch: int) -> None:
    print(describe("torch"))
    print(f"batch of {batch}")
    found = {way: (*child(batch, way, "memory"), *child(batch, way, "head")) for way in WAYS}
    for way, (peak, beyond, head, seconds) in found.items():
        print(
            f"  {way:22} peak {peak:5.2f} GB, beyond the weights {beyond:5.2f} GB; "
            f"head alone {head:5.3f} GB, {seconds:6.2f} s"
        )
    for way in ("dense", "dense, summed"):
        peak, beyond, head, seconds = (a / b for a, b in zip(found["sparse"], found[way], strict=True))
        print(
            f"  sparse / {way:13} peak {peak:5.2f}   , beyond the weights {beyond:5.2f}   ; "
            f"head alone {head:5.3f}   , {seconds:6.3f}"
        )
    print("  limits, against dense: memory 0.25, the head's time 0.333")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    elif sys.argv[3] == "memory":
        print(*peak_of_this_process(sys.argv[2], int(sys.argv[1])))
    else:
        print(*head_alone(sys.argv[2], int(sys.argv[1])))
