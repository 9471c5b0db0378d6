"""Whether the best of five alternatives is nearer to the truth than the single answer, and whether they are of a piece.

    python bench/alternatives.py FOLDER
    python bench/alternatives.py TRAIN.tar --choose         which strength is best, on photographs held out of training

For each photograph of 256x256 pixels: PSNR in RGB, and the root of the mean square error of ab, of the usual
colorization, of the best of the five alternatives (the usual one is not among them), and of their mean. `of a piece`:
how much of an alternative's difference from the usual colorization neighbouring cells share, their correlation: 1 is
one tint, 0 is noise, as of colours drawn for each cell by itself.
"""

import itertools

import numpy as np

from _machine import describe
from hints import SIDE, cells_of, draft_of, held_out, options, psnr, rendered, square
from tintype.color import bin_centres
from tintype.data import open_photos
from tintype.evaluate.colour_error import picture_ab
from tintype.runtime import alternatives as settings
from tintype.runtime.distribution import softmax
from tintype.runtime.draft import Draft
from tintype.runtime.model import Model, load_model


def main() -> None:
    asked = options(__doc__)
    print(describe("tintype", "onnxruntime"))
    model = load_model("bundled", 2)
    if asked.choose:
        choose(held_out(asked.source, asked.at_most), model)
        return
    single, best, mean, tidy, noise = [], [], [], [], []
    for photo in itertools.islice(open_photos([asked.source]), asked.at_most):
        true = square(photo)
        draft = draft_of(true, model)
        figures = [(psnr(picture, true), error(picture, true)) for picture in
                   (rendered(draft), *(rendered(draft, alternative=k) for k in range(5)))]  # fmt: skip
        single.append(figures[0])
        best.append((max(f[0] for f in figures[1:]), min(f[1] for f in figures[1:])))
        mean.append(np.mean(figures[1:], axis=0))
        (plain,) = draft.ab()
        tidy += [of_a_piece(other - plain) for (other,) in draft.alternatives()]
        noise.append(of_a_piece(drawn(draft) - plain))
    print(f"{len(single)} photographs, {SIDE}x{SIDE}")
    print("                              PSNR  ab error")
    for title, figures in (("usual colorization", single), ("best of 5", best), ("mean of the 5", mean)):
        print(f"{title:<28} {np.mean([f[0] for f in figures]):5.2f} {np.mean([f[1] for f in figures]):9.2f}")
    nearer = np.mean([b[0] > s[0] for b, s in zip(best, single, strict=True)])
    print(f"the best of 5 is nearer in {nearer:.0%} of the photographs")
    print(f"of a piece: alternatives {np.mean(tidy):.2f}, colours drawn for each cell {np.mean(noise):.2f}")


def error(picture: np.ndarray, true: np.ndarray) -> float:
    return float(np.sqrt(np.square(picture_ab(picture) - picture_ab(true)).sum(0).mean()))


def of_a_piece(difference: np.ndarray) -> float:
    """Correlation of neighbours, across and down, (2, h, w)."""
    power = np.square(difference).mean()
    across = (difference[:, :, 1:] * difference[:, :, :-1]).mean()
    down = (difference[:, 1:] * difference[:, :-1]).mean()
    return float((across + down) / 2 / max(power, 1e-9))


def drawn(draft: Draft) -> np.ndarray:
    """One colour for each cell, drawn by itself, (2, h, w)."""
    logits = draft.distribution.logits
    below = softmax(logits).cumsum(-1)
    place = np.random.default_rng(0).random((*below.shape[:2], 1))
    number = (below < place).sum(-1).clip(0, below.shape[-1] - 1)
    return bin_centres()[number].transpose(2, 0, 1)


def choose(pictures: list[np.ndarray], model: Model) -> None:
    """Error of the cells' ab of the best of five, for each strength."""
    drafts = [draft_of(true, model) for true in pictures]
    truths = [cells_of(true, draft.distribution.shape) for true, draft in zip(pictures, drafts, strict=True)]
    plain = np.mean([np.square(d.ab()[0] - t).mean() for d, t in zip(drafts, truths, strict=True)]) ** 0.5
    print(f"{len(pictures)} photographs; root mean square error of the cells' ab, usual {plain:.3f}")
    for strength in (0.01, 0.015, 0.02, 0.025, 0.03):
        settings.STRENGTH = strength
        best = [min(np.square(one - true).mean() for (one,) in draft.alternatives())
                for draft, true in zip(drafts, truths, strict=True)]  # fmt: skip
        print(f"strength {strength}: best of 5 {np.mean(best) ** 0.5:.3f}", flush=True)


if __name__ == "__main__":
    main()
