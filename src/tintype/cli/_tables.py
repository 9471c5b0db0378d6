"""`tintype table NAME --scale ...`: plans a table's runs, carries out what is missing, prints what came of it."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tintype.cli._options import Wrong
from tintype.cli._report import printable

if TYPE_CHECKING:
    from tintype.tables.execute import Folder
    from tintype.tables.plan import Plan
    from tintype.tables.spec import Scale, Table
    from tintype.tables.studied import Asked


def named_data(data: Sequence[str]) -> dict[str, list[str]]:
    """`NAME=PATH` each; a name may be given several paths."""
    found: dict[str, list[str]] = {}
    for entry in data:
        name, equals, path = entry.partition("=")
        if not equals or not name or not path:
            raise Wrong(printable(f"--data is {entry}; with --scale it is NAME=PATH, such as photos=folder/"))
        if "://" not in path and not Path(path).exists():
            raise Wrong(printable(f"--data {name}: nothing is at {path}"))
        found.setdefault(name, []).append(path)
    return found


def build(
    name: str,
    scale: str,
    data: Sequence[str],
    out: Path,
    *,
    only: Sequence[str],
    seeds: int | None,
    pretrainings: int | None,
    jobs: int,
    launch: str,
    dry_run: bool,
    collect: bool,
    commands: bool,
    study: Path | None,
    as_json: bool,
) -> int:
    """Plan, run, write DIR/NAME.* and print; the exit status."""
    from tintype.recipes import RecipeError
    from tintype.tables.collect import collect as put_together
    from tintype.tables.execute import Folder, Stopped, execute, shell_line
    from tintype.tables.files import write_all
    from tintype.tables.plan import Run, make_plan
    from tintype.tables.spec import load_table
    from tintype.tables.studied import read_study
    from tintype.tables.words import summary

    try:
        asked = read_study(study) if study else {}
    except ValueError as error:
        raise Wrong(printable(str(error))) from error
    try:
        words = shlex.split(launch)
    except ValueError as error:
        raise Wrong(printable(f"--launch is {launch}: {str(error).lower()}")) from error
    folder = Folder(out)
    try:
        table = load_table(name)
        plan = make_plan(table, scale, named_data(data), only=only, seeds=seeds, pretrainings=pretrainings)
    except RecipeError as error:
        raise Wrong(printable(str(error))) from error
    if study:
        _match(asked, table.name, table.scales[scale])
    if commands:
        for run in folder.todo(plan):
            click.echo(shell_line(run, folder, words))
        return 0
    if not collect:
        _require_data(plan, folder)
        click.echo(_forecast(table, scale, plan, folder, jobs), err=not dry_run)
    if dry_run:
        return 0

    def told(run: Run, what: str) -> None:
        click.echo(printable(f"{run.name}: {what}"), err=True)

    stopped = 0
    with _writing(out):
        try:
            if not collect:
                execute(plan, folder, launch=words, jobs=jobs, told=told)
        except Stopped as stop:
            stopped = 128 + stop.signal
        built = put_together(table, scale, plan, folder, asked)
        write_all(built, out, [row for row in table.rows if row in only])
    if as_json:
        click.echo(json.dumps(built, ensure_ascii=False, allow_nan=False))
    else:
        click.echo("\n".join(map(printable, summary(built).splitlines())))
    if stopped:
        click.echo("stopped; the same command goes on", err=True)
        return stopped
    rows = {row["row"]: row["not_run"] for row in built["rows"]}
    without = any(column in rows[row] for row, column in plan.cells)
    return int(without or any(folder.state(run) != "done" or folder.damaged(run) for run in plan.runs.values()))


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Tells in a line why nothing can be written, such as a full disk."""
    try:
        yield
    except OSError as error:
        raise click.ClickException(printable(f"{error.filename or out}: {error.strerror or error}")) from error


def _match(asked: "Mapping[str, Asked]", name: str, scale: "Scale") -> None:
    """Refuses a study that no column is for, and tells which of its methods are no row's."""
    from tintype.tables.collect import of_rows
    from tintype.tables.spec import STUDY

    if all(column.task != STUDY for column in scale.columns.values()):
        raise Wrong(f"--study fills a column of people, which {name} has none of")
    used = of_rows(scale, asked).values()
    for method in asked:
        if method not in used:
            click.echo(printable(f"--study: no row is {method}; there are {', '.join(scale.rows)}"), err=True)


def _require_data(plan: "Plan", folder: "Folder") -> None:
    """Tells now what a run would only find out when its turn comes."""
    from tintype.tables.plan import missing_data

    missing = list(dict.fromkeys(path for run in folder.todo(plan) for path in missing_data(run)))
    if missing:
        more = f", nor at {len(missing) - 1} more that runs are given" if len(missing) > 1 else ""
        raise Wrong(printable(f"nothing is at {missing[0]}{more}"))


def _forecast(table: "Table", scale: str, plan: "Plan", folder: "Folder", jobs: int) -> str:
    """What will be run, with what it takes; this also reads every recipe, so that wrong ones are told before."""
    from tintype.recipes import RecipeError
    from tintype.tables.cost import costs
    from tintype.tables.forecast import told_plan

    try:
        found = costs(plan, folder.todo(plan))
    except RecipeError as error:
        raise Wrong(printable(str(error))) from error
    return told_plan(table, scale, plan, folder, jobs, found)


def list_tables() -> None:
    """Print all tables and their scales."""
    from tintype.tables.spec import bundled_tables, load_table

    tables = [load_table(name) for name in bundled_tables()]
    width = max(len(table.name) for table in tables)
    for table in tables:
        click.echo(f"{table.name:<{width}}  {table.title} ({', '.join(table.scales)})")


def unknown(name: str) -> str:
    """Why a table cannot be built without --scale."""
    from tintype.tables.spec import bundled_tables

    if name in bundled_tables():
        return f"say how large: tintype table {name} --scale paper or mini"
    return f"no table named {name!r}; there are {', '.join(bundled_tables())}"
