"""A small learned upsampler: a convolutional network that corrects bilinear colours by the lightness."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from _upsamplers import Joined, Scene, Way, bilinear, cell_means, guide_means, lay, plain
from tintype.evaluate import Photograph
from tintype.evaluate.colour_error import picture_ab
from tintype.export.onnx_file import quiet
from tintype.runtime.buffers import Plane
from tintype.runtime.model import Model
from tintype.runtime.upsample import _cell_means

SIZES = (40, 48, 60, 80, 120, 160)  # sides of what the network sees, in training: cells of 4 to 9 pixels of the guide
CROP, BATCH, RATE = 48, 16, 3e-3


class Upsampler(nn.Module):
    """From L, L less the mean of its cell, a and b, scaled. It works at half the resolution, with channels for that."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Conv2d(16, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=2, dilation=2)
        self.last = nn.Conv2d(width, 8, 3, padding=1)
        nn.init.zeros_(self.last.weight)  # begins as bilinear

    def forward(self, planes: Tensor) -> Tensor:
        """(B, 4, h, w), h and w even, to ab, (B, 2, h, w)."""
        x = F.relu(self.first(F.pixel_unshuffle(planes, 2)))
        x = self.last(F.relu(self.second(x)))
        return planes[:, 2:] + F.pixel_shuffle(x, 2)


def _planes(cells: Plane, scene: Scene) -> Plane:
    mean = bilinear(_cell_means(scene.guide, scene.axes)[None], scene)[0]
    a, b = bilinear(cells, scene) / 30
    return np.stack([scene.guide / 50 - 1, (scene.guide - mean) / 20, a, b]).astype(np.float32)


Pair = tuple[Plane, Plane]  # what the network is given, and the colours that it should give


def pairs_of(photographs: Sequence[Photograph], model: Model, seed: int = 0) -> list[Pair]:
    """True colours of photographs over the cells of a model, as wide as `SIZES` has them, drawn at random."""
    rng, pairs = np.random.default_rng(seed), []
    for photograph in photographs:
        scene, ab = lay(photograph.grey, model, int(rng.choice(SIZES))), picture_ab(photograph.true)
        if min(scene.guide.shape) >= CROP:
            pairs.append((_planes(cell_means(ab, scene), scene), (guide_means(ab, scene) / 30).astype(np.float32)))
    return pairs


def train(width: int, pairs: list[Pair], steps: int, seed: int = 0) -> Upsampler:
    """Trains a network of so many channels, in steps of `BATCH` crops of `CROP` pixels, at a rate of `RATE` at most.

    The plane of ab is turned by random angles and stretched, so that it learns where colours end, not which colours
    things have.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Upsampler(width)
    optimizer = torch.optim.AdamW(network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    for _ in range(steps):
        given, wanted = _batch(pairs, rng)
        error = (network(given) - wanted).square().sum(1)
        optimizer.zero_grad()
        (error + 1e-4).sqrt().mean().backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def _batch(pairs: list[Pair], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    batch: list[Plane] = []
    for number in rng.integers(len(pairs), size=BATCH):
        planes = np.concatenate(pairs[number])  # L, L - mean, a, b; true a, b
        y, x = (int(rng.integers(length - CROP + 1)) for length in planes.shape[1:])
        crop = planes[:, y : y + CROP, x : x + CROP][:, :, :: int(rng.choice([-1, 1]))]
        turn = rng.uniform(0.5, 1.5) * np.exp(2j * np.pi * rng.random())
        colours = [turn * (crop[start] + 1j * crop[start + 1]) for start in (2, 4)]
        batch.append(np.stack([*crop[:2], *(part for ab in colours for part in (ab.real, ab.imag))]))
    planes = np.stack(batch).astype(np.float32)
    return torch.from_numpy(planes[:, :4]), torch.from_numpy(planes[:, 4:])


def learned(network: Upsampler, place: Path) -> Way:
    """The way of a trained network, which ONNX Runtime runs on one thread.

    Args:
        network: from `train`.
        place: a folder for its file.
    """
    path = place / f"upsampler-{network.first.out_channels}.onnx"
    height, width = (torch.export.Dim(name, min=2, max=4096) for name in ("height", "width"))
    with quiet():
        shapes = ({2: 2 * height, 3: 2 * width},)
        torch.onnx.export(network, (torch.rand(1, 4, 38, 54),), path, dynamo=True, dynamic_shapes=shapes, verbose=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def way(cells: Plane, scene: Scene) -> Joined:
        height, width = scene.guide.shape
        planes = np.pad(_planes(cells, scene), ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
        (ab,) = session.run(None, {name: planes[None]})
        return plain(np.ascontiguousarray(30 * ab[0, :, :height, :width]), scene)

    return way
