"""One evaluation from a folder to the object that `tintype evaluate --json` prints."""

import hashlib
import math
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype import __version__
from tintype.evaluate import methods as rows
from tintype.evaluate.gallery import choose
from tintype.evaluate.measure import Measured
from tintype.evaluate.methods import Method
from tintype.evaluate.options import Judges, Options, load_judges
from tintype.evaluate.photograph import read_photograph
from tintype.evaluate.prior import prior_of, read_prior
from tintype.evaluate.protocol import PRESETS, select
from tintype.evaluate.records import Records
from tintype.evaluate.suite import Task, measure_all
from tintype.evaluate.summary import RESAMPLES, Summary
from tintype.runtime import Colorizer
from tintype.runtime.errors import PhotoError
from tintype.runtime.folders import find

GREY, RANDOM, TRUE = "grey", "random", "ground-truth"  # the paper's rows that need no model
Progress = Callable[[Sequence[Path], str], Iterable[Path]]  # shows a person how far along it is


@dataclass(frozen=True)
class Evaluation:
    """What came out, as JSON can hold it, and the pictures behind it."""

    result: dict[str, Any]
    folder: Path
    methods: dict[str, Method]
    square: bool

    def picture(self, photograph: str, method: str) -> NDArray[np.uint8]:
        """What a method makes of a photograph, named as in the result: (h, w, 3), made anew."""
        return self.methods[method](read_photograph(self.folder / photograph, self.square))


def _silent(paths: Sequence[Path], _: str) -> Iterable[Path]:
    return paths


def run(folder: Path, options: Options, progress: Progress = _silent) -> Evaluation:
    """Measure models, and pictures that other programs made, on a folder of colour photographs.

    Args:
        folder: the photographs, at any depth.
        options: all else.
        progress: given the photographs to go through and what for, gives them one by one.

    Raises:
        ValueError: something asked for is not there or does not fit, in one line; among it, that no photograph could be
            measured.
        OSError: records cannot be written.
    """
    if options.preset not in PRESETS:
        raise ValueError(f"{options.preset!r} is not a protocol; there are {', '.join(PRESETS)}")
    preset = PRESETS[options.preset]
    found = find((str(folder),))
    paths = [Path(path) for path, _ in found.files.values()]
    if not paths:
        raise ValueError(f"{folder}: no photographs in this folder")
    paths = select(paths, preset, options.names)
    prior = read_prior(options.prior) if options.prior else None
    colorizers = {name: Colorizer(name, size=options.size) for name in options.models}
    methods = _methods(folder, paths, colorizers, options)
    judges = load_judges(options)
    if RANDOM not in methods:
        judges.left_out[RANDOM] = "there is no other photograph to take colours from"
    labels = _labels(folder, paths, judges, options)
    protocol = _protocol(paths, colorizers, judges, labels, options)

    damaged = {item.source: item.error or "" for item in found.problems}
    with ExitStack() as stack:
        place = options.resume or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tintype-")))
        records = stack.enter_context(Records(place, _settings(folder, paths, methods, labels, protocol)))
        if prior is None:
            prior = _own_prior(paths, preset.square, records, progress)
        summary = Summary(list(methods), options.seed)
        for record in records:
            summary.add(record)
        names = {path: path.relative_to(folder).as_posix() for path in paths}
        todo = [path for path in paths if names[path] not in records.done]
        task = Task(methods, prior, preset.square, judges.networks, labels)
        for path, measured in measure_all(progress(todo, "evaluating"), task):
            if isinstance(measured, PhotoError):
                damaged[str(path)] = str(measured)
                continue
            record, features = measured
            record = {"photograph": names[path], **record}
            records.add(record, features)
            summary.add(record)
        if not summary.images:
            raise NothingMeasured(f"{folder}: no photograph could be measured", damaged)
        figures = summary.figures()
        _add_distances(figures, list(methods), records, judges)
    result = {
        "images": summary.images,
        "methods": _each(figures, lambda value: _number(value[0])),
        "intervals": _each(figures, _bounds),
        "curves": _each(summary.curves(), lambda shares: [round(float(share), 6) for share in shares]),
        "classes": _classes(summary) if summary.classes else None,
        "gallery": choose(summary.scores, list(methods), [*options.models, *options.pictures]),
        "damaged": [{"input": name, "error": reason} for name, reason in damaged.items()],
        "protocol": protocol,
    }
    return Evaluation(result, folder, methods, preset.square)


class NothingMeasured(ValueError):
    """No photograph could be measured; `damaged` has each with the reason."""

    def __init__(self, line: str, damaged: dict[str, str]):
        super().__init__(line)
        self.damaged = damaged


def _methods(
    folder: Path, paths: Sequence[Path], colorizers: dict[str, Colorizer], options: Options
) -> dict[str, Method]:
    named = [GREY, RANDOM, *colorizers, *options.pictures, TRUE]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice:
        raise ValueError(f"{twice!r} names two methods")
    return {
        GREY: rows.grey,
        **({RANDOM: rows.random_colours(paths, options.seed, folder)} if len(paths) > 1 else {}),
        **{name: rows.colorized(one, options.temperature, options.saturation) for name, one in colorizers.items()},
        **{name: rows.Pictures(place, paths, folder) for name, place in options.pictures.items()},
        TRUE: rows.true,
    }


def _labels(folder: Path, paths: Sequence[Path], judges: Judges, options: Options) -> dict[Path, int]:
    if judges.networks.classifier is None:
        if options.labels:
            why = judges.left_out["classifier"]
            raise ValueError(f"{options.labels}: labels are of no use without a classifier ({why})")
        return {}
    from tintype.evaluate.labels import read_labels

    return read_labels(paths, folder, options.labels)


def _protocol(
    paths: Sequence[Path],
    colorizers: dict[str, Colorizer],
    judges: Judges,
    labels: dict[Path, int],
    options: Options,
) -> dict[str, Any]:
    """What a figure must be told with, to be compared with another."""
    classifier = judges.told["classifier"]
    return {
        "tintype": __version__,
        "preset": options.preset,
        "photographs": len(paths),
        "resize": PRESETS[options.preset].rule,
        "list": options.names and options.names.name,
        "list_sha256": options.names and _sha256(options.names),
        "auc": "trapezoid area over thresholds 0..150",
        "prior": "the photographs' own colours, smoothed" if options.prior is None else options.prior.name,
        "prior_sha256": options.prior and _sha256(options.prior),
        "ssim": "windows of 7 x 7, equal weights, mean over R, G and B",
        "saturation": options.saturation,
        "models": {
            name: {
                "name": colorizer.model.name,
                "sha256": _sha256(colorizer.model.path),
                "size": options.size or colorizer.model.input_size,
                "temperature": options.temperature or colorizer.model.temperature,
            }
            for name, colorizer in colorizers.items()
        },
        "pictures": {name: str(place) for name, place in options.pictures.items()},
        "classifier": classifier,
        "labels": _told_labels(labels, paths, options) if classifier else None,
        "labels_sha256": options.labels and _sha256(options.labels),
        "lpips": judges.told["lpips"],
        "frechet": classifier and {"features": f"pooled features of {classifier['name']}: not FID"},
        "fid": judges.told["inception"],
        "left_out": judges.left_out,
        "intervals": f"95 %, bootstrap over photographs, {RESAMPLES} resamples; for Fréchet distances jackknife of "
        "10 groups of them",
        "seed": options.seed,
    }


def _told_labels(labels: dict[Path, int], paths: Sequence[Path], options: Options) -> str:
    source = options.labels.name if options.labels else "the names of their folders"
    return f"{len(labels)} of {len(paths)} photographs" + (f", from {source}" if labels else "")


def _settings(
    folder: Path,
    paths: Sequence[Path],
    methods: dict[str, Method],
    labels: dict[Path, int],
    protocol: dict[str, Any],
) -> dict[str, Any]:
    """What records depend on: the protocol, the photographs with their labels, and other programs' pictures."""
    theirs = {name: one.files.values() for name, one in methods.items() if isinstance(one, rows.Pictures)}
    return {
        **protocol,
        "measured": list(Measured._fields),
        "photographs": _state(folder, paths),
        "pictures": {name: _state(Path(protocol["pictures"][name]), files) for name, files in theirs.items()},
        "labels": sorted(f"{path.relative_to(folder).as_posix()} {label}" for path, label in labels.items()),
    }


def _state(folder: Path, files: Iterable[Path]) -> str:
    """A hash of the files' places, sizes and times of change: tells that one was changed, without reading it."""
    digest = hashlib.sha256()
    for path in files:
        status = path.stat()
        line = f"{path.relative_to(folder).as_posix()} {status.st_size} {status.st_mtime_ns}\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()


def _own_prior(paths: Sequence[Path], square: bool, records: Records, progress: Progress) -> NDArray[np.float64]:
    place = records.folder / "prior.npy"
    try:
        return read_prior(place)
    except ValueError:  # not there yet, or damaged
        prior, _ = prior_of(progress(paths, "counting colours"), square)  # who cannot be read is told of by the suite
    part = place.with_name("prior.part.npy")
    np.save(part, prior)
    part.replace(place)
    return prior


def _add_distances(
    figures: dict[str, dict[str, tuple[float, float, float]]], names: list[str], records: Records, judges: Judges
) -> None:
    networks = {"frechet": ("classifier", judges.networks.classifier), "fid": ("inception", judges.networks.inception)}
    truth = names.index(TRUE)
    for figure, (network, used) in networks.items():
        if used is None:
            continue
        from tintype.evaluate.frechet import frechet

        true = records.features(f"{network}-{truth}")
        for place, name in enumerate(names):
            same = place == truth
            figures[name][figure] = (0.0, 0.0, 0.0) if same else frechet(true, records.features(f"{network}-{place}"))


def _classes(summary: Summary) -> list[dict[str, Any]]:
    from tintype.evaluate.labels import class_names

    names = class_names()
    return [
        {
            "class": number,
            "name": names[number],
            "images": hits["images"],
            "top1": {name: hit / hits["images"] for name, hit in hits.items() if name != "images"},
        }
        for number, hits in sorted(summary.classes.items())
    ]


def _each(table: dict[str, dict[str, Any]], turn: Callable[[Any], Any]) -> dict[str, dict[str, Any]]:
    return {name: {key: turn(value) for key, value in row.items()} for name, row in table.items()}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _bounds(value: tuple[float, float, float]) -> list[float] | None:
    return [value[1], value[2]] if math.isfinite(value[1]) and math.isfinite(value[2]) else None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
