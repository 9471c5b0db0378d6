"""A table and its plan for the terminal, and all its files."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tintype.evaluate.figures import NOTHING
from tintype.runtime.atomic import write_atomically
from tintype.tables.execute import Folder
from tintype.tables.plan import Plan
from tintype.tables.spec import Table


def told_plan(table: Table, scale: str, plan: Plan, folder: Folder, jobs: int) -> str:
    """What will be run, before it is."""
    todo = [run for run in plan.runs.values() if folder.state(run) != "done"]
    lines = [f"{table.title}", f"scale {scale}: {table.scales[scale].about}", ""]
    for kind, count in Counter(run.kind for run in plan.runs.values()).items():
        done = count - sum(run.kind == kind for run in todo)
        lines.append(f"  {kind:<9} {count:3} runs" + (f", of which {done} are done" if done else ""))
    known = sum(run.minutes for run in todo)
    unknown = sum(not run.minutes for run in todo)
    if todo:
        spent = f"about {_time(known / jobs)} on two CPU cores" if known else "of unknown length"
        lines.append(
            f"{len(todo)} to run, {spent}" + (f", and {unknown} of unknown length" if known and unknown else "")
        )
    return "\n".join(lines)


def _time(minutes: float) -> str:
    return f"{minutes / 60:.1f} hours" if minutes >= 90 else f"{minutes:.0f} minutes"


def summary(built: Mapping[str, Any]) -> str:
    """Published and ours side by side, orderings, and what was not run."""
    columns = built["columns"]
    heads = ["row", *(cell for one in columns for cell in (one["title"], ""))]
    under = ["", *(cell for _ in columns for cell in ("paper", "ours"))]
    lines = [heads, under, *([row["title"], *(c for one in columns for c in cells(row, one))] for row in built["rows"])]
    parts = [built["title"], f"scale {built['scale']}: {built['about']}; {built['seeds']} seeds", "", *aligned(lines)]
    judged = [line for pair in built["expected"] for line in _judged(pair, built)]
    if judged:
        parts += ["", "Orderings that the paper shows:", *judged]
    missing = [f"  {row['title']}, {name}: {why}" for row in built["rows"] for name, why in _reasons(row, built)]
    if missing:
        parts += ["", "Not run:", *missing]
    return "\n".join(parts)


def cells(row: Mapping[str, Any], column: Mapping[str, Any]) -> tuple[str, str]:
    """A cell's published figure with its mark, and ours with its standard deviation."""
    published, ours = row["published"].get(column["column"]), row["ours"].get(column["column"])
    digits = column["digits"]
    mine = NOTHING
    if ours:
        mine = f"{ours['mean']:.{digits}f}" + (f" ± {ours['std']:.{digits}f}" if ours["std"] is not None else "")
    return f"{published['printed']} {published['mark']}" if published else NOTHING, mine


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Columns of one width each, the first to the left, the others to the right."""
    first, *others = (max(map(len, column)) for column in zip(*lines, strict=True))
    return [
        "  ".join([line[0].ljust(first), *(c.rjust(w) for c, w in zip(line[1:], others, strict=True))]).rstrip()
        for line in lines
    ]


def _judged(pair: Mapping[str, Any], built: Mapping[str, Any]) -> list[str]:
    titles = {row["row"]: row["title"] for row in built["rows"]}
    heads = {one["column"]: one for one in built["columns"]}
    found = []
    for name, one in pair["columns"].items():
        column = heads[name]
        gain = f"{one['gain']:+.{column['digits']}f}"
        quoted = f" (paper {one['published_gain']:+.{column['digits']}f})" if one["published_gain"] is not None else ""
        verdict = "NOT SO" if one["gain"] <= 0 else "yes, every seed" if one["separate"] else "yes, but seeds overlap"
        found.append(
            f"  {titles[pair['above']]} > {titles[pair['below']]}, {column['title']}: {gain}{quoted}  {verdict}"
        )
    return found


def _reasons(row: Mapping[str, Any], built: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Why columns were not run; in one line where it is the same for all of them."""
    reasons = row["not_run"]
    if len(reasons) == len(built["columns"]) and len(set(reasons.values())) == 1:
        return [("all", next(iter(reasons.values())))]
    titles = {one["column"]: one["title"] for one in built["columns"]}
    return [(titles[name], why) for name, why in reasons.items()]


def write_all(built: Mapping[str, Any], out: Path) -> None:
    """NAME-SCALE.json, .md, .tex and .html in a folder."""
    out.mkdir(parents=True, exist_ok=True)
    made = {"json": json.dumps(built, ensure_ascii=False, indent=1), "txt": summary(built)}
    for ending, text in made.items():
        _write(out / f"{built['table']}-{built['scale']}.{ending}", f"{text}\n")


def _write(file: Path, text: str) -> None:
    write_atomically(file, lambda opened: opened.write(text.encode()), overwrite=True)
