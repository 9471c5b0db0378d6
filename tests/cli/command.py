"""Running the command, and making photographs for it."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

TINTYPE = Path(sys.executable).with_name("tintype")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, dict[str, Any]]:
        """What was said of each photograph, by its file name."""
        return {Path(answer["input"]).name: answer for answer in map(json.loads, self.out.splitlines())}


Run = Callable[..., Result]


def photograph(path: Path, size: tuple[int, int] = (48, 40), mode: str = "L") -> Path:
    """A grey ramp, from black to white."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ramp = Image.linear_gradient("L").resize(size)
    if mode == "I;16":
        ramp = Image.fromarray(np.asarray(ramp).astype(np.uint16) * 257)
    ramp.convert(mode).save(path)
    return path


def names(folder: Path) -> set[str]:
    """Every file below a folder, hidden ones too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
