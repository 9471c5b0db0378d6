"""A made-up devkit: pictures with striped and dotted rectangles on a smooth ground."""

from pathlib import Path

import numpy as np
from PIL import Image

KINDS = ("cat", "dog")
_OBJECT = (
    "<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{left}</xmin><ymin>{top}</ymin>"
    "<xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
)


def write_devkit(folder: Path, train: int, test: int = 0, seed: int = 0) -> Path:
    """VOCdevkit/VOC2007 with lists trainval and test; without `test`, they are the same."""
    rng = np.random.default_rng(seed)
    root = folder / "VOCdevkit" / "VOC2007"
    for name in ("JPEGImages", "Annotations", "ImageSets/Main"):
        (root / name).mkdir(parents=True)
    names = [f"{number:06}" for number in range(1, train + test + 1)]
    for number, name in enumerate(names):
        width, height = (128, 96) if number % 3 else (90, 120)
        pixels = np.full((height, width, 3), rng.uniform(90, 160, 3))
        objects = []
        for side in range(2):  # one in each half, so that they do not touch
            kind = int(rng.integers(2))
            half = width // 2
            w, h = int(rng.integers(24, half - 8)), int(rng.integers(24, height - 40))
            left, top = side * half + int(rng.integers(4, half - w - 2)), int(rng.integers(4, height - h - 4))
            pixels[top : top + h, left : left + w] = _texture(kind, h, w, rng)
            values = {"left": left + 1, "top": top + 1, "right": left + w, "bottom": top + h}
            objects.append(_OBJECT.format(name=KINDS[kind], difficult=0, **values))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(root / "JPEGImages" / f"{name}.jpg", quality=95)
        (root / "Annotations" / f"{name}.xml").write_text(f"<annotation>{''.join(objects)}</annotation>")
    lists = {"trainval": names[:train], "test": names[train:] or names}
    for split, listed in lists.items():
        (root / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{name}\n" for name in listed))
    return folder / "VOCdevkit"


def _texture(kind, height, width, rng):
    rows, columns = np.mgrid[:height, :width]
    on = rows % 6 < 3 if kind == 0 else (columns % 6 < 3) & (rows % 6 < 3)
    colours = (
        (np.array([230, 200, 40]), np.array([180, 140, 20]))
        if kind == 0
        else (np.array([30, 40, 90]), np.array([80, 80, 140]))
    )
    return np.where(on[..., None], colours[0], colours[1]) + rng.normal(0, 3, (height, width, 1))
