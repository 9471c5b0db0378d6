"""What a real-vs-fake study came to, from the file that `tintype study results --json` printed."""

import json
from pathlib import Path
from typing import Any


def read_study(file: Path) -> dict[str, dict[str, Any]]:
    """The share of fooled trials by method, in percent: value, 95 % interval, visitors and trials.

    Methods that nobody has judged yet are left out.

    Raises:
        ValueError: the file cannot be read, or is something else; in one line.
    """
    try:
        methods = json.loads(file.read_text(encoding="utf-8"))["methods"]
        return {
            name: {
                "value": float(one["fooled_percent"]),
                "interval": one["interval"],
                "visitors": one["visitors"],
                "trials": one["trials"],
            }
            for name, one in methods.items()
            if one["fooled_percent"] is not None
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file}: is not what `tintype study results --json` prints") from error
