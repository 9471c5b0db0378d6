"""What bars and curves have in common: scales, and SVG that takes its colours from the page that it stands in."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tintype.evaluate.report.parts import text

Row = Mapping[str, Any]
Place = Callable[[float], float]  # from a figure to where it lies in a drawing


def figures(rows: Sequence[Row], columns: Sequence[str]) -> list[float]:
    """All that is drawn of some columns: seeds, ends of whiskers, the paper's."""
    found = []
    for row in rows:
        for name in columns:
            if cell := row["ours"].get(name):
                found += [*cell["values"], *ends(cell)]
            if quoted := row["published"].get(name):
                found.append(quoted["value"])
    return found


def ends(cell: Row) -> tuple[float, ...]:
    """Where whiskers end: as is given, or a standard deviation off the mean; nothing where there is one seed."""
    if "low" in cell and "high" in cell:
        return cell["low"], cell["high"]
    return () if cell["std"] is None else (cell["mean"] - cell["std"], cell["mean"] + cell["std"])


def ticks(values: Sequence[float]) -> list[float]:
    """Round numbers, at most eight, from 0, or from below what is lower, to above the highest."""
    low, high = min(0.0, *values), max(0.0, *values)
    span = high - low or 1.0
    power = 10.0 ** math.floor(math.log10(span / 6))
    step = power * next(part for part in (1, 2, 5, 10) if span / (power * part) <= 6)
    return [step * number for number in range(math.floor(low / step), max(1, math.ceil(high / step)) + 1)]


def told(value: float) -> str:
    """A tick's number."""
    return f"{value:.6g}"


def svg(width: float, height: float, name: str, title: str, about: str, parts: Sequence[str]) -> str:
    """A drawing with what a screen reader tells of it.

    Args:
        name: no other drawing's of the page.
        title, about: plain text.
    """
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{text(title)}</title><desc id="{name}-desc">{text(about)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def whisker_key(built: Mapping[str, Any]) -> tuple[str, str]:
    """What whiskers mean."""
    return '<path class="whisker" d="M3 6h24M3 2v8M27 2v8"/>', built["whiskers"]


def key(items: Sequence[tuple[str, str]]) -> str:
    """What the marks of a drawing mean: each a small drawing, 30 by 12, and plain text."""
    shown = "".join(
        f'<li><svg viewBox="0 0 30 12" width="30" height="12" aria-hidden="true">{mark}</svg>{text(what)}</li>'
        for mark, what in items
    )
    return f'<ul class="key">{shown}</ul>'
