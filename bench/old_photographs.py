"""What looking for borders, fading, printed dots and stereo views is worth, on photographs spoiled on purpose.

    python bench/old_photographs.py PHOTOGRAPHS [--count 494]

PHOTOGRAPHS is a folder, list or tar of colour photographs that the bundled model was not trained on. Each is made grey,
spoiled by bench/_damage.py with a seed of its own, and colorized as it is (`--as-is`) and with what tintype does. The
colours are held against the true ones, under the true lightness, so that colour alone is measured: "AuC" is the
paper's, "PSNR" of sRGB, the mean over photographs. "found": the share of photographs that tintype treated in the way
that is meant; of unspoiled and of scratched ones, those that it treated in any. "border": mean chroma (CIE ab) of the
border's pixels. "apart": RMS difference of the colours of the two views of a stereo card, one moved over the other.
"""

import argparse
import io
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from _damage import bordered, faded, halftone, margins, scratched, stereo
from _machine import describe
from tintype import Colorizer
from tintype.color.lab import lab_to_rgb
from tintype.data import open_photos
from tintype.evaluate.colour_error import auc, count_errors, empty_counts, picture_ab
from tintype.evaluate.photograph import grey_of
from tintype.runtime.border import find_picture
from tintype.runtime.buffers import Plane
from tintype.runtime.layout import lay_out
from tintype.runtime.photo import grey_lightness, photo_from_array
from tintype.runtime.predict import predict
from tintype.runtime.reduce import Guide, reduce_lightness
from tintype.runtime.restore import screen, stretch
from tintype.runtime.stereo import find_halves

SMALLEST = 128  # pixels on the short side; smaller ones are passed over
LIGHT = grey_lightness(256)


class Score:
    """Sums over photographs."""

    def __init__(self) -> None:
        self.counts, self.psnr, self.found = empty_counts(), [], []
        self.more: dict[str, list[float]] = defaultdict(list)

    def add(self, true: NDArray[np.uint8], ab: Plane, found: bool) -> None:
        true_ab = picture_ab(true)
        self.counts += count_errors(true_ab, ab, np.ones(ab.shape[1:])).plain / ab[0].size
        lab = np.concatenate([LIGHT[grey_of(true)][None], ab]).astype(np.float32)
        error = np.mean((255 * lab_to_rgb(lab, axis=0) - true.transpose(2, 0, 1)) ** 2)
        self.psnr.append(10 * np.log10(255**2 / error))
        self.found.append(found)

    def row(self) -> str:
        more = "".join(f" {name} {np.mean(values):.1f}" for name, values in self.more.items())
        return f"{auc(self.counts):.2f} | {np.mean(self.psnr):.2f} | {100 * np.mean(self.found):.1f} % |{more}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--count", type=int)
    args = parser.parse_args()
    photos = list(open_photos([str(args.photographs)]))[: args.count]
    colorize = Colorizer(threads=1)
    scores = {
        kind: (Score(), Score()) for kind in ("as they are", "faded", "printed", "scratched", "bordered", "stereo")
    }
    for seed, photo in enumerate(tqdm(photos, disable=None)):
        with Image.open(io.BytesIO(photo.read())) as image:
            true = np.asarray(image.convert("RGB"))
        if min(true.shape[:2]) < SMALLEST:
            continue
        for kind, pair in scores.items():
            one(colorize, kind, true, pair, np.random.default_rng(seed))
    print(describe("numpy", "onnxruntime", "pillow"))
    print(f"{len(scores['faded'][0].psnr)} photographs")
    print("| | | AuC | PSNR | found | |\n|---|---|---|---|---|---|")
    for kind, pair in scores.items():
        for name, score in zip(("as is", "tintype"), pair, strict=True):
            print(f"| {kind} | {name} | {score.row()} |")


def one(
    colorize: Colorizer, kind: str, true: NDArray[np.uint8], scores: tuple[Score, Score], rng: np.random.Generator
) -> None:
    """Spoils a photograph, colorizes it in both ways, and adds up how far the colours are off."""
    grey = grey_of(true)
    height, width = grey.shape
    top = left = 0
    if kind == "bordered":
        widths = margins(grey, rng)
        spoiled, top, left = bordered(grey, widths, rng), widths[0], widths[2]
    elif kind == "stereo":
        spoiled, true, second = stereo(true, rng)
        height, width = true.shape[:2]
    else:
        damage: Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]] = {
            "faded": faded, "printed": halftone, "scratched": scratched, "as they are": lambda grey, rng: grey
        }[kind]  # fmt: skip
        spoiled = damage(grey, rng)
    light = LIGHT[spoiled]
    for as_is, score in zip((True, False), scores, strict=True):
        ab = colour(colorize, spoiled, as_is)
        inside = np.ascontiguousarray(ab[:, top : top + height, left : left + width])
        score.add(true, inside, not as_is and found(kind, light))
        chroma = np.hypot(*ab)
        if kind == "bordered":
            outside = chroma.sum() - np.hypot(*inside).sum()
            score.more["border"].append(outside / (chroma.size - height * width))
        if kind == "stereo":
            other = np.take_along_axis(ab[:, :, -width:], second[None].repeat(2, 0), axis=2)
            score.more["apart"].append(np.sqrt(np.mean((inside - other)[:, :, width // 8 : -width // 8] ** 2)))


def colour(colorize: Colorizer, grey: NDArray[np.uint8], as_is: bool) -> Plane:
    """ab of every pixel, (2, h, w)."""
    photo = photo_from_array(grey)
    guide = Guide(reduce_lightness(photo, 1), 1, grey.shape)
    layout = lay_out(colorize.model, guide, colorize.model.input_size, as_is)
    cells = layout.shared([predict(colorize.model, region, None).ab for region in layout.regions])
    slope, offset = layout.upsampler()(cells)
    return np.asarray(slope * guide.lightness + offset, dtype=np.float32)


def found(kind: str, light: Plane) -> bool:
    """Whether what was done to a photograph is seen; of an unspoiled one, whether anything is."""
    box = find_picture(light)
    framed = box != (0, light.shape[0], 0, light.shape[1])
    halves = find_halves(light, box) is not None
    seen = {"faded": stretch(light) is not light, "printed": bool(screen(light)), "bordered": framed, "stereo": halves}
    return any(seen.values()) if kind in ("as they are", "scratched") else seen[kind]


if __name__ == "__main__":
    main()
