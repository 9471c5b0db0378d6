"""`tintype table`: a paper's table, its rows beside ours."""

import json
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from tintype.cli._options import Wrong, named_files
from tintype.cli._report import printable, progress, say
from tintype.cli._tables import build, list_tables, unknown
from tintype.cli.evaluate import evaluate as evaluation

EXAMPLES = """\b
Examples:
  tintype table                                         the tables that there are
  tintype table larsson17-3 --scale mini --data photos=photos/ --out tables/ --dry-run
  tintype table larsson17-3 --scale mini --data photos=photos/ --out tables/ --jobs 2
  tintype table zhang16-1 --data photos/                reference rows and the bundled model
  tintype table zhang16-1 --data val/ --runs runs/l2 --runs runs/full
\b
docs/table.md tells what each table needs, and how to hand its runs to a cluster.
Exit code: 0 all measured, 1 runs failed, figures missing or photographs damaged, 2 wrong usage, 130 or 143 stopped.
"""

# Options of `tintype evaluate` that a table takes as they are.
PASSED = ("pictures", "preset", "names", "prior", "labels", "classifier", "classifier_weights", "seed", "resume")

# Options of one way to a table alone.
MADE = ("out", "only", "seeds", "pretrainings", "jobs", "launch", "dry_run", "collect", "commands")
MEASURED = ("runs", "models", *PASSED)


@click.command(epilog=EXAMPLES)
@click.argument("name", required=False)
@click.option(
    "--scale",
    metavar="SCALE",
    help="Make the rows: pretrain, transfer and measure what is missing, as the paper does or at a small scale.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="[NAME=]PATH",
    help="With --scale, what lies where; repeatable. Otherwise the folder of colour photographs to measure on.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("tables"),
    show_default=True,
    metavar="DIR",
    help="With --scale: folder of all runs, which tables share, and of the tables.",
)
@click.option("--only", multiple=True, metavar="ROW", help="With --scale: this row; repeatable.")
@click.option("--seeds", type=click.IntRange(1), metavar="N", help="With --scale: runs of each task.")
@click.option(
    "--pretrainings",
    type=click.IntRange(1),
    metavar="N",
    help="With --scale: runs of each pretraining, which the seeds of the tasks take turns with.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    metavar="N",
    help="With --scale: runs at a time, each with its share of the cores.",
)
@click.option(
    "--launch",
    default="",
    metavar="WORDS",
    help='With --scale: what starts each run, such as "torchrun --nproc-per-node 8 --no-python".',
)
@click.option("--dry-run", is_flag=True, help="With --scale: print the plan, and run nothing.")
@click.option("--collect", is_flag=True, help="With --scale: run nothing, build the table of what there is in --out.")
@click.option(
    "--commands", is_flag=True, help="With --scale: print the command of each run that is missing, and run nothing."
)
@click.option(
    "--runs",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="A finished run of `tintype pretrain`, for the row of its recipe; repeatable.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME=FILE",
    callback=named_files,
    help="An .onnx, for the row of that name or a new one; repeatable.",
)
@click.option(
    "--study",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.json",
    help="What `tintype study results --json` printed, for the column of people fooled.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def table(
    ctx: click.Context,
    /,
    name: str | None,
    scale: str | None,
    data: tuple[str, ...],
    out: Path,
    only: tuple[str, ...],
    seeds: int | None,
    pretrainings: int | None,
    jobs: int,
    launch: str,
    dry_run: bool,
    collect: bool,
    commands: bool,
    runs: tuple[Path, ...],
    models: dict[str, Path],
    study: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Builds a paper's table again: the rows that it printed beside ours.

    With --scale, every run that the table needs and that is not in --out yet is carried out, each a process of its own;
    stopped or failed ones go on when the command is given again. NAME may also be a YAML file of your own.

    zhang16-1 can also be put together of what there is already, measured on the photographs of --data. A row is run
    where it can be; of the others the reason is told. Without NAME, lists the tables.
    """
    if name is None:
        list_tables()
        return
    if scale is not None and (option := _given(ctx, MEASURED)):
        raise Wrong(f"{option} is for a table that is put together of what there is, without --scale")
    if scale is None and (option := _given(ctx, MADE)):
        raise Wrong(f"{option} is for a table that is made, with --scale")
    instead = [name for name in ("dry_run", "collect", "commands") if ctx.params[name]]
    if len(instead) > 1 or (as_json and instead in (["dry_run"], ["commands"])):
        other = f"--{instead[1]}" if len(instead) > 1 else "--json"
        raise Wrong(
            f"--{instead[0].replace('_', '-')} prints something else than {other.replace('_', '-')}: leave one out"
        )
    if scale is not None:
        ctx.exit(
            build(
                name,
                scale,
                data,
                out,
                only=only,
                seeds=seeds,
                pretrainings=pretrainings,
                jobs=jobs,
                launch=launch,
                dry_run=dry_run,
                collect=collect,
                commands=commands,
                study=study,
                as_json=as_json,
            )
        )
    from tintype.evaluate import NothingMeasured, Options
    from tintype.tables import TABLES
    from tintype.tables.text import text
    from tintype.tables.zhang16 import Given

    if name not in TABLES:
        raise Wrong(printable(unknown(name)))
    if len(data) != 1 or not Path(data[0]).is_dir():
        raise Wrong("without --scale, a table needs one folder of photographs to measure on: --data FOLDER")
    options = Options(models=(), lpips="none", inception="none", **given)
    try:
        built = TABLES[name](Path(data[0]), Given(options, runs, models, study, progress))
    except NothingMeasured as error:
        say(error.damaged.values())
        raise click.ClickException(printable(str(error))) from error
    except ValueError as error:
        raise Wrong(printable(str(error))) from error
    except OSError as error:
        raise click.ClickException(printable(f"{error.filename}: {error.strerror}")) from error
    say(item["error"] for item in built["damaged"])
    if as_json:
        click.echo(json.dumps(built, ensure_ascii=False, allow_nan=False))
    else:
        click.echo("\n".join(map(printable, text(built).splitlines())))
    ctx.exit(1 if built["damaged"] else 0)


def _given(ctx: click.Context, names: Sequence[str]) -> str:
    """The first of some options that stands on the command line; "" without any."""
    given = (
        one for one in ctx.command.params if ctx.get_parameter_source(str(one.name)) is ParameterSource.COMMANDLINE
    )
    return next((one.opts[-1] for one in given if one.name in names), "")


for _option in evaluation.params:
    if _option.name in PASSED:
        _own = copy(_option)
        if _own.name == "preset":
            _own.default = "square256"  # the size of the papers' pictures
        table.params.append(_own)
