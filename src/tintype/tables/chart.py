"""A table as a chart, SVG: bars or lines of published figures beside ours."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

HEIGHT, LEFT, TOP, BOTTOM, KEY = 260, 48, 16, 34, 22
HUES = 7
Row = Mapping[str, Any]


def chart(built: Mapping[str, Any]) -> str:
    """Bars grouped by column, or lines over the columns; our seeds as dots, the paper's figures hollow or dashed.

    Colours are those of the classes c0 to c6, which a page gives. Empty where no row has a figure of ours.
    """
    rows = [row for row in built["rows"] if row["ours"]]
    if not rows:
        return ""
    columns = built["columns"]
    highest = max(_figures(rows))
    lowest = min(0.0, *_figures(rows))
    step = _step(highest - lowest)
    top = step * -(-highest // step)

    def y(value: float) -> float:
        return TOP + HEIGHT * (top - value) / (top - lowest)

    lines = built["plot"] == "lines"
    width = max(480, len(columns) * (90 if lines else 26 + 24 * len(rows)))
    parts = list(_grid(lowest, top, step, width, y))
    for i, column in enumerate(columns):
        x = LEFT + width * (i + 0.5) / len(columns)
        parts.append(f'<text class="tick" x="{x:.1f}" y="{TOP + HEIGHT + 20}">{escape(column["title"])}</text>')
    draw = _line if lines else _bars
    for number, row in enumerate(rows):
        parts += draw(row, number, len(rows), columns, width, y)
    parts += _key(rows, width)
    below = TOP + HEIGHT + BOTTOM + KEY * len(rows) + KEY
    told = f"{built['title']}: ours at scale {built['scale']}, and the paper's figures"
    return (
        f'<svg viewBox="0 0 {LEFT + width + 8} {below}" role="img" aria-label="{escape(told)}">'
        f"<title>{escape(told)}</title>{''.join(parts)}</svg>"
    )


def _figures(rows: Sequence[Row]) -> list[float]:
    ours = [value for row in rows for cell in row["ours"].values() for value in cell["values"]]
    return ours + [one["value"] for row in rows for one in row["published"].values()]


def _step(span: float) -> float:
    """A round number of which 4 to 10 make up the span."""
    size = 10.0 ** len(str(int(span)))
    return next(size / part for part in (2, 5, 10, 20, 50, 100, 200, 500, 1000) if span / (size / part) >= 4)


def _grid(lowest: float, top: float, step: float, width: int, y: Any) -> Iterator[str]:
    tick = step * -(-lowest // step)
    while tick <= top + step / 1e6:
        yield f'<path class="grid" d="M{LEFT} {y(tick):.1f}h{width}"/>'
        yield f'<text class="side" x="{LEFT - 8}" y="{y(tick) + 4:.1f}">{tick:g}</text>'
        tick += step


def _bars(row: Row, number: int, count: int, columns: Sequence[Row], width: int, y: Any) -> Iterator[str]:
    slot = width / len(columns)
    bar = (slot - 22) / count
    for i, column in enumerate(columns):
        x = LEFT + slot * i + 11 + bar * number
        middle = x + bar / 2
        cell, quoted = row["ours"].get(column["column"]), row["published"].get(column["column"])
        if cell:
            tall, at = abs(y(0) - y(cell["mean"])), min(y(0), y(cell["mean"]))
            place = f'x="{x + 1:.1f}" y="{at:.1f}" width="{bar - 2:.1f}" height="{tall:.1f}"'
            yield f'<rect class="c{number % HUES}" {place}/>'
            yield from _spread(cell, middle, y)
        if quoted:
            yield f'<path class="paper" d="M{x + 1:.1f} {y(quoted["value"]):.1f}h{bar - 2:.1f}"/>'


def _line(row: Row, number: int, count: int, columns: Sequence[Row], width: int, y: Any) -> Iterator[str]:
    ours, paper = [], []
    for i, column in enumerate(columns):
        x = LEFT + width * (i + 0.5) / len(columns)
        cell, quoted = row["ours"].get(column["column"]), row["published"].get(column["column"])
        if cell:
            ours.append(f"{x:.1f} {y(cell['mean']):.1f}")
            yield from _spread(cell, x, y)
        if quoted:
            paper.append(f"{x:.1f} {y(quoted['value']):.1f}")
    for points, kind in ((ours, "ours"), (paper, "quoted")):
        if points:
            yield f'<path class="{kind} s{number % HUES}" d="M{"L".join(points)}"/>'


def _spread(cell: Row, x: float, y: Any) -> Iterator[str]:
    """The standard deviation as a whisker, and each seed as a dot."""
    if cell["std"] is not None:
        low, high = y(cell["mean"] - cell["std"]), y(cell["mean"] + cell["std"])
        ends = "".join(f"M{x - 4:.1f} {end:.1f}h8" for end in (low, high))
        yield f'<path class="whisker" d="M{x:.1f} {low:.1f}V{high:.1f}{ends}"/>'
    yield from (f'<circle class="dot" cx="{x:.1f}" cy="{y(value):.1f}" r="2.2"/>' for value in cell["values"])


def _key(rows: Sequence[Row], width: int) -> Iterator[str]:
    at = TOP + HEIGHT + BOTTOM + 14
    for number, row in enumerate(rows):
        y = at + KEY * number
        yield f'<rect class="c{number % HUES}" x="{LEFT}" y="{y - 10}" width="14" height="12"/>'
        yield f'<text x="{LEFT + 22}" y="{y}">{escape(row["title"])}</text>'
    y = at + KEY * len(rows)
    yield f'<path class="paper" d="M{LEFT} {y - 4}h14"/>'
    yield f'<text x="{LEFT + 22}" y="{y}">the paper; dots: single seeds; whiskers: their standard deviation</text>'
