"""Curves over a table's columns, such as a network's layers: ours solid, the paper's dashed in the same colour."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tintype.evaluate.report.parts import text
from tintype.tables.drawing import Place, Row, ends, figures, key, svg, ticks, told, whisker_key

HEIGHT, LEFT, RIGHT, TOP = 250, 44, 8, 30
APART = 6  # from one row's marks to the next one's, so that whiskers do not hide each other
WIDE = 700
HUES = 6  # --c1 to --c6 in the page's style
SHAPES = (  # of the means
    lambda x, y: f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
    lambda x, y: f"M{x - 4:.1f} {y - 4:.1f}h8v8h-8z",
    lambda x, y: f"M{x:.1f} {y - 5:.1f}l5 8.5h-10z",
)


def curves(built: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """One drawing of all columns, and its key."""
    columns = built["columns"]
    names = [column["column"] for column in columns]
    marks = ticks(figures(rows, names))
    slot = max(70, 480 / len(columns), APART * (len(rows) + 2))
    right = LEFT + slot * len(columns)
    wrapped = [textwrap.wrap(column["title"], int(slot / 8)) or [""] for column in columns]

    def y(value: float) -> float:
        return TOP + HEIGHT * (marks[-1] - value) / (marks[-1] - marks[0])

    parts = [f'<text class="unit" x="0" y="12">{text(columns[0]["unit"])}</text>']
    for tick in marks:
        parts.append(f'<path class="{"zero" if tick == 0 else "grid"}" d="M{LEFT} {y(tick):.1f}H{right:g}"/>')
        parts.append(f'<text class="side" x="{LEFT - 8}" y="{y(tick) + 4:.1f}">{told(tick)}</text>')
    for place, lines in enumerate(wrapped):
        for number, line in enumerate(lines):
            x = LEFT + slot * (place + 0.5)
            parts.append(f'<text class="tick" x="{x:.1f}" y="{TOP + HEIGHT + 18 + 14 * number}">{text(line)}</text>')
    places = [LEFT + slot * (place + 0.5) for place in range(len(columns))]
    for number, row in enumerate(rows):
        shift = APART * (number - (len(rows) - 1) / 2)
        parts += _row(row, number, names, [place + shift for place in places], y)
    height = TOP + HEIGHT + 10 + 14 * max(map(len, wrapped))
    about = "A curve for each row, ours solid with its seeds, the paper's dashed; the numbers stand in the table."
    drawing = svg(right + RIGHT, height, "curves", built["title"], about, parts)
    marked = key([*map(_entry, range(len(rows)), rows), *_KEY, whisker_key(built)])
    wide = ' wide" tabindex="0" aria-label="The chart' if right > WIDE else ""  # on a phone moved sideways
    return f'{marked}<figure class="curves{wide}">{drawing}</figure>'


_KEY = (
    ('<path class="ours ink" d="M0 6H30"/>', "ours, mean of the seeds"),
    ('<path class="quoted ink" d="M0 6H30"/>', "the paper's"),
    ('<circle class="dot" cx="15" cy="6" r="2.6"/>', "single seeds"),
)


def _entry(number: int, row: Row) -> tuple[str, str]:
    hue = number % HUES
    mark = f'<path class="ours s{hue}" d="M0 6H30"/><path class="c{hue}" d="{_shape(number)(15, 6)}"/>'
    return mark, row["title"]


def _shape(number: int) -> Any:
    return SHAPES[(number + number // HUES) % len(SHAPES)]


def _row(row: Row, number: int, names: Sequence[str], places: Sequence[float], y: Place) -> Iterator[str]:
    hue = number % HUES
    at = dict(zip(names, places, strict=True))
    title = f"<title>{text(row['title'])}</title>"
    for kind, figure in (("published", "value"), ("ours", "mean")):
        points = [(at[name], y(row[kind][name][figure])) for name in names if name in row[kind]]
        if points:
            path = "L".join(f"{x:.1f} {height:.1f}" for x, height in points)
            yield f'<path class="{"ours" if kind == "ours" else "quoted"} s{hue}" d="M{path}">{title}</path>'
    for name in names:
        cell, x = row["ours"].get(name), at[name]
        if not cell:
            continue
        if low_high := ends(cell):
            low, high = map(y, low_high)
            caps = "".join(f"M{x - 4:.1f} {end:.1f}h8" for end in (low, high))
            yield f'<path class="whisker s{hue}" d="M{x:.1f} {low:.1f}V{high:.1f}{caps}"/>'
        for value in cell["values"]:
            yield f'<circle class="dot s{hue}" cx="{x:.1f}" cy="{y(value):.1f}" r="2.2"/>'
        yield f'<path class="c{hue}" d="{_shape(number)(x, y(cell["mean"]))}"/>'
