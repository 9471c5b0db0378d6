"""Pictures at the size that the network sees, their regions of interest, and batches of both."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from tintype.data.boxes import Boxes
from tintype.data.decode import full_size
from tintype.data.errors import DamagedPhotoError, LoadingError
from tintype.transfer.detect.edges import from_corners, mirrored
from tintype.transfer.detect.proposals import read_proposals
from tintype.transfer.detect.sampler import Quota, Rois, sample


class Scale(NamedTuple):
    """Size of a picture: `short` pixels on its shorter side, or less where the longer one would exceed `longest`."""

    short: int
    longest: int

    def of(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of a picture that had these."""
        factor = min(self.short / min(height, width), self.longest / max(height, width))
        return max(1, round(height * factor)), max(1, round(width * factor))


class Example(NamedTuple):
    """A picture to learn from: (3, h, w) uint8, RGB, and its regions, in its pixels."""

    picture: Tensor
    rois: Rois


@dataclass(frozen=True)
class Examples:
    """Makes pictures to learn from out of a set's files. Which scale, regions and side: by chance.

    Attributes:
        photographs: files.
        boxes: true ones of each; those that are difficult are not learned from.
        proposals: file of each, see `tintype.transfer.detect.proposals`.
        scales: one of them is drawn each time.
        quota: of regions.
        flip: whether half of the pictures are mirrored.
    """

    photographs: Sequence[Path]
    boxes: Sequence[Boxes]
    proposals: Sequence[Path]
    scales: Sequence[Scale]
    quota: Quota
    flip: bool

    def __call__(self, number: int, rng: np.random.Generator) -> Example:
        """Raises LoadingError where the photograph is damaged, DataError where its proposals are."""
        picture = read_picture(self.photographs[number])
        size = self.scales[int(rng.integers(len(self.scales)))].of(*picture.shape[1:])
        factors = np.tile([size[1] / picture.shape[2], size[0] / picture.shape[1]], 2)
        easy = ~self.boxes[number].difficult
        boxes, proposals = (
            (edges * factors).astype(np.float32)
            for edges in (from_corners(self.boxes[number].corners[easy]), read_proposals(self.proposals[number]))
        )
        picture = resized(picture, size)
        if self.flip and rng.random() < 0.5:
            picture = picture.flip(2)
            boxes, proposals = (mirrored(edges, size[1]) for edges in (boxes, proposals))
        return Example(picture, sample(proposals, boxes, self.boxes[number].classes[easy], self.quota, rng))


class View(NamedTuple):
    """A picture to be tested on: (3, h, w) uint8, RGB; proposals, (n, 4), in its pixels; its own height and width."""

    picture: Tensor
    rois: Tensor
    size: tuple[int, int]


@dataclass(frozen=True)
class Views:
    """Makes pictures to be tested on out of a set's files: photographs, and proposals of each."""

    photographs: Sequence[Path]
    proposals: Sequence[Path]
    scale: Scale

    def __call__(self, number: int) -> View:
        """Raises as `Examples` do."""
        picture = read_picture(self.photographs[number])
        height, width = picture.shape[1:]
        seen = self.scale.of(height, width)
        factors = torch.tensor([seen[1] / width, seen[0] / height] * 2)
        rois = torch.from_numpy(read_proposals(self.proposals[number])) * factors
        return View(resized(picture, seen), rois, (height, width))


class Batch(NamedTuple):
    """Pictures of any sizes, with their regions.

    Attributes:
        pictures: (3, h, w) uint8 each, RGB.
        rois: (n, 4) float32 of each.
        labels, targets: as in `Rois`, of each.
    """

    pictures: list[Tensor]
    rois: list[Tensor]
    labels: list[Tensor]
    targets: list[Tensor]


@dataclass(frozen=True)
class Examined:
    """A batch as `tintype.training.train` wants it."""

    batch: Batch

    @classmethod
    def of(cls, examples: Sequence[Example]) -> "Examined":
        pictures = [example.picture for example in examples]
        parts = [[torch.from_numpy(part) for part in example.rois] for example in examples]
        return cls(Batch(pictures, *(list(part) for part in zip(*parts, strict=True))))

    @property
    def shape(self) -> torch.Size:
        """Of the batch, not of its pictures, which differ: the loop counts a step's operations anew for each shape."""
        return torch.Size([len(self)])

    def __len__(self) -> int:
        return len(self.batch.pictures)

    def __getitem__(self, part: slice) -> "Examined":
        return Examined(Batch(*(held[part] for held in self.batch)))

    def to(self, device: torch.device, *, non_blocking: bool = False) -> "Examined":
        moved = ([tensor.to(device, non_blocking=non_blocking) for tensor in held] for held in self.batch)
        return Examined(Batch(*moved))


def read_picture(path: Path) -> Tensor:
    """A photograph, upright, RGB, (3, h, w) uint8. Raises LoadingError where it cannot be read."""
    try:
        return torch.from_numpy(full_size(path.read_bytes())).permute(2, 0, 1)
    except (DamagedPhotoError, OSError) as error:
        raise LoadingError(f"{path} cannot be read: {error}") from error


def resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture, (3, h, w) uint8, at another height and width, antialiased."""
    if size == tuple(picture.shape[1:]):
        return picture
    return interpolate(picture[None], size, mode="bilinear", antialias=True)[0]
