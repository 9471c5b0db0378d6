"""Results as a table for the terminal."""

from collections.abc import Mapping
from typing import Any


def table(record: Mapping[str, Any]) -> str:
    """A run's results, one line for each layer, class or figure.

    Args:
        record: what results.json holds.
    """
    results = record["results"]
    about = f"{record['recipe']} of {record['trunk']['trunk']} ({record['trunk']['weights']})"
    rows: list[str] = []
    for block, values in results.items():
        if isinstance(values, Mapping) and all(isinstance(inner, Mapping) for inner in values.values()):
            rows += _block(block, values)
        elif isinstance(values, Mapping):
            rows += [block, *_lines(values)]
        else:
            rows += _lines({block: values})
    return "\n".join([about, *rows])


def _block(name: str, values: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """One line for each member, a column for each figure; an interval stands behind its figure."""
    figures = [key for key in next(iter(values.values()), {}) if not key.endswith("_interval")]
    table = [[name, *figures]]
    for member, held in values.items():
        table.append([member, *(_shown(held[key], held.get(f"{key}_interval")) for key in figures)])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        f"{first:<{widths[0]}}  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(rest, widths[1:], strict=True))
        for first, *rest in table
    ]


def _lines(values: Mapping[str, Any]) -> list[str]:
    kept = {key: value for key, value in values.items() if not key.endswith("_interval")}
    width = max(map(len, kept), default=0)
    return [f"{key:<{width}}  {_shown(value, values.get(f'{key}_interval'))}" for key, value in kept.items()]


def _shown(value: Any, interval: Any = None) -> str:
    if isinstance(value, float):
        return f"{value:.2f}" + (f" [{interval[0]:.2f}, {interval[1]:.2f}]" if interval else "")
    return str(value)
