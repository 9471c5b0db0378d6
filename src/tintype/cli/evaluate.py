"""`tintype evaluate`: how near a colorization comes to the true colours, to meaning, and to looking real."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tintype.cli._options import Wrong, finite, named_folders
from tintype.cli._report import printable, progress, say
from tintype.runtime.errors import PhotoError

if TYPE_CHECKING:
    from tintype.evaluate import Evaluation

EXAMPLES = """\b
Examples:
  tintype evaluate photos/                             the bundled model, beside grey, random colours and the truth
  tintype evaluate photos/ --model a.onnx --pictures deoldify=theirs/
  tintype evaluate photos/ --labels labels.csv         how many objects a classifier still recognises
  tintype evaluate photos/ --report report.html        one page with tables, curves and pictures
  tintype evaluate val/ --protocol val5k --resume run/ goes on where it was stopped
  tintype evaluate photos/ --json > figures.json
\b
What each figure means stands in docs/evaluate.md.
Exit code: 0 all measured, 1 some photographs damaged, 2 wrong usage.
"""

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(epilog=EXAMPLES)
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="M",
    help="A name, an .onnx, or OWNER/NAME on the Hugging Face Hub; repeatable. [default: bundled]",
)
@click.option(
    "--pictures",
    multiple=True,
    metavar="NAME=FOLDER",
    callback=named_folders,
    help="What another program made of the same photographs, by file name; repeatable.",
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
    "--protocol",
    "preset",
    type=click.Choice(["own-size", "square256", "ctest10k", "val5k", "val50k"]),
    default="own-size",
    show_default=True,
    help="Which photographs count, and at what size.",
)
@click.option("--list", "names", type=_FILE, metavar="FILE", help="Names of the photographs that count, one to a line.")
@click.option(
    "--prior",
    type=_FILE,
    metavar="FILE.npy",
    help="How common each of the 313 colours is. [default: counted from the photographs]",
)
@click.option(
    "--labels",
    type=_FILE,
    metavar="FILE",
    help="ImageNet class of each photograph, CSV or JSON. [default: the folder that it is in, where that is a class]",
)
@click.option(
    "--classifier",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="efficientnet-lite0, timm:NAME, torchvision:NAME, or none. auto: efficientnet-lite0 where it is installed.",
)
@click.option("--classifier-weights", type=_FILE, metavar="FILE", help="Weights of the classifier.")
@click.option(
    "--lpips",
    type=click.Choice(["auto", "alex", "vgg", "squeeze", "none"]),
    default="auto",
    show_default=True,
    help="Network of LPIPS. auto: alex where its weights are in torch's cache.",
)
@click.option("--lpips-weights", type=_FILE, metavar="FILE", help="Weights of that network, as torchvision has them.")
@click.option(
    "--inception",
    default="auto",
    show_default=True,
    metavar="FILE",
    help="Weights of FID's Inception network, or none. auto: where they are in torch's cache.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of random colours and intervals.")
@click.option(
    "--resume",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Keep what is measured here, and go on with it.",
)
@click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE.html",
    help="Write one page with everything in it; replaced if it is there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def evaluate(
    ctx: click.Context, /, folder: Path, report: Path | None, as_json: bool, models: tuple[str, ...], **given: Any
) -> None:
    """Measures colorizations of the colour photographs in FOLDER.

    Each photograph is turned grey, colorized, and compared with itself, beside the grey picture, the colours of another
    photograph, and the true picture. Figures that need networks are measured where these are installed.
    """
    from tintype import evaluate as suite

    if report and not report.absolute().parent.is_dir():
        raise Wrong(printable(f"{report}: there is no such folder to write it into"))
    if not models and not given["pictures"]:
        models = ("bundled",)
    try:
        options = suite.Options(models=models, **given)
        done = suite.run(folder, options, progress)
    except suite.NothingMeasured as error:
        say(error.damaged.values())
        raise click.ClickException(printable(str(error))) from error
    except ValueError as error:
        raise Wrong(printable(str(error))) from error
    except OSError as error:
        raise click.ClickException(printable(_why(error, given["resume"] or folder))) from error

    left_out = done.result["protocol"]["left_out"]
    say(f"not measured: {name} ({why})" for name, why in left_out.items() if why != "not asked for")
    say(item["error"] for item in done.result["damaged"])
    if done.result["methods"]["grey"]["psnr"] is None:
        say(["some photographs have no colour: grey is perfect there, and its mean PSNR infinite"])
    try:
        click.echo(json.dumps(done.result, allow_nan=False) if as_json else _table(done.result))
        if report:
            _write(report, done)
    except (OSError, PhotoError) as error:
        raise click.ClickException(printable(_why(error, report or "output"))) from error
    ctx.exit(1 if done.result["damaged"] else 0)


def _why(error: Exception, what: Path | str) -> str:
    """An error in one line, with the file that it is about as far as the system said."""
    if isinstance(error, OSError):
        return f"{error.filename or what}: {error.strerror}"
    return str(error)


def _write(place: Path, done: "Evaluation") -> None:
    from tintype.evaluate.report import report
    from tintype.runtime.atomic import write_atomically

    page = report(done.result, done.picture).encode()

    def write(file: Any) -> None:
        file.write(page)

    write_atomically(place, write, overwrite=True)


def _table(result: dict[str, Any]) -> str:
    """Figures down, methods across: there may be many figures, and a cell has an interval to hold."""
    from tintype.evaluate.figures import FIGURES
    from tintype.evaluate.words import protocol_lines

    methods, count = result["methods"], result["images"]
    lines = [[f"{count} photograph{'' if count == 1 else 's'}", *map(printable, methods)]]
    for name, figure in FIGURES.items():
        if any(name in row for row in methods.values()):
            cells = (
                figure.text(row[name]) + _interval(result["intervals"][method][name], figure.form)
                for method, row in methods.items()
            )
            lines.append([figure.head, *cells])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    table = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in lines)
    return "\n".join([*table, "", "In brackets: 95 % intervals.", *map(printable, protocol_lines(result["protocol"]))])


def _interval(bounds: list[float] | None, form: str) -> str:
    if bounds is None:
        return ""
    low, high = (format(bound, form) for bound in bounds)
    return "" if low == high else f" [{low}, {high}]"
