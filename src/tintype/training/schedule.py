"""Learning-rate schedules: pure functions of the step, so that a resumed run needs no state of theirs.

`step` counts updates from 0. Each function returns the factor on the base learning rate.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence


def piecewise(step: int, milestones: Sequence[int], factors: Sequence[float]) -> float:
    """1 before the first milestone, then each milestone's own factor from that step on."""
    passed = bisect_right(milestones, step)
    return 1.0 if passed == 0 else factors[passed - 1]


def cosine(step: int, steps: int, warmup: int = 0, floor: float = 0.0) -> float:
    """Linear warm-up to 1 over `warmup` steps, then half a cosine that would reach `floor` at update `steps`."""
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, steps - warmup))
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * progress))
