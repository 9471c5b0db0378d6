"""Whether tasks tell what tables ask them for."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tintype.tables.collect import numbers_at
from tintype.tables.spec import Measured, bundled_tables, load_table
from tintype.transfer.recipe_file import load_task


def asked_of(task: str) -> Iterator[Measured]:
    """Columns of the bundled tables that a task is to fill."""
    for name in bundled_tables():
        for scale in load_table(name).scales.values():
            for column in scale.columns.values():
                if column.task not in ("evaluate", "study") and load_task(column.task).task == task:
                    yield column


def check_told(task: str, results: Mapping[str, Any]) -> None:
    """That all such figures are in a task's results, whatever its layers and numbers of crops are here."""
    paths = {path for column in asked_of(task) for path in (column.figure, column.low, column.high) if path}
    assert paths
    for path in paths:
        here = re.sub(r"^(layers?|mAP)\.[^.]+", r"\1.*", path)
        assert numbers_at(results, here), path
