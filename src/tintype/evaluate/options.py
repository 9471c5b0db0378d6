"""What an evaluation can be told, and the networks that judge in it, as far as they are at hand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tintype.evaluate.suite import Networks

AUTO = "auto"  # where it is at hand
NONE = "none"
CLASSIFIER = "efficientnet-lite0"
LPIPS = "alex"


@dataclass(frozen=True)
class Options:
    """The choices of one evaluation; what each means stands in docs/evaluate.md.

    Attributes:
        models: names of bundled models, or .onnx files.
        pictures: folders of pictures that other programs made, by the program's name.
        preset: of `protocol.PRESETS`.
        names: the list of a protocol's photographs.
        prior: a .npy file; None counts the photographs' own colours.
        labels: a CSV or JSON file; None takes folders' names.
        classifier: `auto`, `none`, or a name for `load_classifier`, with a file of weights.
        lpips: `auto`, `none`, `alex`, `vgg` or `squeeze`, with a file of the backbone's weights.
        inception: a file of weights, `auto` or `none`.
        size, temperature, saturation: as `tintype.Colorizer` takes them, for all models.
        seed: of the row `random` and of the intervals' resamples.
        resume: folder of records; None keeps them for the time of the run.
    """

    models: tuple[str, ...] = ("bundled",)
    pictures: Mapping[str, Path] = field(default_factory=dict)
    preset: str = "own-size"
    names: Path | None = None
    prior: Path | None = None
    labels: Path | None = None
    classifier: str = AUTO
    classifier_weights: Path | None = None
    lpips: str = AUTO
    lpips_weights: Path | None = None
    inception: str | Path = AUTO
    size: int | None = None
    temperature: float | None = None
    saturation: float = 1.0
    seed: int = 0
    resume: Path | None = None

    def __post_init__(self) -> None:
        # What would be read by nothing is refused.
        if isinstance(self.models, str):
            raise ValueError(f"models is {self.models!r}; it must be a tuple of names")
        for name in ("classifier", "lpips"):
            weights = getattr(self, f"{name}_weights")
            if weights and getattr(self, name) == NONE:
                raise ValueError(f"{weights}: weights of a network that is not to be used ({name}: none)")
        if not self.models and (self.size, self.temperature, self.saturation) != (None, None, 1.0):
            raise ValueError("size, temperature and saturation are for models, and there is none to measure")


@dataclass(frozen=True)
class Judges:
    """The networks, what a figure must be told with of each (None: not used), and why those left out were."""

    networks: Networks
    told: dict[str, dict[str, Any] | None]
    left_out: dict[str, str]


def load_judges(options: Options) -> Judges:
    """The networks that `options` ask for; of those left to `auto`, the ones that are at hand.

    Raises:
        ValueError: one that is asked for is not there, in one line.
    """
    found: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    loaders: dict[str, tuple[bool, bool, str, Callable[[], Any]]] = {
        "classifier": (
            options.classifier == AUTO and options.classifier_weights is None,
            options.classifier == NONE,
            "timm",
            lambda: _classifier(options),
        ),
        "lpips": (
            options.lpips == AUTO and options.lpips_weights is None,
            options.lpips == NONE,
            "lpips",
            lambda: _lpips(options),
        ),
        "inception": (
            options.inception == AUTO,
            options.inception == NONE,
            "torch_fidelity",
            lambda: _inception(options),
        ),
    }
    for name, (automatic, unwanted, package, load) in loaders.items():
        if unwanted:
            left_out[name] = "not asked for"
        elif automatic and find_spec(package) is None:
            left_out[name] = f"{package.replace('_', '-')} is not installed"
        else:
            try:
                found[name] = load()
            except ValueError as error:
                if not automatic:
                    raise
                left_out[name] = str(error)
    told = {name: _told(found[name]) if name in found else None for name in loaders}
    return Judges(Networks(**found), told, left_out)


def _classifier(options: Options) -> Any:
    from tintype.evaluate.classifier import load_classifier

    name = CLASSIFIER if options.classifier == AUTO else options.classifier
    return load_classifier(name, options.classifier_weights)


def _lpips(options: Options) -> Any:
    from tintype.evaluate.perceptual import load_lpips

    return load_lpips(LPIPS if options.lpips == AUTO else options.lpips, options.lpips_weights)


def _inception(options: Options) -> Any:
    from tintype.evaluate.inception import load_inception

    return load_inception(None if options.inception == AUTO else Path(options.inception))


def _told(judge: Any) -> dict[str, Any]:
    """What is known of a network that can be written down: its name, its weights and their hash."""
    return {
        key: value for key, value in vars(judge).items() if isinstance(value, str | int) and not key.startswith("_")
    }
