"""All files of a table."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tintype.runtime.atomic import write_atomically
from tintype.tables.markup import latex, markdown
from tintype.tables.page import page
from tintype.tables.words import summary


def write_all(built: Mapping[str, Any], out: Path, only: Sequence[str] = ()) -> None:
    """NAME-SCALE.json, .txt, .md, .tex and .html in a folder; of some rows, NAME-SCALE-ROW-ROW. Raises OSError."""
    out.mkdir(parents=True, exist_ok=True)
    made = {
        "json": json.dumps(built, ensure_ascii=False, indent=1),
        "txt": summary(built),
        "md": markdown(built),
        "tex": latex(built),
        "html": page(built),
    }
    name = re.sub(r"[^\w.-]", "-", "-".join([built["table"], built["scale"], *only]))
    for ending, text in made.items():
        _write(out / f"{name}.{ending}", f"{text}\n")


def _write(file: Path, text: str) -> None:
    write_atomically(file, lambda opened: opened.write(text.encode()), overwrite=True)
