"""Files that appear under their name complete, or not at all, and never in place of another by accident."""

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO


def write_atomically(target: Path, write: Callable[[BinaryIO], object], overwrite: bool = False) -> None:
    """Writes a file.

    On Linux the file has no name until it is complete, so that even a killed process leaves nothing behind. Elsewhere,
    and on file systems that cannot do this, it has a temporary name in the same folder.

    Args:
        target: its name, in a folder that is there.
        write: writes it; called once more where the first way turns out not to work at the end.
        overwrite: whether a file that is there already is replaced.

    Raises:
        FileExistsError: there is such a file, also where it came while this one was being written.
        OSError: it cannot be written; `filename` is the target. Nothing is left behind.
    """
    try:
        if not overwrite and os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        if not _write_nameless(target, write, overwrite):
            _write_named(target, write, overwrite)
    except OSError as error:
        # Pillow's encoders do not always say what the system said.
        number = error.errno or errno.EIO
        raise OSError(number, error.strerror or f"cannot be written ({error})", str(target)) from None


def _write_nameless(target: Path, write: Callable[[BinaryIO], object], overwrite: bool) -> bool:
    """False where the system or the file system has no files without a name."""
    try:
        number = os.open(target.parent, os.O_TMPFILE | os.O_RDWR, 0o666)
    except (AttributeError, OSError):
        return False
    with open(number, "w+b") as file:
        write(file)
        _to_disk(file)
        place = temporary_name(target) if overwrite else target
        try:
            # The folder number makes Python use linkat(), which can follow this link to the file.
            os.link(f"/proc/self/fd/{number}", place, src_dir_fd=number, follow_symlinks=True)
        except FileExistsError:
            raise
        except OSError:
            return False
        if overwrite:
            _replace(place, target)
    return True


def _write_named(target: Path, write: Callable[[BinaryIO], object], overwrite: bool) -> None:
    place = temporary_name(target)
    number = os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with open(number, "w+b") as file:
            write(file)
            _to_disk(file)
        _move(place, target, overwrite)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(place)


def place_atomically(place: Path, target: Path, overwrite: bool = False) -> None:
    """Gives a file that is complete its name, on the same file system; `place` is gone then.

    Raises:
        FileExistsError: there is such a file already, and it is not to be replaced.
        OSError: `filename` is the target.
    """
    try:
        with place.open("r+b") as file:
            _to_disk(file)
        _move(place, target, overwrite)
        with suppress(FileNotFoundError):
            os.unlink(place)
    except OSError as error:
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(target)) from None


def _move(place: Path, target: Path, overwrite: bool) -> None:
    if not overwrite:
        try:
            os.link(place, target)  # fails where the name is taken, as a renaming would not
            return
        except FileExistsError:
            raise
        except OSError:  # no hard links here: take the name with an empty file
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    try:
        _replace(place, target)
    except BaseException:
        if not overwrite:
            os.unlink(target)
        raise


def _to_disk(file: IO[bytes]) -> None:
    """Before the file has its name: after a power cut, an empty file would pass for a finished one."""
    file.flush()
    os.fsync(file.fileno())


def _replace(place: Path, target: Path) -> None:
    try:
        os.replace(place, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(place)


def temporary_name(target: Path) -> Path:
    """A name that no other file has, in the same folder, hidden."""
    return target.with_name(f".tintype-{os.urandom(6).hex()}.part")
