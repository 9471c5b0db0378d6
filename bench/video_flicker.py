"""How steady the colours of a film are, and how long a frame takes, against colorizing frame by frame.

python bench/video_flicker.py [--model M] [--keep FOLDER]

The clip is made here: a camera that moves and zooms over a photograph for 70 frames and stands for 30, and, after a
cut, the same over another; with grain that is new on every frame. 200 frames, 640x360. Flicker is the mean absolute
difference of CIE a and b between a frame and the one before, whose pixels are moved to where they are now (the motion
is known).
"""

import argparse
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import av
import numpy as np
from PIL import Image

from _machine import describe
from _photograph import free_photographs
from tintype.color.lab import rgb_to_lab
from tintype.runtime.colorizer import Colorizer
from tintype.video import colorize
from tintype.video.steady import Steady

WIDTH, HEIGHT, SCENE, MOVING = 640, 360, 100, 70
SCENES = "astronaut", "coffee"


class FrameByFrame(Steady):
    """What the network says of each frame, alone."""

    def __call__(self, now, ahead):
        return now.ab


def view(picture: np.ndarray, number: int) -> tuple[float, float, float, float]:
    """Left, top, width and height of what the camera sees on frame `number` of a scene."""
    height, width = picture.shape[:2]
    way = min(number, MOVING) / MOVING
    across = min(width, height * WIDTH / HEIGHT) * (0.6 + 0.2 * way)
    down = across * HEIGHT / WIDTH
    return (width - across) * (0.1 + 0.7 * way), (height - down) * (0.2 + 0.5 * way), across, down


def make(path: Path) -> list[tuple[float, float, float, float]]:
    rng = np.random.default_rng(0)
    views = []
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=25, options={"crf": "14"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for name in SCENES:
            photograph = free_photographs()[name]
            picture = Image.fromarray(photograph).convert("L")
            for number in range(SCENE):
                left, top, across, down = view(photograph, number)
                views.append((left, top, across, down))
                box = (left, top, left + across, top + down)
                grey = np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC, box))
                grey = (grey + rng.normal(0, 5, grey.shape)).clip(0, 255).astype(np.uint8)
                frame = av.VideoFrame.from_ndarray(grey, format="gray").reformat(format="yuv420p")
                frame.pts, frame.time_base = len(views) - 1, Fraction(1, 25)
                film.mux(stream.encode(frame))
        film.mux(stream.encode(None))
    return views


def flicker(path: Path, views: list[tuple[float, float, float, float]]) -> tuple[float, float]:
    """Mean over frames on which the camera moves, and over those on which it stands."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    moving, still, before = [], [], None
    with av.open(str(path)) as film:
        for number, frame in enumerate(film.decode(video=0)):
            ab = rgb_to_lab(frame.to_ndarray(format="rgb24") / 255, axis=2)[..., 1:]
            if before is not None and number % SCENE:
                (x0, y0, w0, h0), (x1, y1, w1, h1) = views[number - 1], views[number]
                x = (x1 + columns * w1 / WIDTH - x0) / w0 * WIDTH - 0.5
                y = (y1 + rows * h1 / HEIGHT - y0) / h0 * HEIGHT - 0.5
                inside = (x >= 0) & (y >= 0) & (x <= WIDTH - 1) & (y <= HEIGHT - 1)
                there = before[np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)]
                (moving if number % SCENE <= MOVING else still).append(np.abs(ab[inside] - there).mean())
            before = ab
    return float(np.mean(moving)), float(np.mean(still))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="bundled", help="a name or an .onnx file")
    parser.add_argument("--keep", type=Path, help="a folder for the films")
    arguments = parser.parse_args()
    print(describe("numpy", "onnxruntime", "av"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        views = make(folder / "grey.mp4")
        colorizer = Colorizer(arguments.model)
        print("                        flicker, moving  still   s per frame")
        for name, steady, every in (
            ("frame by frame", FrameByFrame, 1),
            ("steady", Steady, 1),
            ("network on every 2nd", Steady, 2),
            ("network on every 4th", Steady, 4),
        ):
            target = folder / f"{name.replace(' ', '-')}.mp4"
            start = time.perf_counter()
            with patch.object(colorize, "Steady", steady):
                colorize.colorize_film(colorizer, folder / "grey.mp4", target, overwrite=True, every=every)
            seconds = (time.perf_counter() - start) / len(views)
            moving, still = flicker(target, views)
            print(f"{name:22}  {moving:15.3f}  {still:5.3f}  {seconds:12.3f}", flush=True)
