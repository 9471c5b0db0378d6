"""The training loop, checkpoints, schedules and logging. Knows nothing of colour."""

from tintype.training.average import WeightAverage
from tintype.training.errors import Interrupted, TrainingError
from tintype.training.launch import launch
from tintype.training.loop import AS_USUAL, Compute, Plan, train

__all__ = ["AS_USUAL", "Compute", "Interrupted", "Plan", "TrainingError", "WeightAverage", "launch", "train"]
