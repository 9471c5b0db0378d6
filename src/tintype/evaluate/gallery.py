"""Which photographs to show of each method: those it did best on, worst, and in the middle."""

from collections.abc import Sequence
from typing import Any

SHOWN = 3  # of each kind


def choose(
    scores: Sequence[tuple[str, Sequence[float]]], names: Sequence[str], shown: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Photographs by method, best first.

    Args:
        scores: each photograph's name and its AuC rebalanced with each method.
        names: of the methods, as the scores have them.
        shown: those to choose for.
    """
    return {name: _choose(sorted((row[names.index(name)], photo) for photo, row in scores)) for name in shown}


def _choose(ranked: list[tuple[float, str]]) -> list[dict[str, Any]]:
    each = min(SHOWN, max(1, len(ranked) // 3))
    middle = (len(ranked) - each) // 2
    picked: dict[int, str] = {}  # place in the ranking: kind, each photograph once
    for kind, places in (
        ("best", range(len(ranked) - 1, len(ranked) - 1 - each, -1)),
        ("median", range(middle + each - 1, middle - 1, -1)),
        ("worst", range(each - 1, -1, -1)),
    ):
        for place in places:
            if 0 <= place < len(ranked):
                picked.setdefault(place, kind)
    return [
        {"kind": kind, "photograph": ranked[place][1], "auc_rebalanced_per_image": ranked[place][0]}
        for place, kind in picked.items()
    ]
