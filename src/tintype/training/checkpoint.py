"""Checkpoints: one file for each, complete or absent, and nothing in it is executed when it is read."""

import os
import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

_NAME = re.compile(r"step-(\d{7,})\.pt")


def save_checkpoint(folder: Path, step: int, state: dict[str, Any], keep: int) -> Path:
    """Write folder/step-XXXXXXX.pt, then remove all but the `keep` newest.

    The file gets its name only once it is on the disk, so neither a kill nor a full disk costs an earlier checkpoint.

    Args:
        folder: made if need be.
        step: updates made so far.
        state: tensors, numbers, strings, and lists and dicts of them.
        keep: checkpoints to keep, at least 1.

    Raises:
        OSError: it cannot be written; nothing of it stays behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{step:07}.pt"
    temporary = folder / f".{path.name}.tmp"
    try:
        with temporary.open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except RuntimeError as error:  # what torch.save makes of a failed write
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise
    finally:
        temporary.unlink(missing_ok=True)
    _sync(folder)
    for old in list_checkpoints(folder)[:-keep]:
        old.unlink()
    return path


def list_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in a folder, oldest first. Half-written ones do not count."""
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if _NAME.fullmatch(p.name)), key=checkpoint_step)


def clear_up(folder: Path, damaged: Sequence[Path] = ()) -> None:
    """Remove what a killed process left half written, and set damaged checkpoints aside, under the ending .damaged.

    Left where they are, damaged ones would count among those that are kept, and push out good ones.
    """
    if folder.is_dir():
        for half in folder.glob(".step-*.pt.tmp"):
            half.unlink()
    for path in damaged:
        path.rename(path.with_name(f"{path.name}.damaged"))


def checkpoint_step(path: Path) -> int:
    """Updates made when this checkpoint was written, from its name."""
    match = _NAME.fullmatch(path.name)
    assert match, path
    return int(match[1])


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint into memory, tensors on the CPU.

    Raises:
        ValueError: the file is damaged, or holds something other than tensors and plain values.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, OSError, KeyError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path}: damaged checkpoint ({str(error).splitlines()[0]})") from error
    return state


def _sync(folder: Path) -> None:
    """Make a rename last through a power cut, where the system can open folders."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
