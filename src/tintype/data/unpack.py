"""Compressed tars cannot be read at random, so each is unpacked once and kept.

Unpacked tars lie in $XDG_CACHE_HOME/tintype/tars (~/.cache/tintype/tars), under a name made of the compressed tar's
path, size and time of change. They may be deleted at any time that no run reads them.
"""

import gzip
import hashlib
import os
import shutil
import zlib
from pathlib import Path

from filelock import FileLock

from tintype.data.errors import DataError

COMPRESSED = (".tar.gz", ".tgz")


def is_tar(name: str) -> bool:
    """Whether a file is a tar, by its name."""
    return name.lower().endswith((".tar", *COMPRESSED))


def uncompressed(path: Path) -> Path:
    """A tar that can be read at random: itself, or the unpacked form of a .tar.gz. Raises as `unpacked`."""
    return unpacked(path) if path.name.lower().endswith(COMPRESSED) else path


def unpacked(path: Path) -> Path:
    """The uncompressed form of a .tar.gz, unpacked now if it was not before.

    Processes that ask at the same time wait for the first. A killed one leaves nothing that another takes for whole.

    Raises:
        DataError: the file is damaged or no gzip file, or the cache cannot be written.
    """
    status = path.stat()
    identity = f"{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}"
    stem = path.name.partition(".")[0]
    target = _cache() / f"{stem}-{hashlib.blake2b(os.fsencode(identity), digest_size=8).hexdigest()}.tar"
    if target.exists():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not target.exists():
                _unpack(path, target)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path} is damaged: {error}") from error
    except OSError as error:
        raise DataError(
            f"cannot unpack {path} into {target.parent}: {error.strerror or error} (XDG_CACHE_HOME chooses the place)"
        ) from error
    return target


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tintype" / "tars"


def _unpack(path: Path, target: Path) -> None:
    partial = target.with_suffix(".part")
    try:
        with gzip.open(path, "rb") as source, open(partial, "wb") as sink:
            shutil.copyfileobj(source, sink, 1 << 20)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
