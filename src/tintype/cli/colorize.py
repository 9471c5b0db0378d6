"""`tintype colorize`: photographs in, colour photographs out."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import click

from tintype.cli._engines import ENGINES, Engine, choose
from tintype.cli._options import finite
from tintype.cli._plans import Plan, make_plan, open_report
from tintype.cli._report import Report
from tintype.cli._stopping import stopping
from tintype.runtime.folders import Item, names_a_picture
from tintype.runtime.formats import has_16_bits
from tintype.runtime.retry import twice
from tintype.runtime.settings import Settings

EXAMPLES = """\b
Examples:
  tintype colorize old.jpg                       makes old.color.jpg beside it
  tintype colorize old.jpg -o new.png            makes new.png
  tintype colorize album/ -o album-in-colour/    a folder, with the folders in it
  tintype colorize "album/**/*.tif"              a pattern; quotes keep the shell out
  tintype colorize old.mp4                       a film: makes old.color.mp4
  tintype colorize old.jpg -o calm.jpg --saturation 0.8
  tintype colorize roll/*.tif --negative         film, scanned as it is
  tintype colorize old.tif --depth 16            keeps all tones of a 16-bit scan
  tintype colorize old.jpg --model owner/name    a model on the Hugging Face Hub, fetched once
  tintype colorize album/ --json > log.jsonl     one line of JSON per photograph
  tintype colorize scans/ -o colour/ --report colour.csv
  tintype colorize s3://archive/scans -o s3://archive/colour --engine ray --address auto

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
    "--model",
    metavar="M",
    default="bundled",
    show_default=True,
    help="A name (see `tintype models`), an .onnx file, or OWNER/NAME on the Hugging Face Hub.",
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
@click.option("--negative", is_flag=True, help="The photographs are negatives: make positives of them first.")
@click.option(
    "--as-is",
    is_flag=True,
    help="Look for no borders, stereo views, fading or printed dots; take all of each picture for a photograph.",
)
@click.option(
    "--depth",
    type=click.Choice(["8", "16"]),
    default="8",
    show_default=True,
    help="Bits a channel of the output; 16 only in PNG and TIFF.",
)
@click.option(
    "--every",
    metavar="N",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Films: run the network on every Nth frame, and move its colours along between; quicker.",
)
@click.option("--overwrite", is_flag=True, help="Make outputs again that are there already.")
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1), help="Photographs in work at a time.  [default: one per processor]"
)
@click.option(
    "--report", "report_file", metavar="FILE", help="Write a line on every photograph: .csv or .jsonl; restarts go on."
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="local",
    show_default=True,
    help="This machine alone, or those of a Ray cluster.",
)
@click.option(
    "--address",
    metavar="A",
    help="Of the Ray cluster that this machine is in, such as auto.  [default: a new one here]",
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
    negative: bool,
    as_is: bool,
    depth: str,
    every: int,
    overwrite: bool,
    jobs: int | None,
    report_file: str | None,
    engine: str,
    address: str | None,
    as_json: bool,
) -> None:
    """Colorizes photographs and films: files, folders and patterns.

    NAME.jpg becomes NAME.color.jpg beside it, or NAME.jpg under OUT. An output that is there already is skipped, so the
    same command goes on where a run was stopped. No photograph is ever replaced by its output. A file that cannot be
    read gets one line, and the others go on. What failed is tried once more at the end.
    """
    if out and depth == "16" and names_a_picture(out) and not has_16_bits(out):
        raise click.BadParameter(f"{out} has 8 bits a channel; for 16, use .png or .tif.", ctx, param_hint="'--depth'")
    if address and engine != "ray":
        raise click.UsageError("--address is of a Ray cluster: add --engine ray", ctx)
    plan = make_plan(ctx, paths, out, overwrite)
    settings = Settings(model, size, temperature, saturation, overwrite, negative, as_is, int(depth), every)
    stdout = sys.stdout  # an engine may lead it elsewhere, for libraries that print
    with ExitStack() as stack:
        stop = stack.enter_context(stopping())
        report = Report(plan.todo, as_json=as_json, out=stdout)
        chosen = stack.enter_context(choose(ctx, engine, settings, plan, jobs, address, stop, report.film))
        plan.make_out()
        records = stack.enter_context(open_report(report_file)) if report_file else None
        for folder in plan.empty:
            report.line(f"{folder}: no photographs in this folder")
        try:
            for item in _finished(plan, chosen, stop):
                report.add(item)
                if records is not None:
                    records.add(item)
        except BrokenPipeError:  # whoever read the JSON has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())  # what is still to be flushed
            report.close("Stopped: ", ", and then nobody read on. The same command goes on here.")
            ctx.exit(1)
        except OSError as error:
            report.close("Stopped: ", f". {error.strerror}; once that is mended, the same command goes on here.")
            ctx.exit(1)
        if stop.number:
            if records is not None:
                records.close()
            chosen.kill()
            report.close("Stopped: ", ". The same command goes on here.")
            os._exit(128 + stop.number)  # without waiting for large photographs; outputs have no name until complete
    report.close()
    ctx.exit(1 if report.failed else 0)


def _finished(plan: Plan, engine: Engine, stop: threading.Event) -> Iterator[Item]:
    yield from plan.problems
    yield from twice(plan.items(), engine.work, stop)
