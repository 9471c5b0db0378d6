"""`tintype export`."""

import json
from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE.onnx", help="Where to.")
@click.option(
    "--trunk",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the trunk alone, as a state dict of torchvision or timm (.safetensors, .pth).",
)
@click.option(
    "--rgb", is_flag=True, help="With --trunk: for colour input, the first layer copied to it and divided by 3."
)
@click.option("--fold", is_flag=True, help="With --trunk: fold batch-norm into the convolutions before it.")
@click.option(
    "--unit-variance",
    metavar="PHOTOS",
    help="With --trunk: rescale each layer to variance 1 on photographs, for networks without batch-norm.",
)
@click.option("--name", help="Name of the model.  [default: the recipe's]")
@click.option("--license", "licence", help="Licence of the weights, as an SPDX identifier.")
@click.option("--data", help="What it was trained on, in words.")
@click.option("--size", type=click.IntRange(min=32), help="Size to colorize at: root of the area, in pixels.")
@click.option("--temperature", type=click.FloatRange(min=0, min_open=True), help="Default temperature.")
@click.option(
    "--rebalance",
    type=click.FloatRange(0, 3),
    default=1.0,
    show_default=True,
    help="Power of the training's class rebalancing to keep: less gives safer, greyer colours.",
)
@click.option(
    "--two-views",
    is_flag=True,
    help="Average with what is predicted for the mirrored picture at half the size: better, for a quarter more time.",
)
@click.option(
    "--blend",
    type=click.Path(exists=True, path_type=Path),
    metavar="RUN",
    help="Average with the weights of the run that this one went on from.",
)
@click.option(
    "--share", type=click.FloatRange(0, 1), default=0.5, show_default=True, help="Of this run, in that average."
)
@click.option("--figures", type=click.File(), metavar="FILE.json", help='Figures to carry, such as {"auc": 89.5}.')
@click.option(
    "--replaces",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="OLD.onnx",
    help="Bundle whose figures are to stand beside this one's.",
)
@click.option(
    "--half/--full",
    "half",
    default=None,
    help="Weights as float16 or float32.  [default: float16 if ab differs by < 0.5]",
)
def export(
    run: Path,
    out: Path | None,
    trunk: Path | None,
    rgb: bool,
    fold: bool,
    unit_variance: str | None,
    name: str | None,
    licence: str | None,
    data: str | None,
    size: int | None,
    temperature: float | None,
    rebalance: float,
    two_views: bool,
    blend: Path | None,
    share: float,
    figures: Any,
    replaces: Path | None,
    half: bool | None,
) -> None:
    """Make a model to colorize with from a finished RUN (or its weights.safetensors), or take out its trunk.

    The model's file holds the network, its decoding and what it was made of. It is checked against PyTorch before it
    is written. The trunk's file holds what the network has learned to see, for use without tintype.

    \b
    Examples:
      tintype export runs/full -o full.onnx
      tintype colorize old.jpg --model full.onnx
      tintype export runs/larsson --trunk resnet152.pth --rgb
      tintype export runs/alexnet --trunk alexnet.safetensors --fold --unit-variance photos/
    """
    from tintype.export import ExportError, export_trunk
    from tintype.export import export as write
    from tintype.runtime.errors import ModelError
    from tintype.runtime.model import load_model

    if out is None and trunk is None:
        raise click.UsageError("Missing -o FILE.onnx or --trunk FILE.")
    for option, given_one in (("--rgb", rgb), ("--fold", fold), ("--unit-variance", unit_variance is not None)):
        if given_one and trunk is None:
            raise click.UsageError(f"{option} needs --trunk FILE.")
    if trunk is not None:
        try:
            click.echo(f"{trunk}: {export_trunk(run, trunk, rgb, fold=fold, unit_variance=unit_variance)}")
        except ExportError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"{trunk}: {error.strerror or error}") from error
    if out is None:
        return

    given = {"name": name, "license": licence, "data": data, "input_size": size, "temperature": temperature}
    overrides: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if figures is not None:
        try:
            overrides["figures"] = json.load(figures)
        except ValueError as error:
            raise click.ClickException(f"{figures.name}: not JSON ({error})") from error
    if replaces is not None:
        try:
            overrides["previous"] = load_model(replaces, 1).figures
        except ModelError as error:
            raise click.ClickException(str(error)) from error
    try:
        report = write(
            run,
            out,
            overrides=overrides,
            half_weights=half,
            rebalance=rebalance,
            two_views=two_views,
            blend=blend,
            share=share,
        )
    except ExportError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror or error}") from error
    click.echo(
        f"{out}: {report['bytes'] / 1e6:.1f} MB; ab differs from PyTorch's by at most {report['ab']:.2g}, "
        f"with float16 weights by {report['half']:.2g}"
    )
