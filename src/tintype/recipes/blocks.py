"""Parts that recipes of pretraining and of transfer have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import yaml

from tintype.recipes.parse import Range, RecipeError

Count = Annotated[int, Range(1)]
WholeNumber = Annotated[int, Range(0)]
Positive = Annotated[float, Range(0, open_low=True)]
NonNegative = Annotated[float, Range(0)]
Fraction = Annotated[float, Range(0, 1)]

REQUIRED, BUNDLED = "required", "bundled"


@dataclass(frozen=True)
class Optimizer:
    """Attributes:
    betas: Adam's; for sgd the first is the momentum.
    weight_decay: for adam and sgd on every parameter, as L2 in the gradient (as Caffe does); for adamw decoupled, and
        not on biases and norms.
    trunk_lr: factor on the trunk's learning rate.
    bias_lr: factor on the learning rate of biases; Caffe's networks have 2.
    bias_decay: whether adam and sgd decay biases too.
    clip: largest norm of the gradient; 0 does not clip.
    nesterov: whether sgd's momentum is Nesterov's.
    """

    name: Literal["adam", "adamw", "sgd"]
    lr: Positive
    betas: tuple[Fraction, ...] = (0.9, 0.999)
    weight_decay: NonNegative = 0.0
    trunk_lr: NonNegative = 1.0
    bias_lr: Positive = 1.0
    bias_decay: bool = True
    clip: NonNegative = 0.0
    nesterov: bool = False


@dataclass(frozen=True)
class ConstantSchedule:
    """The same learning rate throughout."""

    name: Literal["constant"]


@dataclass(frozen=True)
class StepsSchedule:
    """From each milestone (in steps) on, the learning rate is `optimizer.lr` times its factor."""

    name: Literal["steps"]
    milestones: tuple[Count, ...]
    factors: tuple[Positive, ...]


@dataclass(frozen=True)
class CosineSchedule:
    """Linear warm-up over `warmup` steps, then half a cosine down to `floor` times `optimizer.lr`."""

    name: Literal["cosine"]
    warmup: WholeNumber = 0
    floor: Fraction = 0.0


Schedule = ConstantSchedule | StepsSchedule | CosineSchedule


def check_optimizer(optimizer: Optimizer) -> None:
    """Check what no key's own range says. Raises RecipeError."""
    if len(optimizer.betas) != 2 or max(optimizer.betas) >= 1:
        raise RecipeError(f"key 'optimizer.betas' is {list(optimizer.betas)}; it must be two numbers below 1")
    if optimizer.nesterov and (optimizer.name != "sgd" or not optimizer.betas[0]):
        raise RecipeError("key 'optimizer.nesterov' is true, which is for sgd with momentum")


def check_scale(scale: Sequence[float], key: str) -> None:
    """Check the sides of random crops, relative to a photograph's short side. Raises RecipeError."""
    if len(scale) != 2 or not 0 < scale[0] <= scale[1]:
        raise RecipeError(f"key '{key}' is {list(scale)}; it must be [low, high] with 0 < low <= high <= 1")


def check_schedule(schedule: object, steps: int) -> None:
    """Check a schedule against the length of its run. Raises RecipeError."""
    if isinstance(schedule, StepsSchedule) and (
        len(schedule.milestones) != len(schedule.factors) or list(schedule.milestones) != sorted(schedule.milestones)
    ):
        raise RecipeError("key 'schedule.milestones' must rise, and 'schedule.factors' have one number for each")
    if isinstance(schedule, CosineSchedule) and schedule.warmup >= steps:
        raise RecipeError(f"key 'schedule.warmup' is {schedule.warmup}; it must be below steps ({steps})")


def to_yaml(recipe: Mapping[str, Any]) -> str:
    """A recipe's values as YAML."""
    text: str = yaml.safe_dump(_plain(recipe), sort_keys=False, allow_unicode=True, width=120)
    return text


def _plain(value: Any) -> Any:
    """Values as YAML gives them back: tuples are lists."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value
