"""What a network thinks of colour at each of its cells: a distribution over the 313 colours (Zhang16, section 2)."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tintype.color import bin_centres
from tintype.runtime.buffers import Plane

_CENTRES: Plane = bin_centres()


@dataclass(frozen=True)
class Distribution:
    """Colours as the network gives them, at its own resolution, before one is decided on.

    Attributes:
        logits: unnormalised log-probabilities of the 313 bins, (h, w, 313) float32.
    """

    logits: Plane

    @property
    def shape(self) -> tuple[int, int]:
        """Cells, down and across."""
        height, width, _ = self.logits.shape
        return height, width

    def mean(self, temperature: float = 1.0, tilt: Plane | None = None) -> Plane:
        """The annealed mean (Zhang16, eq. 5): ab, (2, h, w), CIE units.

        Args:
            temperature: 1 is the mean itself; towards 0 it becomes the likeliest colour.
            tilt: (h, w, 2), in 1 / ab: probabilities are multiplied by e^(tilt · ab) before. Colours that the network
                thinks possible are preferred in that direction; where it is certain, nothing changes.
        """
        logits = self.logits.copy() if tilt is None else np.asarray(self.logits + tilt @ _CENTRES.T, np.float32)
        logits /= np.float32(temperature)
        return np.ascontiguousarray((softmax(logits) @ _CENTRES).transpose(2, 0, 1))

    @cached_property
    def entropy(self) -> Plane:
        """In nats, (h, w): 0 is certainty, log 313 none at all."""
        p = softmax(self.logits)
        entropy: Plane = -np.einsum("hwq,hwq->hw", p, np.log(np.maximum(p, np.finfo(np.float32).tiny)))
        return entropy

    @cached_property
    def spread(self) -> Plane:
        """Standard deviation of ab about its mean, both axes together, (h, w), CIE units."""
        p = softmax(self.logits)
        mean = p @ _CENTRES
        square = p @ np.square(_CENTRES).sum(axis=1)
        spread: Plane = np.sqrt(np.maximum(square - np.square(mean).sum(axis=2), 0))
        return spread

    def likeliest(self, row: int, column: int, count: int = 5, apart: float = 15.0) -> list[tuple[float, float, float]]:
        """Colours that a cell may have, the likeliest first: (a, b, probability).

        Probability is gathered around peaks, so that no two are alike.

        Args:
            row, column: of the cell.
            count: at most.
            apart: distance in ab that two must have at least.
        """
        left = softmax(self.logits[row, column])
        found: list[tuple[float, float, float]] = []
        while len(found) < count and left.max() > 1e-4:
            peak = _CENTRES[left.argmax()]
            near = np.square(_CENTRES - peak).sum(axis=1) < apart**2
            weight = float(left[near].sum())
            a, b = (left[near] @ _CENTRES[near]) / weight
            found.append((float(a), float(b), weight))
            left[near] = 0
        return sorted(found, key=lambda colour: -colour[2])


def softmax(logits: Plane) -> Plane:
    """Probabilities along the last axis."""
    shifted: Plane = logits - logits.max(axis=-1, keepdims=True)
    np.exp(shifted, out=shifted)
    shifted /= shifted.sum(axis=-1, keepdims=True)
    return shifted
