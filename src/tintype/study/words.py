"""The results in words: figures as people read them, and the lines that a terminal shows."""

from collections.abc import Iterator
from typing import Any


def percent(value: float | None) -> str:
    """A share for people."""
    return "-" if value is None else f"{value:.1f} %"


def points(value: float | None) -> str:
    """A difference of two shares for people."""
    return "-" if value is None else f"{value:+.1f} points"


def span(figures: dict[str, Any]) -> str:
    """An interval for people, of a share or of a difference of two."""
    unit = "points" if "percent" in figures else "%"
    if figures["interval"] is None:
        return "-"
    low, high = figures["interval"]
    return f"{low:.1f} to {high:.1f} {unit}"


def still_needed(difference: dict[str, Any]) -> str:
    """How many visitors two methods still need, for people."""
    more = difference["visitors_still_needed"]
    if more is None:
        return "-"
    (a, b), (need_a, need_b) = difference["methods"], more
    return f"{need_a} for {a}, {need_b} for {b}" if any(more) else "none"


def rows(results: dict[str, Any]) -> list[list[str]]:
    """The main table, its head first."""
    return [
        ["method", "visitors", "pairs", "fooled", "95 % interval", "nobody excluded"],
        *(
            [
                name,
                str(figures["visitors"]),
                str(figures["trials"]),
                percent(figures["fooled_percent"]),
                span(figures),
                percent(results["without_exclusion"][name]["fooled_percent"]),
            ]
            for name, figures in results["methods"].items()
        ),
    ]


def summary(results: dict[str, Any]) -> Iterator[str]:
    """What a terminal shows, line by line."""
    visitors, answers = results["visitors"], results["answers"]
    table = rows(results)
    first, *others = (max(map(len, column)) for column in zip(*table, strict=True))
    for name, *cells in table:
        yield "  ".join([name.ljust(first), *(cell.rjust(width) for cell, width in zip(cells, others, strict=True))])
    yield ""
    yield (
        f"Visitors: {visitors['begun']} began, {visitors['finished']} finished, {len(visitors['excluded'])} left out. "
        f"Answers: {answers['counted']} of {answers['test']} count; {answers['shown_again']} to pairs shown again and "
        f"{answers['exposure_off']} to pairs with a wrong exposure never do."
    )
    for entry in visitors["excluded"]:
        yield f"Left out: visitor {entry['visitor']} ({entry['method']}), {'; '.join(entry['reasons'])}."
    for difference in results["differences"]:
        if difference["percent"] is not None:
            yield (
                f"{' - '.join(difference['methods'])}: {points(difference['percent'])} ({span(difference)}). "
                f"More visitors needed to tell them apart: {still_needed(difference)}."
            )
