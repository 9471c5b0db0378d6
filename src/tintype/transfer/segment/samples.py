"""What a segmenter is trained on: crops with labels at sampled points, or at all pixels; and whole images.

All that is drawn follows from a generator, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Pixels = NDArray[np.uint8]

SMALLEST = 32  # pixels a side, that every trunk takes


class Sample(NamedTuple):
    """Of one image.

    Attributes:
        pixels: RGB, (3, h, w) uint8.
        labels: class ids, (h, w) uint8, or (N,) at `points`.
        points: (N, 2) int64, row and column of sampled pixels; None: all pixels are trained on.
    """

    pixels: Pixels
    labels: Pixels
    points: NDArray[np.int64] | None


def crop_pair(
    pixels: Pixels, mask: Pixels, rng: np.random.Generator, *, side: int, flip: bool, void: int
) -> tuple[Pixels, Pixels]:
    """The same random square of an image, (h, w, 3), and of its mask, (h, w); half of them mirrored.

    What is shorter than the square is centred on black first, as by the released code, where its mask is void.
    """
    height, width = mask.shape
    above, left = (max(0, side - length) // 2 for length in (height, width))
    below, right = max(0, side - height) - above, max(0, side - width) - left
    pixels = np.pad(pixels, ((above, below), (left, right), (0, 0)))
    mask = np.pad(mask, ((above, below), (left, right)), constant_values=void)
    y, x = (int(rng.integers(length - side + 1)) for length in mask.shape)
    step = -1 if rng.random() < 0.5 and flip else 1
    square = np.s_[y : y + side, x : x + side]
    return pixels[square][:, ::step], mask[square][:, ::step]


def pad_pair(pixels: Pixels, mask: Pixels, multiple: int, void: int) -> tuple[Pixels, Pixels]:
    """An image and its mask with sides that are multiples of `multiple`: the last pixels repeated, their mask void."""
    below, right = (_missing(length, multiple) for length in mask.shape)
    return (
        np.pad(pixels, ((0, below), (0, right), (0, 0)), mode="edge"),
        np.pad(mask, ((0, below), (0, right)), constant_values=void),
    )


def _missing(length: int, multiple: int) -> int:
    return -(-max(length, SMALLEST) // multiple) * multiple - length


def draw_points(mask: Pixels, rng: np.random.Generator, *, count: int, edge: int) -> NDArray[np.int64]:
    """Pixels of a mask, (count, 2), evenly drawn among those at least `edge` from its border, void or not."""
    return np.stack([rng.integers(edge, length - edge, count) for length in mask.shape], axis=1)


def make_sample(pixels: Pixels, mask: Pixels, points: NDArray[np.int64] | None) -> Sample:
    """A sample of an image, (h, w, 3), with the labels of some points, or of all."""
    labels = mask if points is None else mask[points[:, 0], points[:, 1]]
    return Sample(np.ascontiguousarray(pixels.transpose(2, 0, 1)), np.ascontiguousarray(labels), points)


@dataclass(frozen=True)
class Batch:
    """Samples of any sizes, with what the loss of each is divided by.

    Attributes:
        samples: pixels, labels and points of each, as tensors.
        counts: of labels that are not void: of each sample's, or, with points, of all samples', their mean.
    """

    samples: Sequence[tuple[Tensor, Tensor, Tensor | None]]
    counts: Tensor

    @property
    def weights(self) -> Tensor:
        """Of a label of each sample, in the sum that is its loss."""
        return 1 / self.counts.clamp(min=1)

    @property
    def sparse(self) -> bool:
        """Whether labels are those of points, and are counted over all of the batch."""
        return self.samples[0][2] is not None

    @classmethod
    def of(cls, samples: Sequence[Sample], void: int) -> "Batch":
        """A batch whose loss is as the papers' code has it.

        With points, the mean over all of the batch's labels that are not void (SS); with whole masks, the mean over an
        image's, and then over images: Caffe goes through them one by one, with `normalize: true` (RZ).
        """
        counted = torch.tensor([float((sample.labels != void).sum()) for sample in samples])
        if samples[0].points is not None:
            counted = counted.mean().expand(len(samples))
        return cls(
            [
                (
                    torch.from_numpy(sample.pixels),
                    torch.from_numpy(sample.labels),
                    None if sample.points is None else torch.from_numpy(sample.points),
                )
                for sample in samples
            ],
            counted,
        )

    @property
    def shape(self) -> torch.Size:
        return torch.Size((len(self),))  # not that of the images, each of which may have another

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, part: slice) -> "Batch":
        return Batch(self.samples[part], self.counts[part])

    def to(self, device: torch.device, *, non_blocking: bool) -> "Batch":
        def move(x: Tensor | None) -> Tensor | None:
            return None if x is None else x.to(device, non_blocking=non_blocking)

        return Batch([tuple(map(move, one)) for one in self.samples], self.counts.to(device))  # type: ignore[misc]

    def stacks(self) -> list[tuple[Tensor, Tensor, Tensor | None, Tensor]]:
        """Pixels, labels, points and weights, (B, ...): of all samples together where they are of one size, or else of
        one after the other."""
        alike = len({one[0].shape for one in self.samples}) == 1
        parts = [self.samples] if alike else [[one] for one in self.samples]
        weights = [self.weights] if alike else torch.split(self.weights, 1)
        return [
            (
                torch.stack([one[0] for one in part]),
                torch.stack([one[1] for one in part]),
                None if part[0][2] is None else torch.stack([one[2] for one in part if one[2] is not None]),
                weight,
            )
            for part, weight in zip(parts, weights, strict=True)
        ]
