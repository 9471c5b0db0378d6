"""The bars of the report, as SVG."""

from html import escape
from typing import Any

WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 640, 40, 150, 90, 28, 36
SPAN = WIDTH - LEFT - RIGHT
LONGEST = 16  # characters of a name that fit beside the bars


def _x(percent: float, most: float) -> float:
    return round(LEFT + SPAN * percent / most, 1)


def bars(methods: dict[str, dict[str, Any]]) -> str:
    """One bar for each method's share of pairs fooled, in percent, with its interval as a whisker."""
    ends = [
        value for figures in methods.values() for value in (figures["fooled_percent"], *(figures["interval"] or []))
    ]
    most: float = min(100, max([55, *(end + 5 for end in ends if end is not None)]))
    height = TOP + ROW * len(methods) + BOTTOM

    def x(percent: float) -> float:
        return _x(percent, most)

    floor = height - BOTTOM
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="Share of pairs in which visitors were fooled">',
        *(
            f'<line class="grid" x1="{x(tick)}" x2="{x(tick)}" y1="{TOP}" y2="{floor}"/>'
            f'<text class="tick" x="{x(tick)}" y="{floor + 18}">{tick} %</text>'
            for tick in range(0, int(most) + 1, 10)
        ),
        f'<line class="half" x1="{x(50)}" x2="{x(50)}" y1="{TOP - 6}" y2="{floor}"/>',
        f'<text class="tick" x="{x(50)}" y="{TOP - 10}">cannot be told apart</text>',
    ]
    for row, (name, figures) in enumerate(methods.items()):
        middle = TOP + ROW * row + ROW / 2
        short = name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"
        parts.append(f'<text class="name" x="{LEFT - 10}" y="{middle + 5}">{escape(short)}</text>')
        share, interval = figures["fooled_percent"], figures["interval"]
        if share is None:
            continue
        parts.append(f'<rect class="bar" x="{LEFT}" y="{middle - 9}" width="{x(share) - LEFT:.1f}" height="18"/>')
        end = share
        if interval:
            low, high = interval
            end = max(high, share)
            caps = "".join(f"M{x(place)} {middle - 5}v10" for place in interval)
            parts.append(f'<path class="whisker" d="M{x(low)} {middle}H{x(high)}{caps}"/>')
        parts.append(f'<text class="value" x="{x(end) + 8}" y="{middle + 5}">{share:.1f} %</text>')
    return "".join([*parts, "</svg>"])
