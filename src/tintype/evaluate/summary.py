"""Figures with 95 % intervals from measurements that come one photograph at a time, in memory that does not grow.

Every figure is a function of a few sums over photographs. The bootstrap keeps these sums for the photographs as they
are and for 1,000 resamples of them. A resample counts each photograph a Poisson(1) number of times, which for many
photographs is the bootstrap's multinomial, and can be drawn without knowing how many are to come (Chamandy et al.,
"Estimating uncertainty for massive data streams", 2012). The draws follow from the seed and the photograph's name, and
are the same for every method, so differences between methods are resampled as pairs.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.evaluate.colour_error import auc, curve, empty_counts

RESAMPLES = 1000
_BATCH = 64  # photographs added to the resamples in one multiplication
_LEVEL = 95

# What is summed of a photograph, for each method. Where a photograph lacks one (no label, say), it counts as nought.
_SUMS = (
    "images",
    "pixels",
    "area",  # numerator of AuC, in pixels
    "weight",
    "weighted_area",
    "squared",
    "neutral_chroma",
    "neutral",  # pixels
    "auc_rebalanced_per_image",
    "psnr",
    "perfect",  # pictures of infinite PSNR
    "ssim",
    "colourfulness",
    "colourfulness_difference",
    "lpips",
    "agreement",
    "labelled",
    "top1",
    "top5",
)

Record = Mapping[str, Any]  # what `suite.measure_photograph` gives for one photograph, as it stands in the records
_Sums = dict[str, NDArray[np.float64]]


class Summary:
    """Takes in one photograph after another, and gives the figures of all.

    Args:
        methods: their names; `grey` and `ground-truth` must be among them where `top1_won_back` is wanted.
        seed: of the resamples.
        resamples: how many; 0 gives no intervals.
    """

    def __init__(self, methods: Sequence[str], seed: int = 0, resamples: int = RESAMPLES):
        self.images = 0
        self._methods = tuple(methods)
        self._seed = seed
        self._sums = np.zeros((1 + resamples, len(methods), len(_SUMS)))
        self._waiting: tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]] = ([], [])
        self._counts = {name: (empty_counts(), empty_counts()) for name in methods}
        self._kinds: set[str] = set()
        self.classes: dict[int, dict[str, int]] = {}
        self.scores: list[tuple[str, list[float]]] = []  # photograph, AuC rebalanced of each method: for galleries

    def add(self, record: Record) -> None:
        """Take in what was measured on one photograph."""
        self.images += 1
        rows = []
        truth = record["colourfulness"]
        for name in self._methods:
            one = record["methods"][name]
            for counts, key in zip(self._counts[name], ("errors", "rebalanced"), strict=True):
                counts[: len(one[key])] += one[key]
            rows.append(_row(one, truth))
            self._kinds |= one.keys()
        draw = np.random.default_rng(_entropy(self._seed, record["photograph"]))
        self._waiting[0].append(np.concatenate([[1.0], draw.poisson(1, len(self._sums) - 1)]))
        self._waiting[1].append(np.array(rows))
        if len(self._waiting[0]) == _BATCH:
            self._add_waiting()
        scores = [record["methods"][name]["auc_rebalanced"] for name in self._methods]
        self.scores.append((record["photograph"], scores))
        if "label" in record:
            hits = self.classes.setdefault(record["label"], dict.fromkeys(("images", *self._methods), 0))
            hits["images"] += 1
            for name in self._methods:
                hits[name] += record["methods"][name]["top1"]

    def _add_waiting(self) -> None:
        weights, rows = self._waiting
        if weights:
            flat = np.stack(rows).reshape(len(rows), -1)
            self._sums += (np.stack(weights).T @ flat).reshape(self._sums.shape)
        weights.clear()
        rows.clear()

    def figures(self) -> dict[str, dict[str, tuple[float, float, float]]]:
        """By method, then by figure: its value, and the bounds of its 95 % interval (NaN where there is none)."""
        self._add_waiting()
        by_name = {
            name: dict(zip(_SUMS, np.moveaxis(self._sums[:, place], -1, 0), strict=True))
            for place, name in enumerate(self._methods)
        }
        truth, nothing = by_name.get("ground-truth"), by_name.get("grey")
        answer = {}
        for name, sums in by_name.items():
            with np.errstate(all="ignore"):
                values = _figures(sums, truth, nothing, self._kinds)
            answer[name] = {figure: _interval(value, self.images) for figure, value in values.items()}
            answer[name] |= {  # the value itself from whole counts, which needs no rounding of sums
                key: (auc(counts), *answer[name][key][1:])
                for key, counts in zip(("auc", "auc_rebalanced"), self._counts[name], strict=True)
            }
        return answer

    def curves(self) -> dict[str, dict[str, NDArray[np.float64]]]:
        """By method: share of `all` pixels, and of the `rebalanced` ones, with an ab error within 0, 1, ..., 150."""
        return {
            name: {"all": curve(plain), "rebalanced": curve(weighted)}
            for name, (plain, weighted) in self._counts.items()
        }


def _entropy(seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed} {name}".encode(errors="surrogateescape")).digest()[:16], "big")


def _row(one: Record, true_colourfulness: float) -> list[float]:
    pixels, weight = float(sum(one["errors"])), float(sum(one["rebalanced"]))
    perfect = one["psnr"] is None
    return [
        1,
        pixels,
        pixels * auc(_whole(one["errors"])) / 100,
        weight,
        weight * one["auc_rebalanced"] / 100,
        one["squared"],
        *one["neutral"],
        one["auc_rebalanced"],
        0.0 if perfect else one["psnr"],
        float(perfect),
        one["ssim"],
        one["colourfulness"],
        abs(one["colourfulness"] - true_colourfulness),
        one.get("lpips", 0.0),
        one.get("agreement", 0),
        float("top1" in one),
        one.get("top1", 0),
        one.get("top5", 0),
    ]


def _whole(counts: Sequence[float]) -> NDArray[np.float64]:
    whole = empty_counts()
    whole[: len(counts)] = counts
    return whole


def _figures(sums: _Sums, truth: _Sums | None, nothing: _Sums | None, kinds: set[str]) -> _Sums:
    """Each figure of one method, of all photographs and of each resample."""
    images = sums["images"]
    finite = np.where(sums["perfect"] > 0, np.inf, sums["psnr"] / images)
    values = {
        "auc": 100 * sums["area"] / sums["pixels"],
        "auc_rebalanced": 100 * sums["weighted_area"] / sums["weight"],
        "auc_rebalanced_per_image": sums["auc_rebalanced_per_image"] / images,
        "rmse_ab": np.sqrt(sums["squared"] / (2 * sums["pixels"])),
        "neutral_chroma": sums["neutral_chroma"] / sums["neutral"],
        "psnr": np.where(images > 0, finite, np.nan),
        "ssim": sums["ssim"] / images,
        "colourfulness": sums["colourfulness"] / images,
        "colourfulness_difference_per_image": sums["colourfulness_difference"] / images,
    }
    if truth is not None:
        values["colourfulness_difference_of_means"] = np.abs(sums["colourfulness"] - truth["colourfulness"]) / images
    if "top1" in kinds:
        values |= {name: 100 * sums[name] / sums["labelled"] for name in ("top1", "top5")}
        if truth is not None and nothing is not None:
            gap = truth["top1"] - nothing["top1"]
            values["top1_won_back"] = np.where(gap > 0, 100 * (sums["top1"] - nothing["top1"]) / gap, np.nan)
    if "agreement" in kinds:
        values["agreement"] = 100 * sums["agreement"] / images
    if "lpips" in kinds:
        values["lpips"] = sums["lpips"] / images
    return values


def _interval(values: NDArray[np.float64], images: int) -> tuple[float, float, float]:
    resampled = values[1:]
    if images < 2 or not len(resampled) or np.isnan(resampled).all():
        return float(values[0]), float("nan"), float("nan")
    resampled = resampled[~np.isnan(resampled)]  # without a single labelled photograph, say
    tail = (100 - _LEVEL) / 2
    low, high = np.percentile(
        resampled, [tail, 100 - tail], method="linear" if np.isfinite(resampled).all() else "nearest"
    )
    return float(values[0]), float(low), float(high)
