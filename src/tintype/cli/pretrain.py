"""`tintype pretrain`."""

import os
import shlex
from datetime import UTC, datetime
from pathlib import Path

import click

from tintype.cli._options import finite

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
    from torch.distributed import DistError

    from tintype.data import DataError, LoadingError
    from tintype.pretrain import ClassificationRecipe, RecipeError, bundled_recipes, load_recipe
    from tintype.pretrain.classification import pretrain as train_classifier
    from tintype.pretrain.colorization import pretrain as train_colorizer
    from tintype.training import Compute, Interrupted, TrainingError, launch

    if show:
        recipes = {name: load_recipe(name).description for name in bundled_recipes()}
        for name, description in recipes.items():
            click.echo(f"{name:<{max(map(len, recipes))}}  {description}")
        return
    if recipe is None:
        raise click.UsageError("Missing RECIPE; --list shows the bundled ones.")
    if not data:
        raise click.UsageError("Missing --data: a folder, list or tar of colour photographs.")
    if resume and run is None:
        raise click.UsageError("--resume needs --out RUN, the folder of the run to go on with.")
    accelerator = None
    try:
        accelerator = launch()
        chosen = load_recipe(recipe, settings)
        run = run or _new_run(chosen.name)
        compute = Compute(accumulate, compile, channels_last)
        if isinstance(chosen, ClassificationRecipe):
            weights = train_classifier(
                accelerator, chosen, data, run, resume, labels=labels, compute=compute, max_damaged=max_damaged
            )
        elif labels is not None:
            raise RecipeError(f"recipe {chosen.name} learns from colour and takes no --labels")
        else:
            weights = train_colorizer(accelerator, chosen, data, run, resume, compute=compute, max_damaged=max_damaged)
    except RecipeError as error:
        _fail(str(error), 2)
    except LoadingError as error:
        _fail(str(error), 1, anyone=True)
    except (TrainingError, DataError) as error:
        _fail(str(error), 1)
    except RuntimeError as error:
        words = str(error)  # torch's own, raised wherever the run happens to be
        if "DataLoader worker" in words:
            fewer = "perhaps for its memory: try a smaller --set data.workers=N"
            _fail(f"a process that decodes photographs was killed, {fewer}, and --resume", 1, anyone=True)
        if isinstance(error, DistError) or "by peer" in words or "gloo" in words:
            why = "its own last words, if any, say why"
            _fail(f"another process of this run is gone; {why}, and --resume goes on", 1, anyone=True)
        raise
    except OSError as error:
        _fail(f"{error.filename or run}: {error.strerror or error}", 1)
    except Interrupted as stop:
        again = ["tintype", "pretrain", f"{run}/recipe.yaml", *(word for path in data for word in ("--data", path))]
        again += ["--labels", str(labels)] if labels else []
        again += ["--accumulate", str(accumulate)] if accumulate > 1 else []
        again += ["--max-damaged", str(max_damaged)] if max_damaged != DAMAGED else []
        again += ["--compile"] * compile + ["--channels-first"] * (not channels_last)
        line = shlex.join([*again, "--out", str(run), "--resume"])
        _fail(f"stopped after step {stop.step}; go on with: {line}", 128 + stop.signal)
    else:
        if accelerator.is_main_process:
            click.echo(str(weights))
    finally:
        if accelerator is not None:
            accelerator.end_training()


def _new_run(name: str) -> Path:
    """runs/RECIPE-TIME, the same on every process: the first one's time counts."""
    import torch

    time = [datetime.now(UTC).strftime("%Y%m%d-%H%M%S")]
    if torch.distributed.is_initialized():
        torch.distributed.broadcast_object_list(time)
    return Path("runs", f"{name}-{time[0]}")


def _fail(line: str, code: int, anyone: bool = False) -> None:
    """End with one line; of several processes only the first speaks, unless it may be one alone that fails."""
    rank = os.environ.get("RANK", "0")
    if rank == "0" or anyone:
        click.echo(line if rank == "0" else f"process {rank}: {line}", err=True)
    raise SystemExit(code)
