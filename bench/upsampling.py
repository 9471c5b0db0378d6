"""How the network's cells of colour are brought to a photograph's pixels: tintype's way against others.

    taskset -c 1 env OMP_NUM_THREADS=1 python bench/upsampling.py PHOTOGRAPHS [--picture docs/pictures/upsampling.png]

Measured on photographs that the bundled model's recipe holds out of PHOTOGRAPHS (a folder, list or tar). Settings of
OpenCV's filters are the best of a few, and the learned upsamplers are trained, on others. Every way ends in tintype's
own joining with the lightness. The colours that it is given are, in turn:

- the true ones, averaged over the cells of the network: what is lost then is lost in upsampling;
- the same over cells four times as wide and high, which lie on these small photographs as the network's cells lie on
  large ones: from twice the side of what the network sees on, a cell has about 8 x 8 pixels of the guide;
- the model's.

Time is the processor's, of one core, from cells to pixels, the least of several rounds in turns: per megapixel of
photographs of 1 and 12 megapixels. "time" is that of 1 megapixel, "RMSE" the root mean square error of ab, over
tintype's. Errors are in CIE ab units. An edge is two pixels of a row or a column, 4 from one to the other, whose
lightness differs by 30 or more. "near": mean error (Euclidean) of the pixels from one to the other; "near / far": that
over the mean of all other pixels. "kept": share of the true step of colour over edges that the picture has, where that
step is 10 or more (found steps projected on true ones); what is missing leaked, or was never predicted. "false": mean
step of the picture's colour over edges where the true one is under 4.

Needs opencv-contrib-python-headless.
"""

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from skimage.data import astronaut
from tqdm import tqdm

from _held_out import photographs
from _leakage import leakage, leakage_sums
from _learned import learned, pairs_of, train
from _machine import describe
from _photograph import free_photographs
from _upsamplers import (
    Scene,
    Way,
    best,
    bicubic,
    bilinear,
    calmed,
    cell_means,
    corrected,
    guided,
    joint_bilateral,
    lay,
    merged,
    ours,
    plain,
    two_steps,
    zhang16,
)
from tintype.evaluate import Photograph
from tintype.evaluate.colour_error import auc, count_errors, empty_counts, picture_ab, rmse_ab
from tintype.evaluate.fidelity import psnr, squared_error
from tintype.evaluate.photograph import grey_of
from tintype.runtime.buffers import Plane
from tintype.runtime.model import Model, load_model
from tintype.runtime.photo import grey_lightness
from tintype.runtime.predict import predict

OURS = "tintype's"
JOINT_BILATERAL = {
    f"{contrast} L, {nearness} cells": joint_bilateral(contrast, nearness)
    for contrast, nearness in itertools.product((3, 6, 12), (0.25, 0.5))
}
GUIDED = {
    f"radius {radius} cells, epsilon {epsilon}": guided(radius, epsilon)
    for radius, epsilon in itertools.product((0.25, 0.5, 1), (1, 10, 50))
}
CHOSEN_ON = 20  # photographs
WIDTHS = (12, 32)  # channels of the learned upsamplers; the first takes as long as tintype's way
TIMED = {(1200, 833): 9, (4000, 3000): 3}  # width, height, and rounds
CROPS = {  # left, top and side, of some that have edges of lightness between colours
    "astronaut": (20, 255, 130),
    "coffee": (110, 60, 130),
    "rocket": (250, 250, 130),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", help="folder, list or tar, as the recipe has it")
    parser.add_argument("--count", type=int, default=200, help="photographs to measure on")
    parser.add_argument("--train", type=int, default=600, help="photographs to learn and choose settings from")
    parser.add_argument("--model", default="bundled")
    parser.add_argument("--steps", type=int, default=1500, help="of training the learned upsamplers")
    parser.add_argument("--picture", type=Path, help="write crops of free photographs here")
    args = parser.parse_args()

    model = load_model(args.model, threads=1)
    few, many = photographs(args.photographs, args.train, args.count)
    print(describe("numpy", "onnxruntime", "scipy", "opencv-contrib-python-headless"))
    with tempfile.TemporaryDirectory() as place:
        ways = all_ways(few, model, args.steps, Path(place))
        times = {shape: seconds(ways, model, shape, rounds) for shape, rounds in TIMED.items()}
        size = model.input_size
        for title, side, truth in (
            (f"true colours over the cells of {size} x {size} pixels seen", size, True),
            ("true colours over cells four times as wide and high", size // 4, True),
            (f"colours of {model.name}", size, False),
        ):
            print(f"\n{title}; {len(many)} photographs")
            show(measure(many, ways, model, side, truth), times)
        if args.picture:
            save_crops(args.picture, ways, model)


def all_ways(few: list[Photograph], model: Model, steps: int, place: Path) -> dict[str, Way]:
    """Every way by its name. Settings are chosen on `few`, whose colours the learned ones learn from, too."""
    chosen = [
        (picture_ab(one.true), lay(one.grey, model, size))
        for one, size in itertools.product(few[:CHOSEN_ON], (model.input_size, model.input_size // 4))
    ]
    joint, guide = best(JOINT_BILATERAL, chosen), best(GUIDED, chosen)
    print(f"OpenCV's joint bilateral filter: {joint[0]}; its guided filter: {guide[0]}")
    ways: dict[str, Way] = {
        "bilinear": lambda cells, scene: plain(bilinear(cells, scene), scene),
        "bicubic": lambda cells, scene: plain(bicubic(cells, scene), scene),
        "bicubic, Zhang16's script": zhang16,
        "joint bilateral, OpenCV": joint[1],
        "guided filter, OpenCV": guide[1],
        f"{OURS} steps 1 and 2": two_steps,
        OURS: ours,
        f"{OURS}, corrected": corrected,
        f"{OURS}, calmed": calmed,
    }
    pairs = pairs_of(few, model)
    for width in WIDTHS:
        start = time.process_time()
        network = train(width, pairs, steps)
        print(
            f"learned, {width} channels: {steps} steps on {len(few)} photographs, {time.process_time() - start:.0f} s"
        )
        ways[f"learned, {width} channels"] = learned(network, place)
    return ways


def seconds(ways: dict[str, Way], model: Model, shape: tuple[int, int], rounds: int) -> dict[str, float]:
    """Processor seconds from cells to pixels, by way, of a photograph of this width and height."""
    true = np.asarray(Image.fromarray(astronaut()).resize(shape, Image.Resampling.BICUBIC))
    scene = lay(grey_of(true), model, model.input_size)
    cells = cell_means(picture_ab(true), scene)
    took = dict.fromkeys(ways, np.inf)
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            merged(way(cells, scene), scene)
            took[name] = min(took[name], time.process_time() - start)
    return took


def given(one: Photograph, model: Model, side: int, truth: bool) -> tuple[Plane, Scene]:
    """The colours of a photograph's cells: true ones, or the model's."""
    scene = lay(one.grey, model, side)
    if truth:
        return cell_means(picture_ab(one.true), scene), scene
    return predict(model, scene.region, None).ab, scene


class Sums:
    """What is added up over the pictures of one way."""

    def __init__(self) -> None:
        self.errors, self.leaks, self.squared, self.psnr, self.pixels = empty_counts(), np.zeros((4, 2)), 0.0, 0.0, 0
        self.pictures = 0

    def add(self, one: Photograph, picture: NDArray[np.uint8]) -> None:
        true_ab, ab = picture_ab(one.true), picture_ab(picture)
        plain, _, squared = count_errors(true_ab, ab, np.ones(one.grey.shape))
        self.errors += plain
        self.leaks += leakage_sums(grey_lightness(256)[one.grey], true_ab, ab)
        self.squared += squared
        self.psnr += psnr(squared_error(one.true, picture))
        self.pixels += one.grey.size
        self.pictures += 1


def measure(many: list[Photograph], ways: dict[str, Way], model: Model, side: int, truth: bool) -> dict[str, Sums]:
    """Every way on photographs, of which the network sees squares of this side, as it were."""
    found = {name: Sums() for name in (*ways, "true")}
    for one in tqdm(many, disable=None):
        cells, scene = given(one, model, side, truth)
        for name, way in ways.items():
            found[name].add(one, merged(way(cells, scene), scene))
        found["true"].leaks += leakage_sums(grey_lightness(256)[one.grey], *[picture_ab(one.true)] * 2)
    return found


def show(found: dict[str, Sums], times: dict[tuple[int, int], dict[str, float]]) -> None:
    sizes = list(times)
    heads = ["", *(f"ms / MP, {w * h / 1e6:.0f} MP" for w, h in sizes), "time"]
    heads += ["AuC", "PSNR", "RMSE ab", "RMSE", "near", "near / far", "kept %", "false"]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    base = found[OURS]
    for name, sums in found.items():
        leaks = leakage(sums.leaks)
        if not sums.pictures:
            print(f"| {name} |" + " |" * (len(heads) - 3) + f" {leaks.kept:.1f} | {leaks.false:.2f} |")
            continue
        each = [f"{1e9 * times[w, h][name] / (w * h):.1f}" for w, h in sizes]
        ratio = times[sizes[0]][name] / times[sizes[0]][OURS]
        error = rmse_ab(sums.squared, sums.pixels)
        cells = [*each, f"{ratio:.2f} x", f"{auc(sums.errors):.2f}", f"{sums.psnr / sums.pictures:.2f}", f"{error:.2f}"]
        cells += [f"{error / rmse_ab(base.squared, base.pixels):.2f} x", f"{leaks.near:.2f}", f"{leaks.ratio:.2f}"]
        print("| " + " | ".join([name, *cells, f"{leaks.kept:.1f}", f"{leaks.false:.2f}"]) + " |", flush=True)


def save_crops(path: Path, ways: dict[str, Way], model: Model) -> None:
    """Parts of free photographs: true, from true colours over cells, and from the model's."""
    shown = {name: ways[name] for name in ("bilinear", "joint bilateral, OpenCV", OURS, [*ways][-1])}
    side, gap, head = 140, 4, 30
    sheet = Image.new("RGB", ((2 * len(shown) + 1) * (side + gap) - gap, head + len(CROPS) * (side + gap)), "white")
    draw = ImageDraw.Draw(sheet)
    heads = ["true", *(f"{kind}:\n{name}" for kind in ("true cells", "model's cells") for name in shown)]
    for column, text in enumerate(heads):
        draw.multiline_text((column * (side + gap), 2), text, "black", spacing=1)
    free = free_photographs()
    for row, (name, (left, top, width)) in enumerate(CROPS.items()):
        true = free[name]
        one = Photograph(path, true, grey_of(true), true.shape[:2])
        pictures = [true]
        for truth in (True, False):
            cells, scene = given(one, model, model.input_size, truth)
            pictures += [merged(way(cells, scene), scene) for way in shown.values()]
        for column, picture in enumerate(pictures):
            crop = Image.fromarray(picture).crop((left, top, left + width, top + width)).resize((side, side))
            sheet.paste(crop, (column * (side + gap), head + row * (side + gap)))
    sheet.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    print(f"\n{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
