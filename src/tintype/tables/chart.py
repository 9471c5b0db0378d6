"""A table as a chart, SVG."""

from collections.abc import Mapping
from typing import Any

from tintype.tables.bars import bars
from tintype.tables.curves import curves


def chart(built: Mapping[str, Any]) -> str:
    """Bars, a drawing for each column, or curves over the columns, with their key; of rows that have figures of ours.

    Empty where no row has.
    """
    rows = [row for row in built["rows"] if row["ours"]]
    if not rows:
        return ""
    return (curves if built["plot"] == "lines" else bars)(built, rows)
