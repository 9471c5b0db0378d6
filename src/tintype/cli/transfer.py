"""`tintype transfer`."""

import json
from pathlib import Path
from typing import Any

import click

from tintype.cli._training import list_recipes, new_run, training


@click.command()
@click.argument("task", required=False)
@click.option(
    "--weights",
    metavar="W",
    help="Run, weights or bundle of tintype's, published weights, package:NAME/FILE, OWNER/NAME on the Hugging Face "
    "Hub, bundled, random, unit_variance or kmeans.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="[NAME=]PATH",
    help="Folder, list, tar or devkit, as the task takes it; NAME is train or test. Repeatable.",
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a value of the recipe. Repeatable.")
@click.option("--freeze-below", metavar="LAYER", help="Train nothing up to and with this feature map; all: no map.")
@click.option(
    "--out",
    "run",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Folder of the run.  [default: runs/TASK-TIME]",
)
@click.option(
    "--accumulate",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="Parts in which each process goes through its share of a batch, for less memory.",
)
@click.option("--compile", is_flag=True, help="Compile the network: a slow start, then faster steps on most GPUs.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in RUN.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON with the results and all settings.")
@click.option("--list", "show", is_flag=True, help="List the bundled tasks.")
def transfer(
    task: str | None,
    weights: str | None,
    data: tuple[str, ...],
    settings: tuple[str, ...],
    freeze_below: str | None,
    run: Path | None,
    accumulate: int,
    compile: bool,
    resume: bool,
    as_json: bool,
    show: bool,
) -> None:
    """Measure what a network has learned, by a TASK of the field.

    TASK is the name of a bundled recipe (see --list) or the path of a YAML file. The results are printed, and left in
    RUN/results.json with all that they follow from.

    \b
    Examples:
      tintype transfer --list
      tintype transfer linear --weights runs/color --data imagenet/ --out runs/probe
      tintype transfer linear-mini --weights kmeans --set trunk=alexnet --data train=a.tar --data test=b.tar
      tintype transfer low-shot --weights runs/color --data imagenet/ --set per_class=10
      torchrun --nproc-per-node 8 --no-python tintype transfer linear --weights runs/color --data imagenet/
    """
    from tintype.training import Compute, launch
    from tintype.transfer.recipe_file import bundled_tasks, load_task
    from tintype.transfer.run import transfer as measure
    from tintype.transfer.tables import table

    if show:
        list_recipes({name: load_task(name).description for name in bundled_tasks()})
        return
    if task is None:
        raise click.UsageError("Missing TASK; --list shows the bundled ones.")
    if weights is None:
        raise click.UsageError("Missing --weights: a run, a file of weights, random or kmeans.")
    if not data:
        raise click.UsageError("Missing --data: what to train and test on.")
    if resume and run is None:
        raise click.UsageError("--resume needs --out RUN, the folder of the run to go on with.")
    if freeze_below is not None:
        settings = (*settings, f"surgery.freeze_below={freeze_below}")

    def again() -> list[object]:
        words: list[object] = ["tintype", "transfer", f"{run}/recipe.yaml", "--weights", weights]
        words += [word for path in data for word in ("--data", path)]
        words += ["--accumulate", accumulate] if accumulate > 1 else []
        words += ["--compile"] * compile + ["--json"] * as_json
        return [*words, "--out", run, "--resume"]

    accelerator = None
    try:
        with training(run, again):
            accelerator = launch()
            chosen = load_task(task, settings)
            run = run or new_run(chosen.name)
            record: dict[str, Any] = measure(
                accelerator, chosen, weights, data, run, resume, compute=Compute(accumulate, compile)
            )
            if accelerator.is_main_process:
                click.echo(json.dumps(record) if as_json else table(record))
    finally:
        if accelerator is not None:
            accelerator.end_training()
