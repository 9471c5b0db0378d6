"""Linear SVMs on each layer of a frozen trunk, with all or few labels of VOC (Goyal et al. 2019, VISSL; PAPERS F2).

    tintype transfer svm --weights runs/color --data VOCdevkit/ --out runs/svm
    tintype transfer svm-low-shot --weights runs/color --data VOCdevkit/ --out runs/svm-few

Features, and the results of each layer, are kept in the run's folder, so that a resumed run does not make them again.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from tintype.data.loader import planes
from tintype.recipes import Range
from tintype.recipes.blocks import ConstantSchedule, Count, Optimizer, Positive, WholeNumber
from tintype.runtime.atomic import write_atomically
from tintype.transfer.features import Features, layer_features, unit_length
from tintype.transfer.feed import in_order
from tintype.transfer.linear import chosen_layers
from tintype.transfer.multilabel_scores import class_precisions, mean_precision
from tintype.transfer.pictures import Pictures, fingerprint, open_pictures
from tintype.transfer.pooling import DIMENSIONS
from tintype.transfer.recipe import TransferRecipe
from tintype.transfer.rescaled_crop import squash
from tintype.transfer.session import Session
from tintype.transfer.svm_fit import SvmSettings, draw_shots, fit_classes, fit_low_shot
from tintype.transfer.voc_classifier import crop_side

_log = logging.getLogger(__name__)

_BATCH = 32
VISSL_COSTS = (0.01, 0.1, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 50.0, 100.0, 1000.0)


@dataclass(frozen=True, kw_only=True)
class SvmRecipe(TransferRecipe):
    """SVMs on each layer. What is said of training (steps, batch_size, optimizer, schedule, ema, precision,
    validate_every and others) means nothing here.

    Attributes:
        layers: feature maps; empty: all but the input itself.
        dimensions: that each is average-pooled to, about.
        normalize: features to unit length.
        crop: side of the trunk's input; 0: 227 for AlexNet, 224 for others.
        view: `squash`, the whole picture whatever its aspect; `crop`, the largest centred square.
        costs, folds, max_iter, tol, positive_weight: as of `SvmSettings`.
        shots: positives of each class; empty: all there are, with the cost of each class chosen by cross-validation.
            With few, every cost is tried, and the one that is best on the test set reported, as VISSL does.
        samples: how many times few are drawn.
        year: of the devkit.
        train, test: names of its lists.
        workers: processes that decode, and processes that fit.
    """

    task: Literal["svm"] = "svm"
    steps: Count = 1
    batch_size: WholeNumber = 0
    optimizer: Optimizer = field(default_factory=lambda: Optimizer("sgd", 1.0))
    schedule: ConstantSchedule = field(default_factory=lambda: ConstantSchedule("constant"))
    layers: tuple[str, ...] = ()
    dimensions: Count = DIMENSIONS
    normalize: bool = True
    crop: Annotated[int, Range(0)] = 0
    view: Literal["squash", "crop"] = "squash"
    costs: tuple[Positive, ...] = VISSL_COSTS
    folds: Annotated[int, Range(2)] = 3
    max_iter: Count = 2000
    tol: Positive = 1e-4
    positive_weight: Positive = 2.0
    shots: tuple[Count, ...] = ()
    samples: Count = 5
    year: Count = 2007
    train: str = "trainval"
    test: str = "test"

    @property
    def settings(self) -> SvmSettings:
        """Of the fits."""
        return SvmSettings(self.costs, self.folds, self.max_iter, self.tol, self.positive_weight, self.seed)


def run(session: Session) -> dict[str, Any]:
    """Fit SVMs, and return each layer's average precision; with few shots, in a block of its own.

    The first process works, the others wait.
    """
    recipe = session.recipe
    assert isinstance(recipe, SvmRecipe)
    train, test = open_pictures(session.sources, recipe.year, recipe.train, recipe.test, recipe.val_fraction)
    session.facts |= {"train": fingerprint(train), "test": fingerprint(test)}
    trunk = session.trunk(lambda: train.some(View(train, recipe.crop or 227, recipe.view), recipe.seed))
    layers, side = chosen_layers(trunk, recipe.layers), crop_side(trunk, recipe.crop)
    if not session.accelerator.is_main_process:
        return {}
    nowhere = [name for name, shown in zip(train.classes, (train.labels == 1).any(axis=0), strict=True) if not shown]
    if nowhere:
        _log.warning("no training picture shows %s: left out of all means", ", ".join(nowhere))
    kept = Kept(session, side)
    found = {}
    for layer in layers:
        results = kept.results(layer)
        if results is None:
            known = kept.features(layer, layers, "train", train)
            asked = kept.features(layer, layers, "test", test)
            results = (low_shot if recipe.shots else all_labels)(known, train, asked, test, recipe)
            kept.keep_results(layer, results)
        found[layer] = results
    return found if recipe.shots else of_all(found)


def all_labels(known: Features, train: Pictures, asked: Features, test: Pictures, recipe: SvmRecipe) -> dict[str, Any]:
    """One layer's results with all labels."""
    fitted = fit_classes(known, train.labels, recipe.settings, max(1, recipe.workers))
    scores = fitted.scores(asked)
    precisions = class_precisions(scores, test.labels)
    precisions[np.isnan(fitted.costs)] = np.nan  # of classes that no training picture shows
    row: dict[str, Any] = mean_precision(precisions)
    if test.single:
        row["accuracy"] = 100 * float((scores.argmax(axis=1) == test.labels.argmax(axis=1)).mean())
    return {
        "row": {**row, "fits": fitted.fits, "unconverged": fitted.unconverged},
        "classes": _by_class(precisions[:, 0], test),
        "costs": _by_class(fitted.costs, test),
    }


def low_shot(known: Features, train: Pictures, asked: Features, test: Pictures, recipe: SvmRecipe) -> dict[str, Any]:
    """One layer's results with few labels: mean and standard deviation over the samples, for each number of shots."""
    rows = {}
    for shots in recipe.shots:
        means, fits, unconverged, short = [], 0, 0, set()
        for sample in range(recipe.samples):
            few = draw_shots(train.labels, shots, np.random.default_rng((recipe.seed, shots, sample + 1)))
            one = fit_low_shot(known, few, asked, test.labels, recipe.settings, max(1, recipe.workers))
            known_classes = one.precisions[~np.isnan(one.precisions).any(axis=1)]
            means.append(100 * known_classes.mean(axis=0) if len(known_classes) else np.full(len(recipe.costs), np.nan))
            fits, unconverged = fits + one.fits, unconverged + one.unconverged
            short |= {name for name, had in zip(train.classes, one.positives, strict=True) if 0 < had < shots}
        if short:
            named = ", ".join(sorted(short))
            _log.warning("fewer than %d training pictures show %s: all that do were used", shots, named)
        by_sample = np.stack(means)  # (samples, costs)
        best = int(by_sample.mean(axis=0).argmax())
        chosen = by_sample[:, best]
        rows[f"{shots} shots"] = {
            "mean": float(chosen.mean()),
            "std": float(chosen.std()),
            "min": float(chosen.min()),
            "max": float(chosen.max()),
            "cost": recipe.costs[best],
            "fits": fits,
            "unconverged": unconverged,
            "short_classes": len(short),
        }
    return rows


def of_all(found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """All layers' results: a row for each layer, and each class's average precision (area) and cost in a column."""
    blocks: dict[str, Any] = {"layer": {layer: each["row"] for layer, each in found.items()}}
    for block, inner in (("class", "classes"), ("cost", "costs")):
        names = next(iter(found.values()))[inner]
        blocks[block] = {name: {layer: each[inner][name] for layer, each in found.items()} for name in names}
    return blocks


@dataclass(frozen=True)
class View:
    """Makes what a trunk is shown of a picture, (side, side, 3)."""

    pictures: Pictures
    side: int
    how: str

    def __call__(self, number: int) -> NDArray[np.uint8]:
        pixels = self.pictures.read(number)
        if self.how == "squash":
            return squash(pixels, self.side)
        short = min(pixels.shape[:2])
        top, left = ((length - short) // 2 for length in pixels.shape[:2])
        return squash(pixels[top : top + short, left : left + short], self.side)


class Kept:
    """Features and results in a run's folder, under a name that changes with whatever they follow from."""

    def __init__(self, session: Session, side: int):
        recipe = session.recipe
        assert isinstance(recipe, SvmRecipe)
        self._session, self._recipe, self._side = session, recipe, side
        seen: dict[str, Any] = {
            "trunk": session.subject.described,
            "facts": session.facts,
            "seed": recipe.seed,
            "side": side,
            "view": recipe.view,
            "dimensions": recipe.dimensions,
        }
        asked = {**seen, "normalize": recipe.normalize, "settings": repr(recipe.settings)}
        self._features = session.run / f"features-{_hash(seen)}"
        self._results = session.run / f"layers-{_hash({**asked, 'shots': recipe.shots, 'samples': recipe.samples})}"

    def features(self, layer: str, layers: Sequence[str], name: str, pictures: Pictures) -> Features:
        """A layer's features, made together with those of the layers that follow where they are not there yet."""
        file = self._features / f"{name}-{layer}.npy"
        if not file.exists():
            missing = [each for each in layers if not (self._features / f"{name}-{each}.npy").exists()]
            subject, batches = self._session.subject, _batches(pictures, self._side, self._recipe)
            found = layer_features(subject, missing, batches, dimensions=self._recipe.dimensions)
            for made, vectors in found.items():
                _write(self._features / f"{name}-{made}.npy", partial(np.save, arr=vectors))
        kept: Features = np.load(file)
        return unit_length(kept) if self._recipe.normalize else kept

    def results(self, layer: str) -> dict[str, Any] | None:
        """What was kept of a layer."""
        file = self._results / f"{layer}.json"
        return json.loads(file.read_text("utf-8")) if file.exists() else None

    def keep_results(self, layer: str, results: dict[str, Any]) -> None:
        """Keep a layer's results."""
        _write(self._results / f"{layer}.json", lambda opened: opened.write(json.dumps(results).encode()))


def _batches(pictures: Pictures, side: int, recipe: SvmRecipe) -> Iterator[Tensor]:
    view, numbers = View(pictures, side, recipe.view), range(len(pictures))
    for made in in_order(view, numbers, batch_size=_BATCH, workers=recipe.workers):
        yield planes(np.stack(made))


def _by_class(values: NDArray[np.float64], pictures: Pictures) -> dict[str, float]:
    """Of classes that have a value."""
    return {n: float(v) for n, v in zip(pictures.classes, values, strict=True) if not np.isnan(v)}


def _hash(values: dict[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(values, sort_keys=True, default=str).encode(), digest_size=6).hexdigest()


def _write(file: Path, write: Callable[[Any], Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, write, overwrite=True)
