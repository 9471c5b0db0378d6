"""Recipes of transfer: how it is measured what a trunk has learned."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from tintype.recipes import Range, RecipeError
from tintype.recipes.blocks import (
    ConstantSchedule,
    CosineSchedule,
    Count,
    Fraction,
    Optimizer,
    StepsSchedule,
    WholeNumber,
    check_optimizer,
    check_schedule,
)


@dataclass(frozen=True)
class Surgery:
    """What is changed of a trunk before a task; recorded in the results.

    Attributes:
        input: what it sees: `same`, what it was pretrained on; `lightness` or `mean` for a grey trunk; `colour`, for
            which a grey first layer is copied to three channels and divided by 3 (Larsson17); `lab`, for which a grey
            first layer gets filters of ab that start at zero (Zhang16). A colour trunk that is to see grey has its
            filters summed.
        batch_norm: `tuned` as the rest is; `frozen`, with the statistics it has; `folded` into the convolutions.
        rebalance: rescale a chain without batch-norm so that each layer's outputs have variance 1 (Larsson17).
        end_at: the trunk ends at this feature map, whatever of it there is above; `none`.
        freeze_below: nothing up to and with this feature map is trained; `none`, or `all`.
        padding: `same` as pretrained; `classifier`, that of AlexNet's and VGG-16's classifiers: conv1 and the poolings
            of AlexNet without padding, fc6 without padding or dilation, dropout of fc6 and fc7.
    """

    input: Literal["same", "lightness", "mean", "colour", "lab"] = "same"
    batch_norm: Literal["tuned", "frozen", "folded"] = "tuned"
    rebalance: bool = False
    end_at: str = "none"
    freeze_below: str = "none"
    padding: Literal["same", "classifier"] = "same"


@dataclass(frozen=True)
class EarlyStopping:
    """Larsson17's: train on nine tenths, divide the rate by ten when the score on the rest stops rising, twice, then
    stop; then do the same on all of the data, dropping and stopping at the same steps.

    Attributes:
        held_out: share of the training data that decides.
        patience: validations without a new best score after which the rate drops.
        factor: of a drop.
        drops: how many, before the next one ends the run.
    """

    name: Literal["early_stopping"]
    held_out: Annotated[float, Range(0, 0.5, open_low=True)] = 0.1
    patience: Count = 3
    factor: Annotated[float, Range(0, 1, open_low=True)] = 0.1
    drops: WholeNumber = 2


@dataclass(frozen=True, kw_only=True)
class TransferRecipe:
    """What all tasks have in common.

    Attributes:
        task: which of `tintype.transfer.tasks.TASKS`.
        steps: updates; at most, with early stopping.
        batch_size: pictures in a step, over all processes.
        trunk: of the weights, where their file does not say (published ones, random ones).
        val_fraction: share of the training data held out where there is no test set; a devkit has its own lists.
        workers: processes that decode.
    """

    task: str
    name: str
    description: str
    steps: Count
    batch_size: Count
    seed: WholeNumber = 0
    trunk: str = "weights"
    surgery: Surgery = field(default_factory=Surgery)
    optimizer: Optimizer
    schedule: ConstantSchedule | StepsSchedule | CosineSchedule | EarlyStopping
    ema: Annotated[float, Range(0, 0.999999)] = 0.0
    precision: Literal["fp32", "bf16"] = "fp32"
    val_fraction: Fraction = 0.1
    workers: WholeNumber = 2
    log_every: Count = 50
    validate_every: Count = 1000
    checkpoint_every: Count = 1000
    keep: Count = 1

    def __post_init__(self) -> None:
        check_optimizer(self.optimizer)
        check_schedule(self.schedule, self.steps)
        if isinstance(self.schedule, EarlyStopping) and self.ema:
            raise RecipeError(f"key 'ema' is {self.ema}; early stopping goes by the weights themselves: leave it at 0")
        if isinstance(self.schedule, EarlyStopping) and self.validate_every > self.steps:
            raise RecipeError(
                f"key 'validate_every' is {self.validate_every}; early stopping wants more than one validation in "
                f"{self.steps} steps"
            )
