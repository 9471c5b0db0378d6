"""Images per second of the data loader, relative to bare libjpeg-turbo.

    python bench/data_loading.py [FOLDER OR TAR ...]

For photographs of three sizes (those given, or $TINTYPE_PHOTOS/train; then some of scikit-image's, enlarged to 500 and
1600 pixels), one core:

bare            read the file, decode it by libjpeg-turbo at the scale that the crop needs, cut a window out
bare + resize   the same, and resize the window to the crop's size, antialiased
tintype         what a worker of the loader does: draw the photograph and the crop, read, decode, cut, resize, mirror

All three read the same photographs and cut the same crops. Time is this process's own, so that other work on the
machine matters less, and the best of several rounds that take turns. The last column is the wall clock's: one worker
process with batches received by this one, relative to the same batches made in this one.
"""

import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import simplejpeg
import torch
from PIL import Image
from skimage import data as samples
from torch.nn.functional import interpolate

from _machine import describe
from tintype.data import Batches, Photos, batches, open_photos
from tintype.data.sampling import CROP, Sampler, uniform

CROP_SIZE = 112
BATCH = 64
STEPS = 4
ROUNDS = 12


def bare(photos: Photos, resize: bool) -> None:
    """The crops of `tintype`, by the shortest way there."""
    sampler = Sampler(photos.sizes, photos.weights, seed=0)
    for step in range(STEPS):
        numbers = sampler.draw(step * BATCH, BATCH)
        sides, lefts, tops = (uniform(np.arange(BATCH) + step * BATCH, 0, CROP, k) for k in range(3))
        sides = 0.5 + 0.5 * sides
        batch = np.empty((BATCH, CROP_SIZE, CROP_SIZE, 3), np.uint8)
        for i, number in enumerate(numbers):
            blob = photos[number].read()
            least = int(np.ceil(CROP_SIZE / sides[i]))
            pixels = simplejpeg.decode_jpeg(blob, "RGB", min_height=least, min_width=least, min_factor=2)
            height, width = pixels.shape[:2]
            side = round(sides[i] * min(height, width))
            y, x = round(tops[i] * (height - side)), round(lefts[i] * (width - side))
            window = pixels[y : y + side, x : x + side]
            if resize:
                planes = torch.from_numpy(np.ascontiguousarray(window))[None].permute(0, 3, 1, 2)
                planes = interpolate(planes, (CROP_SIZE, CROP_SIZE), mode="bilinear", antialias=True)
                batch[i] = planes[0].permute(1, 2, 0).numpy()
            else:
                window = window[:CROP_SIZE, :CROP_SIZE]
                batch[i, : len(window), : len(window)] = window


def loader(photos: Photos, workers: int = 0) -> Batches:
    return batches(photos, batch_size=BATCH, crop=CROP_SIZE, seed=0, steps=STEPS, workers=workers)


def consume(loader: Batches) -> None:
    for _ in loader:
        pass


def best(ways: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Images per second of processor time of each way, the best of rounds in turn."""
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.process_time()
            way()
            seconds[name] = min(seconds[name], time.process_time() - start)
    return {name: BATCH * STEPS / spent for name, spent in seconds.items()}


def through_a_worker(photos: Photos) -> float:
    """Images per second through one worker process, relative to none, on the wall clock, without its start."""
    longer = {"batch_size": BATCH, "crop": CROP_SIZE, "seed": 0, "steps": 4 * STEPS}
    rates = []
    for workers in (0, 1):
        received = iter(batches(photos, **longer, workers=workers))
        next(received)
        start = time.perf_counter()
        count = sum(len(batch) for batch in received)
        rates.append(count / (time.perf_counter() - start))
    return rates[1] / rates[0]


def enlarged(folder: Path, short: int) -> Photos:
    """scikit-image's photographs as JPEGs of a given short side."""
    folder.mkdir()
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        image = Image.fromarray(getattr(samples, name)())
        factor = short / min(image.size)
        size = (round(image.width * factor), round(image.height * factor))
        file = io.BytesIO()
        image.resize(size, Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
        (folder / f"{name}.jpg").write_bytes(file.getvalue())
    return open_photos([folder])


def report(title: str, photos: Photos) -> None:
    kilobytes = np.mean([len(photos[number].read()) for number in range(0, len(photos), len(photos) // 50 + 1)]) / 1024
    speeds = best(
        {
            "bare": lambda: bare(photos, resize=False),
            "bare + resize": lambda: bare(photos, resize=True),
            "tintype": lambda: consume(loader(photos)),
        }
    )
    ratios = [speeds["tintype"] / speeds[name] for name in ("bare", "bare + resize")]
    columns = [f"{title:<16}", f"{kilobytes:>6.0f}", f"{speeds['tintype']:>9.0f}", *(f"{r:>9.2f}" for r in ratios)]
    print(" ".join([*columns, f"{through_a_worker(photos):>9.2f}"]), flush=True)


def main(paths: list[str]) -> None:
    torch.set_num_threads(1)
    if not paths and "TINTYPE_PHOTOS" in os.environ:
        paths = [os.path.join(os.environ["TINTYPE_PHOTOS"], "train")]
    print(describe("simplejpeg", "torch", "numpy"))
    print(f"crops of {CROP_SIZE} pixels; ratios are images per second of tintype over those of ...")
    print(f"{'photographs':<16} {'KB':>6} {'images/s':>9} {'bare':>9} {'+ resize':>9} {'worker':>9}")
    with tempfile.TemporaryDirectory() as folder:
        if paths:
            report("given", open_photos(paths))
        for short in (500, 1600):
            report(f"{short} pixels", enlarged(Path(folder, str(short)), short))


if __name__ == "__main__":
    main(sys.argv[1:])
