"""The report's tables: every figure with its interval, and the same figures beside what papers printed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tintype.evaluate.figures import FIGURES, NOTHING, Figure
from tintype.evaluate.published import COLUMNS, TABLES, Table
from tintype.evaluate.report.parts import table, text

REFERENCE = ("grey", "random", "ground-truth")  # rows that need no model

GROUPS = {
    "Colour error and fidelity": (
        "auc",
        "auc_rebalanced",
        "auc_rebalanced_per_image",
        "rmse_ab",
        "neutral_chroma",
        "psnr",
        "ssim",
    ),
    "Meaning, to a classifier": ("top1", "top5", "top1_won_back", "agreement"),
    "Realism": (
        "lpips",
        "frechet",
        "fid",
        "colourfulness",
        "colourfulness_difference_per_image",
        "colourfulness_difference_of_means",
    ),
}

_WAYS = {"higher": "↑", "lower": "↓", "near true": "→ true", "": ""}


def known(result: Mapping[str, Any]) -> list[str]:
    """The figures that a result has, in the order of `FIGURES`."""
    return [name for name in FIGURES if any(name in row for row in result["methods"].values())]


def figure_tables(result: Mapping[str, Any]) -> str:
    """A table for each group of figures; each cell has the 95 % interval below the value."""
    there = known(result)
    parts = []
    for title, members in GROUPS.items():
        columns = [name for name in members if name in there]
        if not columns:
            continue
        bodies = (
            (kind, [[f"<th>{text(name)}</th>", *_cells(result, name, columns)] for name in rows])
            for kind, rows in _runs(list(result["methods"]))
        )
        parts.append(table(_head("method", [FIGURES[name] for name in columns]), bodies, title))
    return "".join(parts)


def published_tables(result: Mapping[str, Any]) -> str:
    """Each table of the papers, with our rows of the same figures above its own."""
    first, *others = (_published(result, one) for one in TABLES)
    more = "; ".join(text(one.title) for one in TABLES[1:])
    return f"{first}<details><summary>{more}</summary>{''.join(others)}</details>"


def _published(result: Mapping[str, Any], printed: Table) -> str:
    columns = printed.columns
    width = 1 + len(columns)
    ours = [[f"<th>{text(name)}</th>", *_beside(result, name, columns)] for name in result["methods"]]
    theirs = []
    for row in printed.rows:
        note = f"<small>{text(row.note)}</small>" if row.note else ""
        cells = [f"<th>{text(row.method)}{note}</th>"]
        for name in columns:
            one = row.figures.get(name)
            cells.append(f"<td>{one.text}<sup>{one.mark}</sup></td>" if one else f'<td class="quiet">{NOTHING}</td>')
        theirs.append(cells)
    bodies = (
        ("ours", ours),
        ("band", [[f'<th colspan="{width}">Published, not measured here</th>']]),
        ("published", theirs),
    )
    rows = table(_head("method", [COLUMNS[name] for name in columns]), bodies)
    told = f"Source: {text(printed.source)}.<br>Its protocol: {text(printed.protocol)}."
    return f'<h3>{text(printed.title)}</h3><p class="small quiet">{told}</p>{rows}'


def _beside(result: Mapping[str, Any], method: str, columns: Iterable[str]) -> list[str]:
    """Our figures under the papers' heads. A head that ours has no figure of stays empty."""
    same = {"colourfulness_difference": "colourfulness_difference_of_means"}
    row = result["methods"][method]
    cells = []
    for column in columns:
        name = same.get(column, column)
        note = "<small>of means</small>" if name != column else ""  # some papers' are per image
        cells.append(f"<td>{_value(FIGURES[name], row[name])}{note}</td>" if name in row else f"<td>{NOTHING}</td>")
    return cells


def _runs(methods: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Methods in their order, neighbours of one kind (reference rows, or others) together."""
    runs: list[tuple[str, list[str]]] = []
    for name in methods:
        kind = "reference" if name in REFERENCE else "methods"
        if not runs or runs[-1][0] != kind:
            runs.append((kind, []))
        runs[-1][1].append(name)
    return runs


def _head(first: str, columns: Iterable[Figure]) -> list[str]:
    heads = (f'<th title="{text(one.what)}">{text(one.head)}<small>{_WAYS[one.better]}</small></th>' for one in columns)
    return [f"<th>{first}</th>", *heads]


def _cells(result: Mapping[str, Any], method: str, columns: Iterable[str]) -> list[str]:
    row, bounds = result["methods"][method], result["intervals"].get(method, {})
    cells = []
    for name in columns:
        if name not in row:
            cells.append(f"<td>{NOTHING}</td>")
            continue
        figure, interval = FIGURES[name], bounds.get(name)
        below = ""
        if interval:
            low, high = (_value(figure, bound) for bound in interval)
            below = f"<small>{low} … {high}</small>" if low != high else ""
        cells.append(f"<td>{_value(figure, row[name])}{below}</td>")
    return cells


def _value(figure: Figure, value: float | None) -> str:
    return figure.text(value).replace("inf", "∞")
