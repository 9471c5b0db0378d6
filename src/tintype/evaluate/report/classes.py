"""Which classes a method's colours help the classifier to see, and which they hide."""

from collections.abc import Mapping, Sequence
from typing import Any

from tintype.evaluate.report.parts import table, text

SHOWN = 10  # of gains, and of losses


def gains(classes: Sequence[Mapping[str, Any]], method: str) -> list[tuple[float, Mapping[str, Any]]]:
    """By how much a method's top-1 of each class, in percent, is above the grey picture's: most first."""
    found = [(100 * (one["top1"][method] - one["top1"]["grey"]), one) for one in classes]
    return sorted(found, key=_most_first)


def _most_first(pair: tuple[float, Mapping[str, Any]]) -> tuple[float, int, str]:
    gain, one = pair
    return -gain, -one["images"], one["name"]


def class_tables(classes: Sequence[Mapping[str, Any]], methods: Sequence[str]) -> str:
    """Two tables for each method: the classes that gain most over grey, and those that lose most."""
    parts = []
    for method in methods:
        found = gains(classes, method)
        up = [pair for pair in found if pair[0] > 0][:SHOWN]
        down = sorted((pair for pair in found if pair[0] < 0), key=lambda pair: (pair[0], *_most_first(pair)))[:SHOWN]
        same = len(found) - sum(pair[0] != 0 for pair in found)
        largest = max((abs(pair[0]) for pair in found), default=0)
        sides = "".join(
            _table(title, kind, rows, method, largest)
            for title, kind, rows in (("Largest gains", "gain", up), ("Largest losses", "loss", down))
        )
        count = f"{len(found)} classes: {sum(pair[0] > 0 for pair in found)} gain, "
        count += f"{sum(pair[0] < 0 for pair in found)} lose, {same} stay."
        parts.append(f'<h3>{text(method)}</h3><p class="small quiet">{count}</p><div class="pair">{sides}</div>')
    return "".join(parts)


def _table(title: str, kind: str, rows: Sequence[tuple[float, Mapping[str, Any]]], method: str, largest: float) -> str:
    if not rows:
        return f'<p class="quiet">{title}: none.</p>'
    head = ["<th>class</th>", "<th>photo&shy;graphs</th>", "<th>grey → method</th>", "<th>points</th>", "<th></th>"]
    body = []
    for gain, one in rows:
        bar = f'<span class="bar {kind}" style="width:{100 * abs(gain) / largest:.0f}%"></span>'
        body.append(
            [
                f"<th>{text(one['name'])}</th>",
                f"<td>{one['images']}</td>",
                f"<td>{100 * one['top1']['grey']:.0f} → {100 * one['top1'][method]:.0f} %</td>",
                f"<td>{gain:+.0f}</td>".replace("-", "&minus;"),
                f'<td class="bars">{bar}</td>',
            ]
        )
    return table(head, [("", body)], title)
