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
        models: names of bundled models, .onnx files, or names on the Hugging Face Hub.
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
    asked: dict[str, tuple[str | Path, Path | None, str, Callable[[Any, Path | None], Any]]] = {
        "classifier": (options.classifier, options.classifier_weights, "timm", _classifier),
        "lpips": (options.lpips, options.lpips_weights, "lpips", _lpips),
        "inception": (options.inception, None, "torch_fidelity", _inception),
    }
    for judge, (choice, weights, package, load) in asked.items():
        automatic = choice == AUTO and weights is None
        if choice == NONE:
            left_out[judge] = "not asked for"
        elif automatic and find_spec(package) is None:
            left_out[judge] = f"{package.replace('_', '-')} is not installed"
        else:
            try:
                found[judge] = load(choice, weights)
            except ValueError as error:
                if not automatic:
                    raise
                left_out[judge] = str(error)
    told = {judge: _told(found[judge]) if judge in found else None for judge in asked}
    return Judges(Networks(**found), told, left_out)


def _classifier(name: str, weights: Path | None) -> Any:
    from tintype.evaluate.classifier import load_classifier

    return load_classifier(CLASSIFIER if name == AUTO else name, weights)


def _lpips(net: str, weights: Path | None) -> Any:
    from tintype.evaluate.perceptual import load_lpips

    return load_lpips(LPIPS if net == AUTO else net, weights)


def _inception(file: str | Path, _: Path | None) -> Any:
    from tintype.evaluate.inception import load_inception

    return load_inception(None if file == AUTO else Path(file))


def _told(judge: Any) -> dict[str, Any]:
    """What is known of a network that can be written down: its name, its weights and their hash."""
    return {
        key: value for key, value in vars(judge).items() if isinstance(value, str | int) and not key.startswith("_")
    }
