"""The tasks of transfer by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tintype.transfer import classify, linear, low_shot, segment, shift, svm
from tintype.transfer.detect import task as detect
from tintype.transfer.detect.recipe import DetectRecipe
from tintype.transfer.recipe import TransferRecipe
from tintype.transfer.session import Session


@dataclass(frozen=True)
class Task:
    """A task: the kind of its recipes, and what runs one and returns its results, plain values for JSON."""

    recipe: type[TransferRecipe]
    run: Callable[[Session], dict[str, Any]]


TASKS: dict[str, Task] = {
    "classify": Task(classify.ClassifyRecipe, classify.run),
    "detect": Task(DetectRecipe, detect.run),
    "linear": Task(linear.LinearRecipe, linear.run),
    "low-shot": Task(low_shot.LowShotRecipe, low_shot.run),
    "segment": Task(segment.SegmentRecipe, segment.run),
    "shift": Task(shift.ShiftRecipe, shift.run),
    "svm": Task(svm.SvmRecipe, svm.run),
}
