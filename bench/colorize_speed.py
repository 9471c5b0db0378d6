"""How long colorizing takes: a small photograph from a cold start, and a large one against Pillow alone.

python bench/colorize_speed.py [--model M]

Every figure is the least of several rounds: what else the machine does can only add to it.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from _machine import describe
from _photograph import save_photograph
from tintype.runtime.colorizer import Colorizer

KINDS = {"L": "grey", "grey RGB": "grey in three channels", "RGB": "colour"}
PHASES = """
import sys, time
clock = time.perf_counter
marks = [("start", clock())]
mark = lambda name: marks.append((name, clock()))
import numpy; mark("import numpy")
import PIL.Image, PIL.JpegImagePlugin; mark("import Pillow")
import onnxruntime; mark("import ONNX Runtime")
from tintype.runtime import colorizer as c; mark("import tintype")
model, source, target = sys.argv[1:]
colorizer = c.Colorizer(model); mark("load the model")
photo = c.read_photo(source, colorizer.threads); mark("read")
predicted = colorizer._predict(photo, None, False); mark("reduce and predict")
c.Colorizer._predict = lambda *_: predicted
picture = colorizer._colorize(photo, None, 1.0, False); mark("upsample")
c.write_photo(picture, False, photo.metadata, c.Path(target), True, colorizer.threads); mark("merge and write")
for (_, before), (name, after) in zip(marks, marks[1:]):
    print(f"{name}\\t{after - before}")
"""


def least(rounds: int, *actions: Callable[[], object]) -> list[float]:
    """Least seconds of each action, in turns, so that they all meet the same machine."""
    times = [[_seconds(action) for action in actions] for _ in range(rounds)]
    return [min(column) for column in zip(*times, strict=True)]


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def command(model: str, source: Path, target: Path) -> list[str]:
    tintype = str(Path(sys.executable).parent / "tintype")
    return [tintype, "colorize", str(source), "-o", str(target), "--overwrite", "--model", model, "--json"]


def cold(model: str, folder: Path) -> None:
    source = save_photograph(folder / "small.jpg", 1200, 800, "L")
    target = folder / "small.color.jpg"
    run = command(model, source, target)
    (whole, empty) = least(
        9,
        lambda: subprocess.run(run, check=True, capture_output=True),
        lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
    )
    print("1200x800 JPEG, cold")
    print(f"  whole command        {whole:6.3f} s   limit 0.8 s")
    print(f"  python -c pass       {empty:6.3f} s")
    phases: dict[str, list[float]] = {}
    for _ in range(9):
        done = subprocess.run(
            [sys.executable, "-c", PHASES, model, source, target], check=True, capture_output=True, text=True
        )
        for line in done.stdout.splitlines():
            name, seconds = line.split("\t")
            phases.setdefault(name, []).append(float(seconds))
    for name, times in phases.items():
        print(f"  {name:20} {min(times):6.3f} s")


def large(model: str, folder: Path, mode: str) -> None:
    source = save_photograph(folder / f"large-{mode}.jpg", 4000, 3000, mode)
    target = folder / "large.color.jpg"
    colorizer = Colorizer(model)
    colorizer.colorize_file(source, target, overwrite=True)
    with Image.open(target) as image:
        painted = image.copy()

    def decode() -> None:
        with Image.open(source) as image:
            image.load()

    def encode() -> None:
        painted.save(folder / "again.jpg", quality=95, subsampling="4:4:4")

    seen = np.full((1, 1, *_network_shape(colorizer)), 50, dtype=np.float32)
    whole, decoding, encoding, network, run = least(
        7,
        lambda: colorizer.colorize_file(source, target, overwrite=True),
        decode,
        encode,
        lambda: colorizer.model.run(seen),
        lambda: subprocess.run(command(model, source, target), check=True, capture_output=True),
    )
    alone = decoding + encoding
    print(f"4000x3000 JPEG, {KINDS[mode]}")
    print(f"  colorize_file        {whole:6.3f} s = {whole / alone:.2f} x Pillow alone   limit 2.5 x")
    print(f"  whole command, cold  {run:6.3f} s = {run / alone:.2f} x")
    print(f"  Pillow alone         {alone:6.3f} s: decode {decoding:.3f} s, encode the result {encoding:.3f} s")
    print(f"  the network          {network:6.3f} s   limit 0.080 s")
    print(f"  all the rest         {(whole - alone - network) / 12e6 * 1e9:6.1f} ns per pixel")


def _network_shape(colorizer: Colorizer) -> tuple[int, int]:
    from tintype.runtime.region import network_size

    multiple = colorizer.model.multiple
    return tuple(-(-n // multiple) * multiple for n in network_size(3000, 4000, colorizer.model.input_size, multiple))  # type: ignore[return-value]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled", help="a name or an .onnx file")
    arguments = parser.parse_args()
    print(describe("numpy", "pillow", "onnxruntime"))
    with tempfile.TemporaryDirectory() as name:
        cold(arguments.model, Path(name))
        for mode in KINDS:
            large(arguments.model, Path(name), mode)
