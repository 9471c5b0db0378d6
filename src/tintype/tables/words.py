"""A table for the terminal."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tintype.evaluate.figures import NOTHING
from tintype.tables.text import aligned

PARTS = ("paper", "ours", "diff.")  # of a column; the last is ours less the paper's


def summary(built: Mapping[str, Any]) -> str:
    """Published, ours and the difference side by side, orderings, and what was not run."""
    columns, shown = built["columns"], parts_of(built)
    heads = ["", *(cell for one in columns for cell in (one["title"], *("" for _ in shown[1:])))]
    lines = [heads, ["row", *shown * len(columns)], *([row["title"], *line(built, row)] for row in built["rows"])]
    parts = [
        built["title"],
        f"scale {built['scale']}: {built['about']}; {seeds(built)}, mean ± standard deviation",
        "",
        *(line.rstrip() for line in aligned(lines, len(shown))),
    ]
    for head, found in (("Orderings", verdicts(built)), ("Not run", reasons(built)), ("Damaged", damage(built))):
        if found:
            parts += ["", f"{head}:", *(f"  {line}" for line in found)]
    parts += ["", *(f"{mark}: {what}." for mark, what in built["marks"].items())]
    return "\n".join(parts)


def seeds(built: Mapping[str, Any]) -> str:
    """How many runs stand behind each figure of ours that does not say another number."""
    counts = Counter(one["seeds"] for one in built["columns"] if one["seeds"])
    if not counts:
        return "nothing run"
    usual = counts.most_common(1)[0][0]
    others = [f"{one['title']}: {one['seeds']}" for one in built["columns"] if one["seeds"] not in (0, usual)]
    fewer = any(_others(row, one) for row in built["rows"] for one in built["columns"])
    return "".join(
        [
            f"{usual} seed{'s' * (usual > 1)}",
            f" ({'; '.join(others)})" if others else "",
            ", or as many as stand in brackets" if fewer else "",
        ]
    )


def parts_of(built: Mapping[str, Any]) -> tuple[str, ...]:
    """The parts that each column of a table has: only ours where nothing is published."""
    return PARTS if any(row["published"] for row in built["rows"]) else PARTS[1:2]


def line(built: Mapping[str, Any], row: Mapping[str, Any]) -> list[str]:
    """A row's cells, the parts of each column side by side."""
    shown = parts_of(built)
    found = (dict(zip(PARTS, cells(row, one), strict=True)) for one in built["columns"])
    return [one[part] for one in found for part in shown]


def cells(row: Mapping[str, Any], column: Mapping[str, Any]) -> tuple[str, str, str]:
    """Of a cell, in the order of `PARTS`: the published figure with its mark; ours with its standard deviation, and the
    number of its seeds in brackets where that is not the column's; ours less the published one."""
    published, ours = row["published"].get(column["column"]), row["ours"].get(column["column"])
    quoted = f"{published['printed']} {published['mark']}" if published else NOTHING
    if not ours:
        return quoted, NOTHING, NOTHING
    digits = column["digits"]
    spread = f" ± {ours['std']:.{digits}f}" if ours["std"] is not None else ""
    count = f" ({ours['n']})" if _others(row, column) else ""
    difference = f"{ours['difference']:+.{digits}f}" if published else NOTHING
    return quoted, f"{ours['mean']:.{digits}f}{spread}{count}", difference


def _others(row: Mapping[str, Any], column: Mapping[str, Any]) -> bool:
    """Whether a figure is of another number of seeds than its column: not all are done, or it needs no more."""
    ours = row["ours"].get(column["column"])
    return bool(ours) and ours["n"] != column["seeds"]


def verdicts(built: Mapping[str, Any]) -> list[str]:
    """In a line each, whether a row is above another, which better figures are, and whether it is in the paper."""
    rows = {row["row"]: row for row in built["rows"]}
    titles = {one["column"]: one["title"] for one in built["columns"]}
    lines = []
    for pair in built["expected"]:
        if not pair["columns"]:
            continue
        above, below = rows[pair["above"]], rows[pair["below"]]
        for column in built["columns"]:
            name = column["column"]
            if name not in pair["columns"]:
                continue
            one = pair["columns"][name]
            gain, quoted = (
                None if value is None else f"{value:+.{column['digits']}f}"
                for value in (one["gain"], one["published_gain"])
            )
            other = one["below_column"]
            both_cells = above["ours"][name], below["ours"][other]
            single = all(len(cell["values"]) == 1 for cell in both_cells)
            alone = "yes, of one seed" if all(cell["n"] for cell in both_cells) else "yes"  # people are none
            seen = alone if single else "yes, every seed" if one["separate"] else "yes, but seeds overlap"
            if one["gain"] <= 0:
                seen = "NOT SO"
            if any(len(cell["values"]) < len(cell["planned"]) for cell in both_cells):
                seen += ", so far"
            if one["published_gain"] is not None and one["published_gain"] <= 0:
                seen += "; not so in the paper either" if one["gain"] <= 0 else "; not so in the paper"
            both = f"{above['title']} above {below['title']}, {column['title']}"
            if other != name:
                both = f"{above['title']}, {column['title']} above {below['title']}, {titles[other]}"
            lines.append(f"{both}: {gain} (paper {quoted or 'has none'})  {seen}")
    told = agreements(built)
    return [*lines, told] if told else lines


def agreements(built: Mapping[str, Any]) -> str:
    """Of each column, how many pairs of rows are in the paper's order; "" where there are none that could be."""
    found = [(one["title"], built["agreement"][one["column"]]) for one in built["columns"]]
    told = [f"{title} {pairs['agree']} of {pairs['pairs']}" for title, pairs in found if pairs["pairs"]]
    return f"all pairs of rows in the paper's order: {', '.join(told)}" if told else ""


def damaged(cell: Mapping[str, Any]) -> str:
    """That a figure is of fewer photographs than were given; "" where it is not."""
    count = cell["damaged"]
    return f"without {count} photograph{'s' * (count > 1)} that cannot be read" if count else ""


def damage(built: Mapping[str, Any]) -> list[str]:
    """Rows whose figures are of fewer photographs than were given, in a line each."""
    found = ((row["title"], damaged(cell)) for row in built["rows"] for cell in row["ours"].values())
    return [f"{title}: {what}" for title, what in dict.fromkeys(found) if what]


def reasons(built: Mapping[str, Any]) -> list[str]:
    """Why cells were not run, in a line each; one for a row or a column of which no cell was, for the same reason."""
    titles = {one["column"]: one["title"] for one in built["columns"]}
    whole = [r for r in built["rows"] if len(r["not_run"]) == len(titles) and len(set(r["not_run"].values())) == 1]
    others = [row for row in built["rows"] if row not in whole]
    empty = {}
    for name in titles:
        why = {row["not_run"].get(name) for row in others}
        if len(others) > 1 and len(why) == 1 and None not in why:
            empty[name] = why.pop()
    lines = [f"{titles[name]}: {why}" for name, why in empty.items()]
    for row in built["rows"]:
        found = row["not_run"]
        if row in whole:
            lines.append(f"{row['title']}: {next(iter(found.values()))}")
        else:
            lines += [f"{row['title']}, {titles[name]}: {why}" for name, why in found.items() if name not in empty]
    return lines
