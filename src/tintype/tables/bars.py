"""Bars: for each column a drawing, in which every row has ours above the paper's."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tintype.evaluate.report.parts import text
from tintype.tables.drawing import Place, Row, ends, figures, key, svg, ticks, told, whisker_key

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 410, 150, 14, 6, 24
HIGH = 44  # of a row
OURS, PAPER = 16, 9  # thickness of the bars
LETTERS = 20  # of a title that fit beside them

_KEY = (
    ('<rect class="bar" y="1" width="30" height="10"/>', "ours, mean of the seeds"),
    ('<rect class="quoted" x="1" y="2" width="28" height="8"/>', "the paper's"),
    ('<circle class="dot" cx="15" cy="6" r="2.6"/>', "single seeds"),
)


def bars(built: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Drawings side by side, as many as there is room for."""
    made = [column for column in built["columns"] if column["seeds"]]  # shares of people have no seeds
    drawn = [_panel(column, rows, number) for number, column in enumerate(made) if _any(rows, column)]
    return f'{key([*_KEY, whisker_key(built)])}<div class="panels">{"".join(drawn)}</div>'


def _any(rows: Sequence[Row], column: Row) -> bool:
    return any(column["column"] in row["ours"] for row in rows)


def _panel(column: Row, rows: Sequence[Row], number: int) -> str:
    name = column["column"]
    marks = ticks(figures(rows, [name]))
    floor = TOP + HIGH * len(rows)

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - marks[0]) / (marks[-1] - marks[0])

    parts = []
    for tick in marks:
        parts.append(f'<path class="{"zero" if tick == 0 else "grid"}" d="M{x(tick):.1f} {TOP}V{floor}"/>')
        parts.append(f'<text class="tick" x="{x(tick):.1f}" y="{floor + 16}">{told(tick)}</text>')
    for place, row in enumerate(rows):
        parts += _row(row, name, TOP + HIGH * place, x)
    title = f"{column['title']}{_unit(column)}"
    about = "For each row ours with its seeds, and the paper's figure; the numbers stand in the table."
    drawing = svg(WIDTH, floor + BOTTOM, f"bars-{number}", title, about, parts)
    return f"<figure><figcaption>{text(title)}</figcaption>{drawing}</figure>"


def _unit(column: Row) -> str:
    return f", {column['unit']}" if column["unit"] else ""


def _row(row: Row, name: str, top: float, x: Place) -> Iterator[str]:
    lines = textwrap.wrap(row["title"], LETTERS, break_on_hyphens=False) or [""]
    if len(lines) > 3:
        lines = [*lines[:2], f"{lines[2][: LETTERS - 1]}…"]
    for number, line in enumerate(lines):
        y = top + HIGH / 2 + 4 + 13 * (number - (len(lines) - 1) / 2)
        yield f'<text class="name" x="{LEFT - 8}" y="{y:.1f}">{text(line)}</text>'
    cell, quoted = row["ours"].get(name), row["published"].get(name)
    upper = top + (HIGH - OURS - PAPER - 2) / 2
    if cell:
        yield _bar("bar", cell["mean"], upper, OURS, x)
        middle = upper + OURS / 2
        if low_high := ends(cell):
            low, high = map(x, low_high)
            caps = "".join(f"M{end:.1f} {middle - 5:.1f}v10" for end in (low, high))
            yield f'<path class="whisker" d="M{low:.1f} {middle:.1f}H{high:.1f}{caps}"/>'
        for seed, value in enumerate(cell["values"]):
            y = middle + 4 * (seed % 3 - 1)  # side by side, where they are nearly the same
            yield f'<circle class="dot" cx="{x(value):.1f}" cy="{y:.1f}" r="2.6"/>'
    if quoted:
        yield _bar("quoted", quoted["value"], upper + OURS + 2, PAPER, x)


def _bar(kind: str, value: float, top: float, thick: float, x: Place) -> str:
    left, right = sorted((x(0), x(value)))
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{thick}">'
        f"<title>{told(value)}</title></rect>"
    )
