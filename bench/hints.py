"""How much nearer to the truth a colorization comes when true colours are given at a few random points.

    python bench/hints.py FOLDER                              PSNR with 0, 1, 2, 5, 10, 20, 50 and 100 points
    python bench/hints.py TRAIN.tar --choose                which affinity is best, on photographs held out of training

As in Zhang et al., Real-Time User-Guided Image Colorization with Learned Deep Priors, SIGGRAPH 2017 (figure 4): points
are drawn evenly, each tells the mean colour of the 7x7 pixels around it; PSNR in RGB of photographs of 256x256 pixels,
mean over photographs. Their network, trained on ImageNet for it, has 24.4 dB with no point and about 28 dB with 10.
"""

import argparse
import io
import itertools
from collections.abc import Sequence

import numpy as np
from PIL import Image

from _held_out import photographs
from _machine import describe
from tintype.data import Photo, open_photos
from tintype.evaluate.colour_error import picture_ab
from tintype.evaluate.photograph import grey_of
from tintype.runtime import draft as settings
from tintype.runtime.draft import Draft
from tintype.runtime.hints import Hint
from tintype.runtime.model import Model, load_model
from tintype.runtime.photo import photo_from_array

SIDE = 256
COUNTS = (0, 1, 2, 5, 10, 20, 50, 100)
PATCH = 3  # pixels on every side of a point


def main() -> None:
    asked = options(__doc__)
    print(describe("tintype", "onnxruntime"))
    if asked.choose:
        choose(held_out(asked.source, asked.at_most))
        return
    pictures = [square(photo) for photo in itertools.islice(open_photos([asked.source]), asked.at_most)]
    model = load_model("bundled", 2)
    curves = np.array([curve(draft_of(true, model), true, number)
                       for number, true in enumerate(pictures)])  # fmt: skip
    print(f"{len(pictures)} photographs, {SIDE}x{SIDE}; mean PSNR in dB, and of how many photographs it rises")
    print("points  PSNR   against none")
    for i, count in enumerate(COUNTS):
        better = np.mean(curves[:, i] > curves[:, 0])
        print(
            f"{count:6}  {curves[:, i].mean():5.2f}  {curves[:, i].mean() - curves[:, 0].mean():+5.2f}  {better:4.0%}"
        )


def options(about: str | None) -> argparse.Namespace:
    """What both benchmarks of a draft are asked."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--at-most", type=int, default=500)
    return parser.parse_args()


def held_out(source: str, at_most: int) -> list[np.ndarray]:
    """Photographs that the bundled model was not trained on, to choose settings with."""
    chosen = photographs(source, 0, at_most)[1]
    return [np.asarray(Image.fromarray(one.true).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for one in chosen]


def curve(draft: Draft, true: np.ndarray, number: int) -> list[float]:
    """PSNR with each of COUNTS points; more points are the fewer and others."""
    hints = true_hints(true, max(COUNTS), number)
    return [psnr(rendered(draft, hints[:count]), true) for count in COUNTS]


def true_hints(true: np.ndarray, count: int, seed: int) -> list[Hint]:
    """True colours at random points."""
    ab = picture_ab(true)
    rows, columns = np.random.default_rng(seed).integers(0, true.shape[:2], (count, 2)).T
    found = []
    for y, x in zip(rows, columns, strict=True):
        part = ab[:, max(0, y - PATCH) : y + PATCH + 1, max(0, x - PATCH) : x + PATCH + 1].mean(axis=(1, 2))
        found.append(Hint((y + 0.5) / true.shape[0], (x + 0.5) / true.shape[1], float(part[0]), float(part[1])))
    return found


def draft_of(true: np.ndarray, model: Model) -> Draft:
    """Of a grey version of a photograph, taken as it is."""
    return Draft(model, photo_from_array(grey_of(true)), model.input_size, 2, as_is=True)


def rendered(draft: Draft, hints: Sequence[Hint] = (), **other: object) -> np.ndarray:
    """The colorized picture, (H, W, 3) uint8."""
    pixels = draft.picture(draft.ab(hints=hints, **other)).pixels()
    return pixels.view(np.uint8).reshape(*pixels.shape, 4)[..., :3]


def psnr(picture: np.ndarray, true: np.ndarray) -> float:
    error = np.square(picture.astype(np.float64) - true).mean()
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def square(photo: Photo) -> np.ndarray:
    with Image.open(io.BytesIO(photo.read())) as image:
        return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def choose(pictures: Sequence[np.ndarray]) -> None:
    """Error of the cells' ab, root of the mean square, with 10 points, for each affinity."""
    model = load_model("bundled", 2)
    drafts = [draft_of(true, model) for true in pictures]
    truths = [cells_of(true, draft.distribution.shape) for true, draft in zip(pictures, drafts, strict=True)]
    print(f"{len(pictures)} photographs; root mean square error of the cells' ab with 1, 5 and 10 points")
    for near, light, colour in itertools.product((0.15, 0.25, 0.4, 0.7), (6.0, 12.0, 25.0), (6.0, 12.0, 25.0)):
        settings.NEAR, settings.LIGHT, settings.COLOUR = near, light, colour
        errors = np.zeros(4)
        for number, (draft, true, cells) in enumerate(zip(drafts, pictures, truths, strict=True)):
            draft.__dict__.pop("_affinity", None)
            hints = true_hints(true, 10, number)
            for i, count in enumerate((0, 1, 5, 10)):
                errors[i] += np.square(draft.ab(hints=hints[:count])[0] - cells).mean()
        print(
            f"near {near:4} light {light:4} colour {colour:4}:", *(f"{e:6.3f}" for e in np.sqrt(errors / len(drafts)))
        )


def cells_of(true: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """True ab averaged over cells, (2, h, w)."""
    channels = [Image.fromarray(plane.astype(np.float32)).resize(shape[::-1], Image.Resampling.BOX)
                for plane in picture_ab(true)]  # fmt: skip
    return np.stack([np.asarray(channel) for channel in channels])


if __name__ == "__main__":
    main()
