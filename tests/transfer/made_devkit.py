"""A small devkit of made-up pictures: what a class looks like is stripes of one kind, on blotches that say nothing."""

import io

import numpy as np
from PIL import Image

from tintype.data.voc import CLASSES

SHOWN = ("bird", "cat", "sofa")


def picture(kinds, seed, contrast=40, height=48, width=64):
    """Blotches, with a patch of stripes for each class."""
    rng = np.random.default_rng(seed)
    blotches = Image.fromarray(rng.integers(60, 196, (3, 4, 3), dtype=np.uint8))
    pixels = np.array(blotches.resize((width, height), Image.Resampling.BICUBIC), float)
    y, x = np.mgrid[:height, :width]
    for kind in kinds:
        number = SHOWN.index(kind)
        angle, period = number * np.pi / 3, 4 + 3 * number
        stripes = contrast * np.sign(
            np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period + rng.uniform(0, 6))
        )
        left = number * width // 3
        pixels[:, left : left + width // 3] += stripes[:, left : left + width // 3, None]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def kinds_of(number):
    """1 or 2 of the 3 classes."""
    return [SHOWN[number % 3], *([SHOWN[(number + 1) % 3]] if number % 2 else [])]


def write_devkit(folder, splits, ignored=(), contrast=40):
    """VOC2007 with CLASS_SPLIT lists.

    Args:
        splits: names of lists, each with the numbers of its pictures.
        contrast: of the stripes, in levels; 0 leaves nothing that tells the classes apart.
        ignored: numbers of pictures of which the third class is labelled difficult where it is not seen.
    """
    root = folder / "VOCdevkit" / "VOC2007"
    for part in ("JPEGImages", "ImageSets/Main"):
        (root / part).mkdir(parents=True)
    for split, numbers in splits.items():
        lists = dict.fromkeys(CLASSES, "")
        for number in numbers:
            name, kinds = f"{number:06}", kinds_of(number)
            file = io.BytesIO()
            picture(kinds, number, contrast).save(file, "JPEG", quality=95)
            (root / "JPEGImages" / f"{name}.jpg").write_bytes(file.getvalue())
            for kind in CLASSES:
                difficult = number in ignored and kind == SHOWN[2] and kind not in kinds
                lists[kind] += f"{name} {1 if kind in kinds else 0 if difficult else -1:2d}\n"
        main = root / "ImageSets" / "Main"
        (main / f"{split}.txt").write_text("".join(f"{number:06}\n" for number in numbers))
        for kind, text in lists.items():
            (main / f"{kind}_{split}.txt").write_text(text)
    return folder / "VOCdevkit"
