"""Writing a tar whose bytes depend on its members' names and bytes alone, as WebDataset has them."""

import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

_BLOCK = 512
_END = 2 * _BLOCK
Member = tuple[str, bytes]  # name and data


class TarWriter:
    """Writes a tar that has its name only once it is complete, on the disk.

    Raises:
        OSError: it cannot be written. Call `discard` then.
    """

    def __init__(self, path: Path):
        self._path, self._partial = path, path.with_name(f".{path.name}.part")
        self._size = 0
        self._file = self._partial.open("wb")

    def size_with(self, members: Sequence[Member]) -> int:
        """Bytes of the whole tar, were these members in it too."""
        return self._size + sum(len(_header(name, data)) + _padded(len(data)) for name, data in members) + _END

    def add(self, members: Sequence[Member]) -> None:
        for name, data in members:
            for part in (_header(name, data), data, b"\0" * (_padded(len(data)) - len(data))):
                self._file.write(part)
                self._size += len(part)

    def finish(self) -> int:
        """Complete the tar; returns its size in bytes."""
        self._file.write(b"\0" * _END)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self._partial, self._path)
        return self._size + _END

    def discard(self) -> None:
        """Remove what was written, unless it is complete."""
        try:
            self._file.close()
        except OSError:  # of a full disk, where what is still to be written cannot be
            pass
        finally:
            self._partial.unlink(missing_ok=True)


def _header(name: str, data: bytes) -> bytes:
    info = tarfile.TarInfo(name)  # of nobody, from 1970
    info.size = len(data)
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
