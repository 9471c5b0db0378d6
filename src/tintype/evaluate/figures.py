"""What each figure of an evaluation is called, counted in and written like: for tables, models' lists and reports."""

import math
from dataclasses import dataclass
from typing import Literal

NOTHING = "\N{EN DASH}"  # where there is no figure


@dataclass(frozen=True)
class Figure:
    """How people read one figure.

    Attributes:
        label: as the head of a column, without the unit.
        unit: `%`, `dB` or none.
        form: a format specification.
        better: which way is better; `near true`: the row of the true photographs is the aim; none: neither way.
        what: one sentence.
        null: what null, which JSON has for all that is not a finite number, is written as.
    """

    label: str
    unit: str
    form: str
    better: Literal["higher", "lower", "near true", ""]
    what: str
    null: str = NOTHING

    @property
    def head(self) -> str:
        """The label with its unit."""
        return f"{self.label} {self.unit}".rstrip()

    def text(self, value: float | None) -> str:
        """A value as people read it, without its unit."""
        return self.null if value is None or math.isnan(value) else format(value, self.form)


FIGURES: dict[str, Figure] = {
    "auc": Figure(
        "AuC",
        "%",
        ".2f",
        "higher",
        "Share of pixels whose ab error is within a threshold, averaged over thresholds from 0 to 150.",
    ),
    "auc_rebalanced": Figure(
        "AuC rebalanced",
        "%",
        ".2f",
        "higher",
        "The same with each pixel weighted by the rarity of its true colour, over all photographs' pixels together.",
    ),
    "auc_rebalanced_per_image": Figure(
        "AuC rebalanced, per image",
        "%",
        ".2f",
        "higher",
        "The rebalanced AuC of each photograph alone, then the mean over photographs.",
    ),
    "rmse_ab": Figure(
        "RMSE ab",
        "",
        ".2f",
        "lower",
        "Root of the mean squared error over pixels and over a and b, in CIE Lab units.",
    ),
    "neutral_chroma": Figure(
        "chroma of neutrals",
        "",
        ".2f",
        "lower",
        "Mean chroma, in CIE Lab units, of the pixels that are neutral in truth, with a chroma under 4.",
    ),
    "psnr": Figure(
        "PSNR",
        "dB",
        ".2f",
        "higher",
        "Peak signal-to-noise ratio over R, G and B of each photograph, then the mean; the true picture's is infinite.",
        "inf",
    ),
    "ssim": Figure(
        "SSIM",
        "",
        ".4f",
        "higher",
        "Structural similarity, mean over R, G, B and photographs; it mostly sees the lightness, which is given.",
    ),
    "lpips": Figure(
        "LPIPS",
        "",
        ".4f",
        "lower",
        "Distance between a network's features of the picture and of the true one, mean over photographs.",
    ),
    "top1": Figure(
        "top-1",
        "%",
        ".1f",
        "higher",
        "Labelled photographs whose class is the classifier's first answer.",
    ),
    "top5": Figure(
        "top-5",
        "%",
        ".1f",
        "higher",
        "Labelled photographs whose class is among the classifier's first five answers.",
    ),
    "top1_won_back": Figure(
        "top-1 won back",
        "%",
        ".1f",
        "higher",
        "Share that the method wins back of the top-1 that is lost by taking the colours away.",
    ),
    "agreement": Figure(
        "agreement",
        "%",
        ".1f",
        "higher",
        "Photographs that get the same first answer from the classifier as their true picture, right or wrong.",
    ),
    "frechet": Figure(
        "Fréchet distance",
        "",
        ".3f",
        "lower",
        "Fréchet distance between the classifier's features of the pictures and of the true ones; it is not FID.",
    ),
    "fid": Figure(
        "FID",
        "",
        ".2f",
        "lower",
        "Fréchet distance between Inception's features of the pictures and of the true ones.",
    ),
    "colourfulness": Figure(
        "colourfulness",
        "",
        ".1f",
        "near true",
        "M3 of Hasler and Süsstrunk (2003), mean over photographs.",
    ),
    "colourfulness_difference_per_image": Figure(
        "Δ colourfulness, per image",
        "",
        ".2f",
        "lower",
        "How far each photograph's colourfulness is from the true one's, mean over photographs.",
    ),
    "colourfulness_difference_of_means": Figure(
        "Δ colourfulness, of means",
        "",
        ".2f",
        "lower",
        "How far the mean colourfulness is from the true photographs' mean.",
    ),
}
"""In the order of columns."""
