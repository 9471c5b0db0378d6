"""What was measured on each photograph, on disk, so that a run that was stopped goes on where it was.

A folder holds `settings.json` (what was measured, and how), `photographs.jsonl` (a line for each photograph, written
when it is finished) and `features-*.f32` (a row of raw float32 for each finished photograph, in the lines' order).
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from tintype.runtime.atomic import write_atomically

_LINES = "photographs.jsonl"


class Records:
    """The records of one evaluation. A context; opening it reads what is there, and cuts off what was half written.

    Args:
        folder: made if it is not there.
        settings: what the measurements depend on, as JSON can hold it.

    Raises:
        ValueError: the folder holds something else, or records of other settings.
        OSError: it cannot be written.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]):
        self.folder = folder
        self.done: set[str] = set()
        self._widths: dict[str, int] = {}
        self._open = ExitStack()
        self._files: dict[str, BinaryIO] = {}
        _claim(folder, json.loads(json.dumps(settings)))
        self._lines = self._open.enter_context(open(folder / _LINES, "ab"))  # noqa: SIM115
        try:
            _lock(self._lines)
            self._cut()
        except BaseException:
            self._open.close()
            raise

    def __enter__(self) -> "Records":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The finished photographs, one after another."""
        with open(self.folder / _LINES, encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                del record["features"]
                yield record

    def add(self, record: Mapping[str, Any], features: Mapping[str, NDArray[np.float32]]) -> None:
        """Write down a finished photograph.

        Args:
            record: with the key `photograph`.
            features: rows by name; each name always has the same length.
        """
        for name, row in features.items():
            if name not in self._files:
                self._files[name] = self._open.enter_context(open(self._place(name), "ab", buffering=0))  # noqa: SIM115
            self._files[name].write(np.ascontiguousarray(row, dtype="<f4").tobytes())
            self._widths[name] = len(row)
        line = {**record, "features": {name: len(row) for name, row in features.items()}}
        # In one write and after its rows: a line that is there is complete, and so are they.
        self._lines.write(json.dumps(line, separators=(",", ":"), allow_nan=False).encode() + b"\n")
        self._lines.flush()
        self.done.add(record["photograph"])

    def features(self, name: str) -> NDArray[np.float32]:
        """The rows of a name, (photographs, length), read from disk as they are used."""
        return np.memmap(self._place(name), dtype="<f4", mode="r").reshape(-1, self._widths[name])

    def _place(self, name: str) -> Path:
        return self.folder / f"features-{name}.f32"

    def _cut(self) -> None:
        """Cut files back to the last line that is whole and whose rows are all there."""
        place, good = self.folder / _LINES, 0
        with open(place, "rb") as file:
            for line in file:
                record = _whole(line)
                if record is None or record["photograph"] in self.done:
                    break
                widths = record["features"]
                if (self.done and widths != self._widths) or not all(
                    _bytes(self._place(name)) >= 4 * width * (len(self.done) + 1) for name, width in widths.items()
                ):
                    break
                self._widths = widths
                self.done.add(record["photograph"])
                good += len(line)
        os.truncate(place, good)
        for kept in self.folder.glob("features-*.f32"):
            name = kept.name.removeprefix("features-").removesuffix(".f32")
            os.truncate(kept, 4 * self._widths.get(name, 0) * len(self.done))


def _whole(line: bytes) -> dict[str, Any] | None:
    """A line's record, if the line is one."""
    try:
        record = json.loads(line)
    except ValueError:
        return None
    if not (line.endswith(b"\n") and isinstance(record, dict) and isinstance(record.get("photograph"), str)):
        return None
    widths = record.get("features")
    if not (isinstance(widths, dict) and all(isinstance(width, int) for width in widths.values())):
        return None
    return record


def _lock(file: BinaryIO) -> None:
    """Holds a file for this process, until it is closed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ValueError(f"{Path(file.name).parent}: another run is measuring here; wait for it, or stop it") from error


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / "settings.json"
    if not place.exists():
        if any(not path.name.startswith(".") for path in folder.iterdir()):
            raise ValueError(f"{folder}: holds other files, but no evaluation to go on with; give a new folder")
        text = json.dumps(settings, indent=1).encode()

        def write(file: BinaryIO) -> None:
            file.write(text)

        write_atomically(place, write)
        return
    try:
        before = json.loads(place.read_text())
    except ValueError:
        before = None
    if not isinstance(before, dict):
        raise ValueError(f"{place}: damaged; give a new folder")
    different = sorted(key for key in {*before, *settings} if before.get(key) != settings.get(key))
    if different:
        raise ValueError(f"{folder}: was measured with other settings ({', '.join(different)}); give a new folder")
