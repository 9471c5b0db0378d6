"""`tintype compress`."""

from pathlib import Path

import click

EXAMPLES = """\b
Examples:
  tintype compress bundled --precision int8-weights -o small.onnx
  tintype compress bundled --precision int8 --calibrate photos/ -o fast.onnx
  tintype colorize old.jpg --model fast.onnx
  tintype evaluate holdout/ --model bundled --model fast.onnx      what it cost
\b
What each precision did to the bundled model stands in docs/benchmarks.md.
"""


@click.command(epilog=EXAMPLES)
@click.argument("model")
@click.option("-o", "--out", required=True, type=click.Path(path_type=Path), metavar="FILE.onnx", help="Where to.")
@click.option(
    "--precision",
    required=True,
    type=click.Choice(["fp16", "int8-weights", "int8"]),
    help="fp16: weights as float16, half the file of float32. int8-weights: as int8, a quarter. Both are computed "
    "with in float32. int8: computed as int8 too, which is faster.",
)
@click.option(
    "--calibrate",
    metavar="PHOTOS",
    help="With int8: photographs to take ranges from (folder, list, tar), neither trained nor measured on.",
)
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, metavar="N", help="Of those, at most.")
def compress(model: str, out: Path, precision: str, calibrate: str | None, count: int) -> None:
    """Make a smaller model of MODEL, a name or an .onnx file, for the same commands."""
    from tintype.export import ExportError
    from tintype.export import compress as write
    from tintype.runtime.errors import ModelError

    if (precision == "int8") != (calibrate is not None):
        raise click.UsageError("--calibrate PHOTOS goes with --precision int8, and only with it.")
    try:
        report = write(model, out, precision, calibrate, count)
    except (ExportError, ModelError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror or error}") from error
    on = f", calibrated on {report['calibrated']} photographs" if report["calibrated"] else ""
    click.echo(f"{out}: {report['bytes'] / 1e6:.1f} MB, from {report['before'] / 1e6:.1f} MB{on}")
