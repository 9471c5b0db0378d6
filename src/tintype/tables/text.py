"""A table for the terminal, from the object that is printed as JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from tintype.evaluate.figures import NOTHING
from tintype.evaluate.published import COLUMNS
from tintype.evaluate.words import protocol_lines


def text(table: Mapping[str, Any]) -> str:
    """Published and measured figures side by side, then what was run, what was not, and how to read it."""
    columns = table["columns"]
    lines = [["", *(cell for name in columns for cell in (COLUMNS[name].head, ""))]]
    lines.append(["row", *(cell for _ in columns for cell in ("paper", "ours"))])
    lines += [[row["row"], *(cell for name in columns for cell in _cells(row, name))] for row in table["rows"]]
    count = f"{table['images']:,} photograph{'' if table['images'] == 1 else 's'}"
    parts = [
        f"{table['title']}, and ours on {count}",
        "",
        *aligned(lines),
        "",
        "Run:",
        *(f"  {row['row']}: {_source(row['run'])}" for row in table["rows"] if row["run"] is not None),
    ]
    left_out = [row for row in table["rows"] if row["not_run"]]
    if left_out:
        parts += ["", "Not run:", *(f"  {row['row']}: {row['not_run']}" for row in left_out)]
    return "\n".join([*parts, "", *_notes(table)])


def _cells(row: Mapping[str, Any], name: str) -> tuple[str, str]:
    published, ours = row["published"].get(name), row["ours"].get(name)
    return (
        f"{published['printed']} {published['mark']}" if published else NOTHING,
        COLUMNS[name].text(ours["value"]) if ours else NOTHING,
    )


def aligned(lines: Sequence[Sequence[str]], over: int = 2) -> list[str]:
    """Columns of one width; the heads of the first line stand over several columns each."""
    first, *others = (max(map(len, column)) for column in zip(*lines[1:], strict=True))

    def spans() -> list[int]:
        return [sum(others[k : k + over]) + 2 * (over - 1) for k in range(0, len(others), over)]

    heads = lines[0][1::over]
    for k, (head, span) in enumerate(zip(heads, spans(), strict=True)):
        others[over * k] += max(0, len(head) - span)
    top = "  ".join(["".ljust(first), *(head.rjust(span) for head, span in zip(heads, spans(), strict=True))])
    rows = (
        "  ".join([row[0].ljust(first), *(cell.rjust(width) for cell, width in zip(row[1:], others, strict=True))])
        for row in lines[1:]
    )
    return [top, *rows]


def _source(run: Mapping[str, Any]) -> str:
    """Where a row's pictures come from."""
    if "pictures" in run:
        return f"the pictures in {run['pictures']}"
    if "run" not in run:
        return str(run.get("model", "made from the photographs"))
    changed = f"; with other values of {', '.join(run['changed'])} than the recipe's" if run["changed"] else ""
    return f"{run['run']}, {run['steps']:,} steps on {run['data']}{changed}; model: {run['model']}"


def _notes(table: Mapping[str, Any]) -> list[str]:
    ours = table["protocol"]["ours"]
    classifier = (ours.get("classifier") or {}).get("name")
    labelled = any("top1" in row["ours"] for row in table["rows"])
    if labelled:
        top1 = f"Top-1: ours is from {classifier}, the paper's from VGG-16."
    else:
        top1 = "Top-1: not measured, as it needs " + ("labels (--labels FILE)." if classifier else "a classifier.")
    return [
        f"Paper: {table['protocol']['published']}.",
        "Ours:",
        *(f"  {line}" for line in protocol_lines(ours)),
        "The protocols differ unless these are the paper's photographs, prior and classifier: compare distances to the "
        "row Gray, not figures.",
        top1,
        *(f"{mark}: {what}." for mark, what in table["marks"].items()),
    ]
