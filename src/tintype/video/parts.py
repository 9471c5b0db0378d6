"""The work folder of a film: parts that are finished, and what the frames after them depend on."""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.runtime.atomic import write_atomically
from tintype.runtime.errors import PhotoError

State = dict[str, NDArray[Any]]


class Parts:
    """A hidden folder beside the target.

    Args:
        target: the film that is to be.
        job: all that the result depends on. Parts that were made by another are thrown away.
    """

    def __init__(self, target: Path, job: dict[str, Any]):
        self.folder = target.with_name(f".{target.name}.parts")
        text = json.dumps(job, sort_keys=True)
        note = self.folder / "job.json"
        if self.folder.is_dir() and (not note.is_file() or note.read_text() != text):
            shutil.rmtree(self.folder)
        if not self.folder.is_dir():
            self.folder.mkdir()
            write_atomically(note, lambda file: file.write(text.encode()))

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other runs away from this folder; a run that was killed keeps nobody away."""
        try:
            import fcntl
        except ImportError:  # not on Windows
            yield
            return
        with (self.folder / "lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise PhotoError(f"{self.folder}: another run is at work on this film") from None
            yield

    def name(self, number: int) -> Path:
        return self.folder / f"{number:06}.nut"

    def finished(self) -> tuple[list[Path], State | None]:
        """The parts that there are, from the first one on, and the state after them."""
        paths: list[Path] = []
        state = None
        while self._state(len(paths)).is_file() and self.name(len(paths)).is_file():
            with np.load(self._state(len(paths))) as file:
                state = dict(file)
            paths.append(self.name(len(paths)))
        return paths, state

    def finish(self, number: int, written: Path, state: State) -> None:
        """Makes a part count: it and then its state get their names, each when it is whole on the disk."""
        with written.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(written, self.name(number))
        data = io.BytesIO()
        np.savez(data, **state)  # type: ignore[arg-type]
        write_atomically(self._state(number), lambda file: file.write(data.getvalue()), overwrite=True)

    def remove(self) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self.folder)

    def _state(self, number: int) -> Path:
        return self.folder / f"{number:06}.npz"


def fingerprint(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
