"""What a real-vs-fake study came to, from the file that `tintype study results --json` printed."""

import json
from pathlib import Path
from typing import Any, TypedDict


class Asked(TypedDict):
    """A method's share of fooled trials in percent, with its 95 % interval, and of how many."""

    value: float
    interval: list[float] | None
    visitors: int
    trials: int


def read_study(file: Path) -> dict[str, Asked]:
    """The share of fooled trials by method, in percent: value, 95 % interval, visitors and trials.

    Methods that nobody has judged yet are left out.

    Raises:
        ValueError: the file cannot be read, or is something else; in one line.
    """
    try:
        methods = json.loads(file.read_text(encoding="utf-8"))["methods"]
        return {name: _read(one) for name, one in methods.items() if one["fooled_percent"] is not None}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file}: is not what `tintype study results --json` prints") from error


def _read(one: dict[str, Any]) -> Asked:
    interval = None if one["interval"] is None else [float(bound) for bound in one["interval"]]
    value, counts = float(one["fooled_percent"]), [one["visitors"], one["trials"]]
    percents = [value, *(interval or [])]
    if not all(0 <= percent <= 100 for percent in percents) or not all(isinstance(count, int) for count in counts):
        raise ValueError("not shares and counts")
    return {"value": value, "interval": interval, "visitors": counts[0], "trials": counts[1]}
