"""`tintype evaluate`: how near a model's colours come to the true ones."""

import hashlib
import json
import math
import sys
from collections.abc import Iterable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from tintype import __version__
from tintype.cli._options import finite, how_to_install
from tintype.cli._report import printable
from tintype.runtime.folders import find

if TYPE_CHECKING:
    from tintype.evaluate import Evaluation
    from tintype.runtime import Colorizer

EXAMPLES = """\b
Examples:
  tintype evaluate photos/                             the bundled model
  tintype evaluate photos/ --model a.onnx --model b.onnx
  tintype evaluate photos/ --prior prior_probs.npy     rarity as Zhang et al. counted it
  tintype evaluate photos/ --json > figures.json
\b
What each figure means stands in docs/evaluate.md.
Exit code: 0 all measured, 1 some photographs damaged, 2 wrong usage.
"""

COLUMNS = {
    "auc": ("AuC %", ".2f"),
    "auc_rebalanced": ("rebalanced %", ".2f"),
    "auc_rebalanced_per_image": ("per image %", ".2f"),
    "psnr": ("PSNR dB", ".2f"),
    "ssim": ("SSIM", ".4f"),
    "colourfulness": ("colourfulness", ".1f"),
}


class _Wrong(click.ClickException):
    """Wrong usage told in one line, without click's reminder of the options, which are not what is wrong."""

    exit_code = 2


@click.command(epilog=EXAMPLES)
@click.argument("folder", type=click.Path(exists=True, file_okay=False))
@click.option(
    "--model", "models", multiple=True, metavar="M", help="A name, or an .onnx; repeatable. [default: bundled]"
)
@click.option("--size", type=click.IntRange(32, 2048), metavar="N", help="Size at which the network looks.")
@click.option(
    "--temperature",
    type=click.FloatRange(0, min_open=True),
    metavar="T",
    callback=finite,
    help="As in `tintype colorize`. [default: the model's]",
)
@click.option(
    "--saturation",
    type=click.FloatRange(0),
    default=1.0,
    show_default=True,
    metavar="S",
    callback=finite,
    help="As in `tintype colorize`.",
)
@click.option(
    "--prior",
    "prior_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.npy",
    help="How common each of the 313 colours is. [default: counted from the photographs]",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def evaluate(
    ctx: click.Context,
    folder: str,
    models: tuple[str, ...],
    size: int | None,
    temperature: float | None,
    saturation: float,
    prior_file: Path | None,
    as_json: bool,
) -> None:
    """Measures models on the colour photographs in FOLDER.

    Each photograph is turned grey, colorized, and compared with itself, beside the grey picture and the true one.
    """
    if find_spec("skimage") is None:
        raise click.ClickException(
            f"`tintype evaluate` needs scikit-image, which is not installed. {how_to_install('evaluate')}"
        )
    from tintype import evaluate as suite
    from tintype.runtime import Colorizer

    found = find((folder,))
    paths = [Path(path) for path, _ in found.files.values()]
    if not paths:
        raise _Wrong(printable(f"{folder}: no photographs in this folder"))
    try:
        prior = suite.read_prior(prior_file) if prior_file else None
        colorizers = {name: Colorizer(name, size=size) for name in models or ("bundled",)}
    except ValueError as error:
        raise _Wrong(printable(str(error))) from error
    colorized = {name: suite.colorized(colorizer, temperature, saturation) for name, colorizer in colorizers.items()}
    methods = {"grey": suite.grey, **colorized, "true": suite.true}

    damaged = {item.source: item.error or "" for item in found.problems}
    if prior is None:
        prior, unreadable = suite.prior_of(_progress(paths, "counting colours"))
        damaged |= _by_name(unreadable)
        paths = [path for path in paths if path not in unreadable]
    result = suite.evaluate(_progress(paths, "evaluating"), methods, prior)
    damaged |= _by_name(result.left_out)

    for reason in damaged.values():
        click.echo(printable(reason), err=True)
    if not result.images:
        raise click.ClickException(f"{folder}: no photograph could be measured")
    if as_json:
        protocol = _protocol(colorizers, size, temperature, saturation, prior_file)
        click.echo(json.dumps(_as_json(result, damaged, protocol), ensure_ascii=False, allow_nan=False))
    else:
        click.echo(_table(result))
    ctx.exit(1 if damaged else 0)


def _by_name(left_out: dict[Path, str]) -> dict[str, str]:
    return {str(path): reason for path, reason in left_out.items()}


def _progress(paths: list[Path], what: str) -> Iterable[Path]:
    bar: Iterable[Path] = tqdm(paths, desc=what, unit="photo", file=sys.stderr, disable=None, leave=False)
    return bar


def _protocol(
    colorizers: dict[str, "Colorizer"],
    size: int | None,
    temperature: float | None,
    saturation: float,
    prior_file: Path | None,
) -> dict[str, Any]:
    """What a figure must be told with, to be compared with another."""
    return {
        "tintype": __version__,
        "scikit-image": version("scikit-image"),
        "resize": "none: pictures are compared at the photograph's own size, as 8-bit sRGB",
        "auc": "trapezoid area over thresholds 0..150",
        "prior": "the photographs' own colours, smoothed" if prior_file is None else prior_file.name,
        "prior_sha256": prior_file and hashlib.sha256(prior_file.read_bytes()).hexdigest(),
        "ssim": "windows of 7 x 7, equal weights, mean over R, G and B",
        "saturation": saturation,
        "models": {
            name: {
                "name": colorizer.model.name,
                "size": size or colorizer.model.input_size,
                "temperature": temperature or colorizer.model.temperature,
            }
            for name, colorizer in colorizers.items()
        },
    }


def _as_json(result: "Evaluation", damaged: dict[str, str], protocol: dict[str, Any]) -> dict[str, Any]:
    methods = {
        name: {figure: value if math.isfinite(value) else None for figure, value in figures.items()}
        for name, figures in result.methods.items()
    }
    left_out = [{"input": name, "error": reason} for name, reason in damaged.items()]
    return {"images": result.images, "methods": methods, "damaged": left_out, "protocol": protocol}


def _table(result: "Evaluation") -> str:
    heads = [f"{result.images} photograph{'' if result.images == 1 else 's'}", *(head for head, _ in COLUMNS.values())]
    rows = [
        [name, *(_cell(figures[figure], form) for figure, (_, form) in COLUMNS.items())]
        for name, figures in result.methods.items()
    ]
    first, *others = (max(map(len, column)) for column in zip(heads, *rows, strict=True))
    return "\n".join(
        "  ".join([row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))])
        for row in (heads, *rows)
    )


def _cell(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)
