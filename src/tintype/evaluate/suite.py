"""The suite: every figure of every method over colour photographs, in one stream.

What is kept of a photograph goes to disk (`records`) and into sums of fixed size (`summary`), so memory does not grow
with the number of photographs, but for their names and one score each.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tintype.color import rebalancing_weights
from tintype.evaluate.measure import Measured, measure, true_colours
from tintype.evaluate.methods import Method
from tintype.evaluate.photograph import Photograph, read_photograph
from tintype.runtime.errors import PhotoError

_KEPT = 1 << 22  # pixels of a photograph whose true colours are kept for the next method, 16 bytes each
_TOP = 5

Pictures = Sequence[NDArray[np.uint8]]


class Classifies(Protocol):
    """What is asked of a `tintype.evaluate.classifier.Classifier`: logits and pooled features of pictures."""

    def __call__(self, pictures: Pictures) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...


@dataclass(frozen=True)
class Networks:
    """The networks that judge, each None where it is not asked or not at hand."""

    classifier: Classifies | None = None
    lpips: Callable[[NDArray[np.uint8], Pictures], Sequence[float]] | None = None
    inception: Callable[[Pictures], NDArray[np.float32]] | None = None


@dataclass(frozen=True)
class Task:
    """What is measured on every photograph.

    Attributes:
        methods: each by its name; all are given the same grey pictures. `ground-truth` must be among them.
        prior: (313,) distribution over the bins. In the rebalanced figures a pixel weighs 1 / prior of the bin nearest
            to its true colour. A bin of zero prior weighs as the rarest of the others.
        square: whether photographs are resized to 256×256.
        networks: those that judge.
        labels: the class of a photograph, where it is known.
    """

    methods: Mapping[str, Method]
    prior: ArrayLike
    square: bool = False
    networks: Networks = field(default_factory=Networks)
    labels: Mapping[Path, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if "ground-truth" not in self.methods:
            raise ValueError("a task needs the method 'ground-truth', which the others are held against")


Features = dict[str, NDArray[np.float32]]


def measure_all(
    paths: Iterable[Path], task: Task
) -> Iterable[tuple[Path, tuple[dict[str, Any], Features] | PhotoError]]:
    """Measure photograph after photograph.

    Yields:
        Each path with its record, which JSON can hold, and its features, by network and method; or with the error for
        which it is left out of every method alike: it cannot be read, or some method cannot make a picture of it.
    """
    weights = rebalancing_weights(task.prior, uniform=0.0)
    for path in paths:
        try:
            photograph = read_photograph(path, task.square)
            made = {name: method(photograph) for name, method in task.methods.items()}
            judged, features = _judge(photograph, made, task)
        except PhotoError as error:
            yield path, PhotoError(_naming(path, error))
            continue
        measured = _measure_colours(photograph, made, weights)
        record: dict[str, Any] = {
            "methods": {name: as_json(one) | judged[name] for name, one in measured.items()},
            "colourfulness": measured["ground-truth"].colourfulness,
        }
        if path in task.labels and task.networks.classifier:
            record["label"] = task.labels[path]
        yield path, (record, features)


def _measure_colours(
    photograph: Photograph, made: Mapping[str, NDArray[np.uint8]], weights: NDArray[np.float64]
) -> dict[str, Measured]:
    height, width = photograph.grey.shape
    known = list(true_colours(photograph.true, weights)) if height * width <= _KEPT else None
    return {
        name: measure(photograph.true, picture, known or true_colours(photograph.true, weights))
        for name, picture in made.items()
    }


def _judge(
    photograph: Photograph, made: Mapping[str, NDArray[np.uint8]], task: Task
) -> tuple[dict[str, dict[str, Any]], Features]:
    """What the networks say of a photograph's pictures, by method, and the features that they saw."""
    names, pictures, truth = list(made), list(made.values()), list(made).index("ground-truth")
    says: dict[str, dict[str, Any]] = {name: {} for name in names}
    features: Features = {}
    if task.networks.classifier:
        logits, pooled = task.networks.classifier(pictures)
        features |= {f"classifier-{place}": row for place, row in enumerate(pooled)}
        answers = logits.argmax(axis=1)
        label = task.labels.get(photograph.path)
        if label is not None and logits.shape[1] <= label:
            raise ValueError(f"labels are ImageNet's 1,000 classes; this classifier has {logits.shape[1]:,}")
        for name, row, answer in zip(names, logits, answers, strict=True):
            says[name]["agreement"] = int(answer == answers[truth])
            if label is not None:
                says[name] |= {"top1": int(answer == label), "top5": int((row > row[label]).sum() < _TOP)}
    if task.networks.lpips:
        try:
            distances = task.networks.lpips(photograph.true, pictures)
        except ValueError as error:  # too small for its network
            raise PhotoError(str(error)) from error
        for name, distance in zip(names, distances, strict=True):
            says[name]["lpips"] = float(distance)
    if task.networks.inception:
        seen = task.networks.inception(pictures)
        features |= {f"inception-{place}": row for place, row in enumerate(seen)}
    return says, features


def as_json(one: Measured) -> dict[str, Any]:
    """What was measured of a picture, as a record has it."""
    return {
        "errors": [int(value) for value in np.trim_zeros(one.errors, "b")],
        "rebalanced": np.trim_zeros(one.rebalanced, "b").tolist(),
        "squared": one.squared,
        "neutral": one.neutral.tolist(),
        "auc_rebalanced": one.auc_rebalanced,
        "psnr": one.psnr if np.isfinite(one.psnr) else None,
        "ssim": one.ssim,
        "colourfulness": one.colourfulness,
    }


def _naming(path: Path, error: PhotoError) -> str:
    # what went wrong with a picture in memory is told without its name
    return str(error) if str(path) in str(error) else f"{path}: {error}"
