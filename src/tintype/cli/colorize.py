"""`tintype colorize`: photographs in, colour photographs out."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from tintype.cli._options import finite, how_to_install
from tintype.cli._report import Report, printable
from tintype.runtime.folders import find, names_a_picture, plan
from tintype.runtime.formats import is_film
from tintype.runtime.strips import cores

if TYPE_CHECKING:
    from tintype.runtime import Colorizer

PATIENCE = 3.0  # seconds for photographs in work to be finished, after Ctrl-C

EXAMPLES = """\b
Examples:
  tintype colorize old.jpg                       makes old.color.jpg beside it
  tintype colorize old.jpg -o new.png            makes new.png
  tintype colorize album/ -o album-in-colour/    a folder, with the folders in it
  tintype colorize "album/**/*.tif"              a pattern; quotes keep the shell out
  tintype colorize old.mp4                       a film: makes old.color.mp4
  tintype colorize old.jpg -o calm.jpg --saturation 0.8
  tintype colorize album/ --json > log.jsonl     one line of JSON per photograph

\b
Exit code: 0 all done, 1 some failed, 2 wrong usage, 130 stopped by Ctrl-C.
"""


@click.command(epilog=EXAMPLES)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    "out",
    metavar="OUT",
    help="A folder; for one photograph, a file.  [default: beside the photograph]",
)
@click.option(
    "--model", metavar="M", default="bundled", show_default=True, help="A name (see `tintype models`) or an .onnx file."
)
@click.option(
    "--temperature",
    metavar="T",
    type=click.FloatRange(0, min_open=True),
    callback=finite,
    help="Lower gives bolder colours, higher more cautious ones.  [default: the model's own]",
)
@click.option(
    "--saturation",
    metavar="S",
    type=click.FloatRange(0),
    callback=finite,
    default=1.0,
    show_default=True,
    help="Strength of the colours; 0 is grey.",
)
@click.option(
    "--size",
    metavar="N",
    type=click.IntRange(32, 2048),
    help="Side in pixels of what the network sees; the output keeps its full size.  [default: the model's own]",
)
@click.option("--overwrite", is_flag=True, help="Make outputs again that are there already.")
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1), help="Photographs in work at a time.  [default: one per processor]"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per photograph.")
@click.pass_context
def colorize(
    ctx: click.Context,
    paths: tuple[str, ...],
    out: str | None,
    model: str,
    temperature: float | None,
    saturation: float,
    size: int | None,
    overwrite: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Colorizes photographs and films: files, folders and patterns.

    NAME.jpg becomes NAME.color.jpg beside it, or NAME.jpg under OUT. An output that is there already is skipped, so the
    same command goes on where a run was stopped. No photograph is ever replaced by its output. A file that cannot be
    read gets one line, and the others go on.
    """
    try:
        found = find(paths, out)
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param_hint="'-o'") from error
    todo = sum(not (item.error or item.skipped) for item in plan(found, out, overwrite=overwrite))
    jobs = max(1, min(jobs or cores(), todo))
    if todo or model != "bundled":  # a model that is not there is told even if there is nothing to do
        colorizer = _load(ctx, model, size, max(1, cores() // jobs))
    if todo and out:
        _make_folder(os.path.dirname(out) if names_a_picture(out) else out)

    def one(source: Path, target: Path) -> None:
        if is_film(str(source)):
            _film(colorizer, source, target, temperature, saturation, overwrite, stop, report)
            return
        colorizer.colorize_file(source, target, temperature=temperature, saturation=saturation, overwrite=overwrite)

    from tintype.runtime.batch import colorize_all

    report = Report(todo, as_json=as_json)
    for folder in found.empty:
        report.line(f"{folder}: no photographs in this folder")
    for problem in found.problems:
        report.add(problem)
    with _stopping() as stop:
        try:
            for item in colorize_all(
                plan(found, out, overwrite=overwrite), one, jobs=jobs, stop=stop, patience=PATIENCE
            ):
                report.add(item)
        except BrokenPipeError:  # whoever read the JSON has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be flushed
            report.close("Stopped: ", ", and then nobody read on. The same command goes on here.")
            ctx.exit(1)
        except OSError as error:
            report.close("Stopped: ", f". {error.strerror}; once that is mended, the same command goes on here.")
            ctx.exit(1)
    if stop.number:
        report.close("Stopped: ", ". The same command goes on here.")
        os._exit(128 + stop.number)  # without waiting for large photographs; their outputs have no name until complete
    report.close()
    ctx.exit(1 if report.failed else 0)


def _film(
    colorizer: "Colorizer",
    source: Path,
    target: Path,
    temperature: float | None,
    saturation: float,
    overwrite: bool,
    stop: threading.Event,
    report: Report,
) -> None:
    try:
        from tintype.video.colorize import colorize_film
    except ModuleNotFoundError as error:
        if error.name != "av":
            raise
        raise ValueError(f"{source}: films need PyAV, which is not installed. {how_to_install('video')}") from None
    with report.film(str(source)) as progress:
        colorize_film(
            colorizer,
            source,
            target,
            temperature=temperature,
            saturation=saturation,
            overwrite=overwrite,
            stopped=stop.is_set,
            progress=progress,
        )


def _load(ctx: click.Context, model: str, size: int | None, threads: int) -> "Colorizer":
    from tintype.runtime import Colorizer, ModelError

    try:
        return Colorizer(model, size=size, threads=threads)
    except ModelError as error:
        raise click.BadParameter(str(error), ctx, param_hint="'--model'") from error


def _make_folder(folder: str) -> None:
    """Makes the folder for all output, so that a place where nothing can be written is told once, not once per file."""
    try:
        os.makedirs(folder or ".", exist_ok=True)
        problem = None if os.access(folder or ".", os.W_OK) else "the folder is read-only"
    except (FileExistsError, NotADirectoryError):
        problem = "there is a file in the way, where a folder should be"
    except OSError as error:
        problem = error.strerror
    if problem:
        raise click.ClickException(printable(f"cannot write to {folder or 'this folder'}: {problem}"))


class _Stop(threading.Event):
    number = 0  # of the signal that asked to stop


@contextmanager
def _stopping() -> Iterator[_Stop]:
    """Makes the first Ctrl-C or SIGTERM set an event, so that photographs in work are finished; the second ends all."""
    stop = _Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.number = number
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
