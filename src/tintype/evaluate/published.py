"""What papers printed of their methods: figures to set ours beside, each marked with how sure it is.

None of these was measured here, and no two tables were made by the same protocol.
"""

from dataclasses import dataclass, replace
from typing import Literal

from tintype.evaluate.figures import FIGURES, Figure

Mark = Literal["V", "V2", "M"]

MARKS: dict[Mark, str] = {
    "V": "checked against the text or code of its source",
    "V2": "as a second-hand text quotes it: a review, notes or a re-implementation",
    "M": "from memory of the paper: check it there before printing it as official",
}


@dataclass(frozen=True)
class Quoted:
    """One figure as it was printed, half the width of its interval (where one was printed), and how sure it is."""

    printed: str
    mark: Mark
    margin: str | None = None

    @property
    def value(self) -> float:
        """The figure as a number."""
        return float(self.printed)

    @property
    def text(self) -> str:
        """The figure with its margin, as it was printed."""
        return self.printed if self.margin is None else f"{self.printed} ± {self.margin}"


@dataclass(frozen=True)
class Row:
    """A method's figures, by their names in `COLUMNS`; `note` says where they stand in a table of several sources."""

    method: str
    figures: dict[str, Quoted]
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of one source and one protocol, as far as that is known."""

    title: str
    source: str
    protocol: str
    rows: tuple[Row, ...]

    @property
    def columns(self) -> list[str]:
        """The figures that at least one row has, in the order of `COLUMNS`."""
        return [name for name in COLUMNS if any(name in row.figures for row in self.rows)]


COLUMNS: dict[str, Figure] = {
    "auc": FIGURES["auc"],
    "auc_rebalanced": FIGURES["auc_rebalanced"],
    "top1": replace(FIGURES["top1"], label="VGG top-1", what="Top-1 of VGG-16, trained on colour photographs."),
    "fooled": Figure(
        "AMT fooled",
        "%",
        ".1f",
        "higher",
        "Trials in which a person on Mechanical Turk took the method's colours for the true ones.",
    ),
    "fid": FIGURES["fid"],
    "psnr": FIGURES["psnr"],
    "ssim": FIGURES["ssim"],
    "lpips": FIGURES["lpips"],
    "colourfulness": FIGURES["colourfulness"],
    "colourfulness_difference": Figure(
        "Δ colourfulness",
        "",
        ".2f",
        "lower",
        "Distance to the true colourfulness: of means in DDColor's tables, said to be per image in others.",
    ),
}


def _row(method: str, note: str = "", **figures: str) -> Row:
    """A row from `figure="value [± margin] mark"`."""
    return Row(method, {name: _quoted(text) for name, text in figures.items()}, note)


def _quoted(text: str) -> Quoted:
    printed, *margin, mark = text.replace("±", " ").split()
    known: dict[str, Mark] = {one: one for one in MARKS}
    return Quoted(printed, known[mark], *margin)


ZHANG16_1 = Table(
    "Zhang et al. 2016, Table 1",
    "Zhang, Isola, Efros: Colorful Image Colorization, ECCV 2016, Table 1",
    "10,000 photographs of ImageNet's validation set at 256 x 256; 40 participants per method on Mechanical Turk",
    (
        _row("Ground truth", auc="100 M", auc_rebalanced="100 M", top1="68.3 V2", fooled="50 M"),
        _row("Gray", auc="89.1 M", auc_rebalanced="58.0 M", top1="52.7 V2"),
        _row("Random", auc="84.2 M", auc_rebalanced="57.3 M", top1="41.0 M", fooled="13.0 ± 4.4 M"),
        _row("Dahl", auc="90.4 M", auc_rebalanced="58.9 M", top1="48.7 M", fooled="18.3 ± 2.8 M"),
        _row("Larsson et al.", auc="91.7 M", auc_rebalanced="65.9 M", top1="59.4 M", fooled="27.2 ± 2.7 M"),
        _row("Ours (L2)", auc="91.2 M", auc_rebalanced="64.4 M", top1="54.9 M", fooled="21.2 ± 2.5 M"),
        _row("Ours (L2, ft)", auc="91.5 M", auc_rebalanced="66.2 M", top1="56.5 M", fooled="23.9 ± 2.8 M"),
        _row("Ours (class)", auc="91.6 M", auc_rebalanced="65.1 M", top1="56.6 M", fooled="25.2 ± 2.7 M"),
        _row("Ours (full)", auc="89.5 V2", auc_rebalanced="67.3 V2", top1="56.0 V2", fooled="32.3 ± 2.2 V2"),
    ),
)

ZHANG16_AGAIN = Table(
    "Zhang et al. 2016, run again by others",
    "Paddle-CIC, an independent re-implementation",
    "the whole validation set of ImageNet",
    (
        _row("full", auc="87.48 V2", top1="58.19 V2"),
        _row("without rebalancing", auc="90.89 V2", top1="60.54 V2"),
        _row("λ = 0", auc="87.07 V2", top1="57.65 V2"),
    ),
)

PEERS = Table(
    "Later methods on ImageNet",
    "a public comparison note of October 2026, which cites the table of each paper named in the row",
    "256 x 256; set of photographs as named, code for FID differs",
    (
        _row("DDColor-L", "DDColor, Table 1: val50k", fid="0.96 V2", psnr="23.74 V2", colourfulness="38.65 V2",
             colourfulness_difference="0.44 V2"),
        _row("BigColor", "DDColor, Table 1: val50k", fid="1.24 V2", psnr="21.24 V2", colourfulness="40.01 V2",
             colourfulness_difference="0.92 V2"),
        _row("GCP (Wu et al. 2021)", "DDColor, Table 1: val50k", fid="3.62 V2", psnr="21.81 V2",
             colourfulness="35.13 V2", colourfulness_difference="3.96 V2"),
        _row("MultiColor", "its Table 2: val50k", fid="0.42 V2", psnr="24.58 V2", colourfulness="38.89 V2",
             colourfulness_difference="0.20 V2"),
        _row("MultiColor", "its Table 2: val5k", fid="2.17 V2", psnr="24.69 V2", colourfulness="38.24 V2",
             colourfulness_difference="0.03 V2"),
        _row("SeAda", "its Table 1: val5k", fid="3.36 V2", psnr="24.53 V2", colourfulness="36.98 V2",
             colourfulness_difference="1.23 V2"),
        _row("ColorFormer", "L-CAD, Table 3: ImageNet", fid="4.64 V2", psnr="23.14 V2", ssim="0.89 V2",
             lpips="0.18 V2", colourfulness="37.95 V2", colourfulness_difference="0.23 V2"),
        _row("CT2", "L-CAD, Table 3: ImageNet (Δ colourfulness 0.27 in DDColor)", fid="5.51 V2", psnr="23.50 V2",
             ssim="0.92 V2", lpips="0.19 V2", colourfulness="38.48 V2", colourfulness_difference="2.17 V2"),
        _row("L-CAD", "ImageNet", fid="4.36 V2", psnr="24.47 V2", ssim="0.92 V2", lpips="0.16 V2",
             colourfulness="34.04 V2", colourfulness_difference="3.68 V2"),
        _row("UniColor", "5,000 of the validation set", fid="9.46 V2", lpips="0.1945 V2", colourfulness="39.01 V2"),
        _row("Palette", "ctest10k, FID against val50k", fid="3.4 V2"),
        _row("CtrlColor", "ctest10k", fid="4.29 V2", colourfulness="44.93 V2"),
        _row("Imagination", "ctest10k", fid="3.62 V2", psnr="23.8 V2", ssim="0.884 V2", lpips="0.207 V2",
             colourfulness="48.8 V2"),
    ),
)  # fmt: skip

DDCOLOR_VAL5K = Table(
    "DDColor, Table 1, val5k",
    "Kang et al.: DDColor, ICCV 2023, Table 1",
    "5,000 photographs of ImageNet's validation set, 256 x 256",
    (
        _row("CIC (Zhang et al. 2016)", fid="8.72 M", colourfulness="31.60 M", psnr="22.64 M"),
        _row("InstColor", fid="7.36 M", colourfulness="27.05 M", psnr="22.91 M"),
        _row("DeOldify", fid="6.59 M", colourfulness="21.29 M", psnr="24.11 M"),
        _row("Wu et al. 2021", fid="5.95 M", colourfulness="32.98 M", psnr="21.68 M"),
        _row("ColTran", fid="6.44 M", colourfulness="34.50 M", psnr="20.95 M"),
        _row("CT2", fid="5.51 M", colourfulness="38.48 M", psnr="23.50 M"),
        _row("BigColor", fid="5.36 M", colourfulness="39.74 M", psnr="21.24 M"),
        _row("ColorFormer", fid="4.91 M", colourfulness="38.00 M", psnr="23.10 M"),
        _row("DDColor-L", fid="3.92 M", colourfulness="38.26 M", psnr="23.85 M"),
    ),
)

TABLES = (ZHANG16_1, ZHANG16_AGAIN, PEERS, DDCOLOR_VAL5K)
