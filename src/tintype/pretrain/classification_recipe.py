"""A recipe for pretraining with labels, which colorization is compared with (Larsson17, Table 4)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from tintype.pretrain.recipe import Data, check_parts
from tintype.recipes import Range
from tintype.recipes.blocks import (
    ConstantSchedule,
    CosineSchedule,
    Count,
    Optimizer,
    StepsSchedule,
    WholeNumber,
    to_yaml,
)


@dataclass(frozen=True)
class ClassificationObjective:
    """Cross-entropy over the classes."""

    name: Literal["classification"]


@dataclass(frozen=True)
class ClassificationRecipe:
    """Everything that a run with labels follows from, besides its photographs, labels and machine.

    Its head is a linear layer on the mean of a feature map. Keys are as of `tintype.pretrain.recipe`.

    Attributes:
        layer: that feature map, at which the trunk ends; `last`.
        input: what the network sees: `lightness`, CIE L; `mean`, (R + G + B) / 3; or `colour`, RGB; all in [0, 100].
        pretrained: weights to start the trunk from: `none`; a tintype .safetensors of the same trunk, whatever it was
            trained for; published weights for the trunk; `package:NAME/FILE`; `owner/name` on the Hub; `required`,
            or `required: WHAT`.
        study: the label study that it learns from, as `tintype labels` makes it; `none`: the photographs' own labels,
            unless others are given.
    """

    name: str
    description: str
    steps: Count
    batch_size: Count
    seed: WholeNumber
    trunk: str
    objective: ClassificationObjective
    data: Data
    optimizer: Optimizer
    schedule: ConstantSchedule | StepsSchedule | CosineSchedule
    layer: str = "last"
    input: Literal["lightness", "mean", "colour"] = "lightness"
    study: str = "none"
    pretrained: str = "none"
    freeze: str = "none"
    ema: Annotated[float, Range(0, 0.999999)] = 0.0
    precision: Literal["fp32", "bf16"] = "fp32"
    log_every: Count = 50
    validate_every: Count = 1000
    checkpoint_every: Count = 1000
    keep: Count = 2

    def __post_init__(self) -> None:
        check_parts(self.data, self.optimizer, self.schedule, self.steps)

    def to_yaml(self) -> str:
        """The resolved recipe, with every default written out; itself a recipe."""
        return to_yaml(asdict(self))


def is_classification(values: Mapping[str, Any]) -> bool:
    """Whether the values of a recipe are those of one with labels."""
    objective = values.get("objective")
    return (
        isinstance(objective, Mapping)
        and objective.get("name") == ClassificationObjective.__annotations__["name"].__args__[0]
    )
