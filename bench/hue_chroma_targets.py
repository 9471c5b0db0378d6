"""Hue and chroma targets at sampled points against histograms of all pixels.

    python bench/hue_chroma_targets.py

128 points in each of 32 pictures of 352 x 352, 32 + 32 bins, windows of 7 x 7, one thread. Both sides begin with RGB
and find hue and chroma alike. "Every pixel" makes one-hot maps, their integral images and each pixel's histogram, then
takes the points; "integral images" does as the released code and reads only the points' windows from them. The time is
the processor's, which other programs disturb less than the clock's.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from skimage import data
from torch import Tensor
from torch.nn import functional as F

from _machine import describe
from tintype.color.hue_chroma import hue_chroma, window_histograms

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from reference.hue_chroma import full_histograms, integral_image

PICTURES, SIDE, POINTS, BINS, WINDOW, EDGE, ROUNDS = 32, 352, 128, 32, 7, 32, 3


def pictures() -> Tensor:
    """Crops of scikit-image's colour photographs, (32, 3, 352, 352)."""
    found = [getattr(data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")]
    enlarged = [F.interpolate(torch.from_numpy(p.copy()).permute(2, 0, 1)[None] / 255, scale_factor=1.5) for p in found]
    crops = []
    for i in range(PICTURES):
        picture = enlarged[i % len(enlarged)]
        top, left = (13 * i % (side - SIDE + 1) for side in picture.shape[2:])
        crops.append(picture[:, :, top : top + SIDE, left : left + SIDE])
    return torch.cat(crops)


def at_points(rgb: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    return window_histograms(rgb, points, BINS, WINDOW)


def every_pixel(rgb: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    found: list[tuple[Tensor, Tensor]] = []
    for hue, chroma, place in zip(*hue_chroma(rgb), points, strict=True):
        rows, columns = place.unbind(1)
        full = full_histograms(hue, chroma, BINS, WINDOW)
        found.append((full[0][:, rows, columns], full[1][:, rows, columns]))
    return torch.stack([f[0] for f in found]), torch.stack([f[1] for f in found])


def integral_images(rgb: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    reach = WINDOW // 2
    found: list[list[Tensor]] = [[], []]
    for hue, chroma, place in zip(*hue_chroma(rgb), points, strict=True):
        top, left = (place[:, axis] - reach for axis in (0, 1))
        bottom, right = top + WINDOW, left + WINDOW
        for values, out in zip((hue, chroma), found, strict=True):
            summed = integral_image(values, BINS)
            counts = summed[:, bottom, right] - summed[:, top, right] - summed[:, bottom, left] + summed[:, top, left]
            out.append(counts / counts.sum(0))
    return torch.stack(found[0]), torch.stack(found[1])


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    print(describe("torch"))
    torch.set_num_threads(1)
    rgb = pictures()
    generator = torch.Generator().manual_seed(0)
    points = torch.randint(EDGE, SIDE - EDGE, (PICTURES, POINTS, 2), generator=generator)
    expected = every_pixel(rgb, points)
    for method in (at_points, integral_images):
        found = method(rgb, points)
        worst = max(float((a - b).abs().max()) for a, b in zip(found, expected, strict=True))
        print(f"{method.__name__}: largest difference from every pixel's histogram {worst:.1e}")
    took = {}
    for method, rounds in ((at_points, 10 * ROUNDS), (every_pixel, ROUNDS), (integral_images, ROUNDS)):
        took[method.__name__] = min(seconds(lambda m=method: m(rgb, points)) for _ in range(rounds))
        print(f"{method.__name__:16} {took[method.__name__] * 1e3:8.1f} ms")
    for name in ("every_pixel", "integral_images"):
        print(f"{name} / at_points: {took[name] / took['at_points']:.0f} x   limit 20 x")


if __name__ == "__main__":
    main()
