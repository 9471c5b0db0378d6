"""`tintype table`: a paper's table, its rows beside ours."""

import json
from copy import copy
from pathlib import Path
from typing import Any

import click

from tintype.cli._options import Wrong, named_files
from tintype.cli._report import printable, progress, say
from tintype.cli.evaluate import evaluate as evaluation

EXAMPLES = """\b
Examples:
  tintype table                                         the tables that there are
  tintype table zhang16-1 --data photos/                reference rows and the bundled model
  tintype table zhang16-1 --data val/ --runs runs/l2 --runs runs/full
  tintype table zhang16-1 --data val/ --pictures dahl=theirs/ --study study.json
\b
How to build the whole table stands in docs/table.md.
Exit code: 0 all measured, 1 some photographs damaged, 2 wrong usage.
"""

# Options of `tintype evaluate` that a table takes as they are.
PASSED = ("pictures", "preset", "names", "prior", "labels", "classifier", "classifier_weights", "seed", "resume")


@click.command(epilog=EXAMPLES)
@click.argument("name", required=False)
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Colour photographs to measure on.",
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
    data: Path | None,
    runs: tuple[Path, ...],
    models: dict[str, Path],
    study: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Builds a paper's table again: the rows that it printed beside ours on the photographs of --data.

    A row is run where it can be; of the others the reason is told. Without NAME, lists the tables.
    """
    from tintype.evaluate import NothingMeasured, Options
    from tintype.tables import TABLES, TITLES
    from tintype.tables.text import text
    from tintype.tables.zhang16 import Given

    if name is None:
        for one, title in TITLES.items():
            click.echo(f"{one}  {title}")
        return
    if name not in TABLES:
        raise Wrong(printable(f"no table named {name!r}; there are {', '.join(TABLES)}"))
    if data is None:
        raise Wrong("a table needs photographs to measure on: --data FOLDER")
    options = Options(models=(), lpips="none", inception="none", **given)
    try:
        built = TABLES[name](data, Given(options, runs, models, study, progress))
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


for _option in evaluation.params:
    if _option.name in PASSED:
        _own = copy(_option)
        if _own.name == "preset":
            _own.default = "square256"  # the size of the papers' pictures
        table.params.append(_own)
