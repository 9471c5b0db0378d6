"""`tintype pretrain`."""

from pathlib import Path

import click

from tintype.cli._options import finite
from tintype.cli._training import list_recipes, new_run, training

DAMAGED = 0.05  # share of photographs that may be


@click.command()
@click.argument("recipe", required=False)
@click.option(
    "--data", multiple=True, metavar="PATH", help="Folder, list of files (.txt) or WebDataset tar. Repeatable."
)
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a value of the recipe. Repeatable.")
@click.option(
    "--out",
    "run",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Folder of the run.  [default: runs/RECIPE-TIME]",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Labels of a study (see tintype labels), for recipes of classification.  [default: those of the photographs]",
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
@click.option(
    "--channels-last/--channels-first",
    default=True,
    help="Where convolutions have their channels in memory.  [default: last, which is faster nearly everywhere]",
)
@click.option(
    "--max-damaged",
    type=click.FloatRange(0, 1),
    callback=finite,
    default=DAMAGED,
    show_default=True,
    metavar="S",
    help="Share of photographs that may be damaged; they are replaced, and listed in RUN/damaged.tsv.",
)
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in RUN.")
@click.option("--list", "show", is_flag=True, help="List the bundled recipes.")
def pretrain(
    recipe: str | None,
    data: tuple[str, ...],
    settings: tuple[str, ...],
    run: Path | None,
    labels: Path | None,
    accumulate: int,
    compile: bool,
    channels_last: bool,
    max_damaged: float,
    resume: bool,
    show: bool,
) -> None:
    """Train a colorizer on colour photographs, or a classifier on labelled ones, as a RECIPE says.

    RECIPE is the name of a bundled recipe (see --list) or the path of a YAML file. The trained weights are left in
    RUN/weights.safetensors; `tintype export` makes them into a model to colorize with.

    \b
    Examples:
      tintype pretrain --list
      tintype pretrain zhang16-full --data imagenet/train --out runs/full
      tintype pretrain bundled --data photos --data shards/more-{00..09}.tar --set steps=5000 --set optimizer.lr=5e-4
      tintype pretrain runs/full/recipe.yaml --data imagenet/train --out runs/full --resume
      tintype pretrain classification-mini --data shards/ --labels noise.tsv
      torchrun --nproc-per-node 8 --no-python tintype pretrain zhang16-full --data imagenet/train

    With torchrun the batch is shared by all processes, and with --accumulate each goes through its share in parts; the
    result is that of one process, but for what batch-norm and dropout see at a time.
    """
    from tintype.pretrain import ClassificationRecipe, bundled_recipes, load_recipe
    from tintype.pretrain.classification import pretrain as train_classifier
    from tintype.pretrain.colorization import pretrain as train_colorizer
    from tintype.recipes import RecipeError
    from tintype.training import Compute, launch

    if show:
        list_recipes({name: load_recipe(name).description for name in bundled_recipes()})
        return
    if recipe is None:
        raise click.UsageError("Missing RECIPE; --list shows the bundled ones.")
    if not data:
        raise click.UsageError("Missing --data: a folder, list or tar of colour photographs.")
    if resume and run is None:
        raise click.UsageError("--resume needs --out RUN, the folder of the run to go on with.")

    def again() -> list[object]:
        words: list[object] = ["tintype", "pretrain", f"{run}/recipe.yaml"]
        words += [word for path in data for word in ("--data", path)]
        words += ["--labels", labels] if labels else []
        words += ["--accumulate", accumulate] if accumulate > 1 else []
        words += ["--max-damaged", max_damaged] if max_damaged != DAMAGED else []
        words += ["--compile"] * compile + ["--channels-first"] * (not channels_last)
        return [*words, "--out", run, "--resume"]

    accelerator = None
    try:
        with training(run, again):
            accelerator = launch()
            chosen = load_recipe(recipe, settings)
            run = run or new_run(chosen.name)
            compute = Compute(accumulate, compile, channels_last)
            if isinstance(chosen, ClassificationRecipe):
                weights = train_classifier(
                    accelerator, chosen, data, run, resume, labels=labels, compute=compute, max_damaged=max_damaged
                )
            elif labels is not None:
                raise RecipeError(f"recipe {chosen.name} learns from colour and takes no --labels")
            else:
                weights = train_colorizer(
                    accelerator, chosen, data, run, resume, compute=compute, max_damaged=max_damaged
                )
            if accelerator.is_main_process:
                click.echo(str(weights))
    finally:
        if accelerator is not None:
            accelerator.end_training()
