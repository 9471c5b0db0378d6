"""Colour that stays steady: predictions are averaged along the motion of the picture, from cut to cut.

Every frame's colour is a weighted mean of the network's prediction for it and of the colour of the frame before, moved
to where its parts are now (`motion`). The colour before counts for as many predictions as went into it, up to MEMORY,
and for less where the picture, motion followed, is not what it was: there something new came into sight. A shot begins
with the mean over its first frames, and a flash, after which the picture goes on as before, is passed over.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.runtime.buffers import Plane
from tintype.video.cuts import difference, is_cut
from tintype.video.motion import half, motion, normalized, sample

AHEAD = 8  # frames that are looked at before a frame is coloured
MEMORY = 30.0  # predictions that are remembered, at most
_FLASH = 3  # frames that a flash lasts, at most
_HISTORY = 12
_LEAST = 1.5  # difference of normalized lightness, at least, that counts as the picture not being what it was


class Look:
    """What is known of a frame: how the network sees it, and what it says of it once it is asked."""

    def __init__(self, seen: Plane, ask: Callable[[], Plane]):
        self.picture = normalized(seen)
        self._ask = ask
        self._ab: Plane | None = None

    @property
    def ab(self) -> Plane:
        if self._ab is None:
            self._ab = self._ask()
        return self._ab


class Steady:
    """Colours the frames of a film one after the other.

    Args:
        stride, origin: from one cell of the network's output to the next, and the centre of cell 0, in pixels seen.
        every: on which frames of a shot the network runs; on those between, colour is only moved along.
    """

    def __init__(self, stride: int, origin: float, every: int = 1):
        self._stride, self._origin, self._every = stride, origin, every
        self._before: Plane | None = None  # the last picture that was no flash
        self._ab = self._weight = np.zeros((0, 0, 0), np.float32)
        self._history: list[float] = []
        self._since = 0  # frames since the shot began
        self.cuts = 0

    def __call__(self, now: Look, ahead: Sequence[Look]) -> Plane:
        """Colour of the next frame, (2, h, w), given up to AHEAD of those after it."""
        if self._before is None:
            return self._begin(now, ahead)
        flow, unlike = self._follow(self._before, now.picture)
        if is_cut(unlike, self._history):
            for later in ahead[:_FLASH]:
                if not is_cut(self._follow(self._before, later.picture)[1], self._history):
                    return self._ab  # a flash
            self.cuts += 1
            return self._begin(now, ahead)
        self._history = [*self._history[1 - _HISTORY :], unlike]
        self._since += 1
        ask = self._since % self._every == 0
        self._ab, self._weight = self._mix(self._ab, self._weight, self._before, now, flow, ask)
        self._before = now.picture
        return self._ab

    def state(self) -> dict[str, NDArray[Any]]:
        """All that the next frames depend on."""
        before = np.zeros((0, 0), np.float32) if self._before is None else self._before
        numbers = np.array([self._since, self.cuts, *self._history], np.float64)
        return {"before": before, "ab": self._ab, "weight": self._weight, "numbers": numbers}

    def restore(self, state: dict[str, NDArray[Any]]) -> None:
        self._before = state["before"] if state["before"].size else None
        self._ab, self._weight = state["ab"], state["weight"]
        self._since, self.cuts = (int(number) for number in state["numbers"][:2])
        self._history = [float(number) for number in state["numbers"][2:]]

    def _begin(self, now: Look, ahead: Sequence[Look]) -> Plane:
        """The mean over the first frames of a shot, from the last of them back to the first."""
        shot, flows = [now], []
        history: list[float] = []
        for later in ahead:
            flow, unlike = self._follow(later.picture, shot[-1].picture)
            if is_cut(unlike, history):
                break
            history.append(unlike)
            shot.append(later)
            flows.append(flow)
        ab = shot[-1].ab
        weight = np.ones((1, *ab.shape[1:]), np.float32)
        for number in range(len(shot) - 2, -1, -1):
            ask = number % self._every == 0
            ab, weight = self._mix(ab, weight, shot[number + 1].picture, shot[number], flows[number], ask)
        self._ab, self._weight, self._before = ab, weight, now.picture
        self._history, self._since = [], 0
        return ab

    def _follow(self, before: Plane, now: Plane) -> tuple[Plane, float]:
        flow = motion(before, now)
        return flow, difference(before, now, flow)

    def _mix(self, ab: Plane, weight: Plane, before: Plane, now: Look, flow: Plane, ask: bool) -> tuple[Plane, Plane]:
        """Colour and its weight, moved from one picture to the next and joined with what the network says there."""
        scale = self._stride / 2  # half-size pixels to a cell
        rows, columns = ((np.arange(count) * self._stride + self._origin) / 2 - 0.5 for count in ab.shape[1:])
        y, x = np.meshgrid(rows, columns, indexing="ij")
        old, new = half(before), half(now.picture)
        way = sample(flow, y, x)
        grid_y, grid_x = np.mgrid[0 : new.shape[0], 0 : new.shape[1]]
        error = np.abs(sample(old[None], grid_y + flow[0], grid_x + flow[1]) - new)
        error = sample(_blur(error), y, x)[0]
        trust = np.exp(-0.5 * (error / max(_LEAST, 2 * float(np.median(error)))) ** 2)
        from_y, from_x = y + way[0], x + way[1]
        outside = (from_y < -0.5) | (from_x < -0.5) | (from_y > new.shape[0] - 0.5) | (from_x > new.shape[1] - 0.5)
        cell_y = np.arange(ab.shape[1])[:, None] + way[0] / scale
        cell_x = np.arange(ab.shape[2])[None] + way[1] / scale
        moved = sample(ab, cell_y, cell_x)
        kept = np.clip(sample(weight, cell_y, cell_x), 0, MEMORY) * np.where(outside, 0, trust)
        if not ask:
            return moved, np.maximum(kept, 0.1).astype(np.float32)
        mixed = (kept * moved + now.ab) / (kept + 1)
        return mixed.astype(np.float32), np.minimum(kept + 1, MEMORY).astype(np.float32)


def _blur(planes: Plane) -> Plane:
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)), "edge")
    height, width = planes.shape[1:]
    total = sum(padded[:, j : j + height, i : i + width] for j in range(3) for i in range(3))
    return np.asarray(total / 9, np.float32)
