"""From the results of runs to the table, as JSON can hold it; docs/table.md tells what each field means."""

import itertools
import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tintype.evaluate.published import MARKS
from tintype.tables.execute import Folder
from tintype.tables.plan import Figure, Plan, Run, command_of
from tintype.tables.spec import STUDY, Scale, Table
from tintype.tables.studied import Asked


def collect(
    table: Table, scale: str, plan: Plan, folder: Folder, asked: Mapping[str, Asked] | None = None
) -> dict[str, Any]:
    """The table with what has been measured so far.

    Args:
        plan: of the table at the scale.
        folder: with the runs.
        asked: what a study came to, by method (`of_rows`).
    """
    planned = {row for row, _ in (*plan.cells, *plan.not_run)}
    built = [_row(table, row, plan, folder) for row in table.rows if row in planned]
    asked = asked or {}
    methods = of_rows(table.scales[scale], asked)
    for row in built:
        if row["row"] in methods:
            _add_asked(row, table.scales[scale], asked[methods[row["row"]]])
    used = {one["mark"] for row in built for one in row["published"].values()}
    return {
        "table": table.name,
        "title": table.title,
        "source": table.source,
        "protocol": table.protocol,
        "scale": scale,
        "about": table.scales[scale].about,
        "plot": table.plot,
        "whiskers": table.whiskers,
        "columns": [
            {
                "column": name,
                "title": one.title,
                "unit": one.unit,
                "digits": one.digits,
                "best": one.best,
                "seeds": max((len(cell.runs) for (_, column), cell in plan.cells.items() if column == name), default=0),
            }
            for name, one in table.columns.items()
        ],
        "rows": built,
        "expected": [_judged(table, pair, {row["row"]: row for row in built}) for pair in table.expected],
        "agreement": {column: agreement(built, column) for column in table.columns},
        "marks": {mark: what for mark, what in MARKS.items() if mark in used},
        "runs": {name: _run(run, folder) for name, run in plan.runs.items()},
    }


def _row(table: Table, row: str, plan: Plan, folder: Folder) -> dict[str, Any]:
    published = {
        column: {"value": one.value, "margin": one.margin and float(one.margin), "mark": one.mark, "printed": one.text}
        for column, one in table.rows[row].published.items()
    }
    cells, reasons = {}, {}
    for column in table.columns:
        if (row, column) in plan.not_run:
            reasons[column] = plan.not_run[row, column]
            continue
        figure = plan.cells[row, column]
        best = max if table.columns[column].best == "high" else min
        found_in = _values(plan, figure, figure.path, folder, best)
        values = list(found_in.values())
        states = [folder.state(plan.runs[name]) for name in figure.runs]
        if values:
            damaged = max(folder.damaged(plan.runs[name]) for name in found_in)
            cells[column] = _cell(values, published.get(column), list(found_in), figure.runs, damaged)
            for end, path in (("low", figure.low), ("high", figure.high)):
                if path and (found := _values(plan, figure, path, folder, best)):
                    cells[column][end] = statistics.fmean(found.values())
        if len(values) < len(figure.runs):
            failed = states.count("failed") + sum(_lost(plan, plan.runs[n], folder) for n in figure.runs)
            if failed:
                reasons[column] = "failed"
            elif states.count("done") > len(values):  # the table asks for what the task does not tell
                reasons[column] = f"a run has no figure {figure.path}"
            else:
                reasons[column] = "not all runs are done" if values else "not run yet"
    return {
        "row": row,
        "title": table.rows[row].title,
        "published": published,
        "ours": cells,
        "not_run": reasons,
    }


def _cell(
    values: Sequence[float],
    published: Mapping[str, Any] | None,
    runs: Sequence[str] = (),
    planned: Sequence[str] = (),
    damaged: int = 0,
) -> dict[str, Any]:
    """A figure of ours: of runs, as many as seeds; or, without any, of people."""
    mean = statistics.fmean(values)
    return {
        "mean": mean,
        "difference": mean - published["value"] if published else None,
        "n": len(runs),
        "std": statistics.stdev(values) if len(values) > 1 else None,
        "values": list(values),
        "runs": list(runs),
        "planned": list(planned),
        "damaged": damaged,
    }


def of_rows(scale: Scale, asked: Mapping[str, Asked]) -> dict[str, str]:
    """A study's method for each row: of its name, or else of its weights' or recipe's, where no other row has them."""
    found = {row: row for row in scale.rows if row in asked}
    for row, ours in scale.rows.items():
        made = scale.made.get(ours.weights)
        for name, others in ((ours.weights, [one.weights for one in scale.rows.values()]),
                             (made.recipe if made else "", [one.recipe for one in scale.made.values()])):  # fmt: skip
            if name in asked and others.count(name) == 1:
                found.setdefault(row, name)
    return found


def _add_asked(row: dict[str, Any], scale: Scale, share: Asked) -> None:
    """Put a row's share of fooled people into the columns that are of people."""
    for column in (name for name, one in scale.columns.items() if one.task == STUDY):
        row["not_run"].pop(column, None)
        cell = _cell([share["value"]], row["published"].get(column))
        row["ours"][column] = {**cell, "interval": share["interval"]}


def _lost(plan: Plan, run: Run, folder: Folder) -> bool:
    """Whether something that a run needs has failed."""
    return any(folder.state(plan.runs[name]) == "failed" or _lost(plan, plan.runs[name], folder) for name in run.needs)


def _values(
    plan: Plan, figure: Figure, path: str, folder: Folder, best: Callable[[list[float]], float]
) -> dict[str, float]:
    """What stands at a path, in the results of a cell's runs, by their names, as far as they are done."""
    found = {name: _value(plan.runs[name], path, folder, best) for name in figure.runs}
    return {name: value for name, value in found.items() if value is not None}


def _value(run: Run, path: str, folder: Folder, best: Callable[[list[float]], float]) -> float | None:
    """A figure in a run's results; None where it is not there (yet), or not a number."""
    file = folder.result(run)
    if not file.exists():
        return None
    record = json.loads(file.read_text("utf-8"))
    model = run.words[run.words.index("--model") + 1] if "--model" in run.words else ""
    found = numbers_at(record["results"] if run.kind == "transfer" else record, path, model)
    return best(found) if found else None


def numbers_at(results: Mapping[str, Any], path: str, model: str = "") -> list[float]:
    """What stands at a path of a run's results, of one model where it judged several; empty where nothing does."""
    return _numbers(results, path.split("."), model)


def _numbers(found: Any, path: Sequence[str], model: str) -> list[float]:
    """What stands at a path; several numbers where it has a *."""
    if not path:
        return [float(found)] if isinstance(found, int | float) and math.isfinite(found) else []
    if not isinstance(found, Mapping):
        return []
    key, *rest = path
    if key == "*":
        names = list(found)
    elif key == "{model}":
        names = [name for name in found if name == model or name.endswith("/model.onnx")]
    else:
        names = [key] if key in found else []
    return [number for name in names for number in _numbers(found[name], rest, model)]


def agreement(rows: Sequence[Mapping[str, Any]], column: str) -> dict[str, int]:
    """How many pairs of rows have different published figures and both of ours, and how many agree in which is higher.

    They are all that could be `expected` of a column. Equal figures of ours are in no order.
    """
    found = [
        (row["published"][column]["value"], row["ours"][column]["mean"])
        for row in rows
        if column in row["published"] and column in row["ours"]
    ]
    pairs = [(a, b) for a, b in itertools.combinations(found, 2) if a[0] != b[0]]
    return {"pairs": len(pairs), "agree": sum((a[0] - b[0]) * (a[1] - b[1]) > 0 for a, b in pairs)}


def _judged(table: Table, pair: Sequence[str], rows: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """How far a row, or a cell, lies above another in each column, ours and published, and whether all its seeds do."""
    if len(pair) == 4:
        above, below = pair[::2]
        columns = [(pair[1], pair[3])]
    else:
        above, below = pair[:2]
        columns = [(column, column) for column in pair[2:] or table.columns]
    found = {}
    for one, other in columns:
        cells = ((above, one), (below, other))
        if not all(name in rows and column in rows[name]["ours"] for name, column in cells):
            continue
        sign = 1 if table.columns[one].best == "high" else -1
        first, second = (rows[name]["ours"][column] for name, column in cells)
        gain = sign * (first["mean"] - second["mean"])
        quoted = [table.rows[name].published.get(column) for name, column in cells]
        found[one] = {
            "below_column": other,
            "gain": gain,
            "published_gain": None if None in quoted else sign * (quoted[0].value - quoted[1].value),  # type: ignore[union-attr]
            "separate": _separate(first["values"], second["values"], sign),
        }
    return {"above": above, "below": below, "columns": found}


def _separate(first: Sequence[float], second: Sequence[float], sign: int) -> bool:
    """Whether every seed of the one is above every seed of the other."""
    return min(sign * value for value in first) > max(sign * value for value in second)


def _run(run: Run, folder: Folder) -> dict[str, Any]:
    return {
        "kind": run.kind,
        "command": ["tintype", *command_of(run, folder.runs)],
        "needs": list(run.needs),
        "state": folder.state(run),
        "minutes": round(folder.took(run)[0] / 60, 2),
        "folder": str(folder.runs / run.name),
    }
