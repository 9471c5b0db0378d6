"""A report of every photograph of a run, as CSV or JSON lines, which a restarted run goes on with.

A line is appended when its photograph is finished, in one piece. Where a photograph comes again, because it had failed
or is made anew, its last line counts; the others are taken out when the report is opened the next time, and when it is
closed. So is the half line that a killed run, or a full disk, may leave.
"""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from types import TracebackType

from tintype.archive.rows import FORMATS, Row
from tintype.runtime.folders import Item


class ReportError(ValueError):
    """A report cannot be written as asked; one line that says why."""


class ReportFile:
    """A report, to be closed at the end.

    Args:
        path: ends in .csv or .jsonl. What is in it already is kept.

    Raises:
        ReportError: another suffix; something else is in that file; or another run is writing it.
        OSError: it cannot be read or written.
    """

    def __init__(self, path: str | Path):
        self._path = Path(path)
        if self._path.suffix.lower() not in FORMATS:
            raise ReportError(f"{path}: a report ends in {' or '.join(FORMATS)}")
        self._format = FORMATS[self._path.suffix.lower()]
        if not self._path.exists():
            self._path.write_bytes(self._format.header)
        elif not self._path.is_file():
            raise ReportError(f"{path}: not a file")
        self._lock = _lock(self._path)
        self._failed: dict[bytes, bool] = {}
        self._superseded = False
        self._tidy()
        self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115

    def add(self, item: Item) -> None:
        """Appends a photograph's line; not for one that was skipped, and whose line is there from an earlier run."""
        name = _digest(item.source)
        if item.skipped and self._failed.get(name) is False:
            return
        self._superseded |= name in self._failed
        self._failed[name] = item.error is not None
        line = self._format.line(row_of(item))
        if self._file.write(line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))

    def close(self) -> None:
        """Takes out lines that later ones replace."""
        self._file.close()
        if self._superseded:
            self._tidy()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None

    def __enter__(self) -> "ReportFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tidy(self) -> None:
        """Leaves the last line of each photograph, and whole lines only, by another file that takes its place."""
        last: dict[bytes, int] = {}
        for count, row in enumerate(self._rows(), 1):
            last[name := _digest(row["source"])] = count
            self._failed[name] = row["status"] == "failed"
        numbered = enumerate(self._rows(), 1)
        self._replace(row for number, row in numbered if last[_digest(row["source"])] == number)

    def _rows(self) -> Iterator[Row]:
        try:
            with open(self._path, "rb") as file:
                start = file.read(len(self._format.start))
            if not self._format.start.startswith(start):
                raise ValueError
            yield from self._format.read(self._path)
        except ValueError:
            what = f"not a report of tintype as {self._path.suffix}; give another name"
            raise ReportError(f"{self._path}: {what}") from None

    def _replace(self, rows: Iterable[Row]) -> None:
        place = self._path.with_name(f".{self._path.name}.part")
        try:
            with open(place, "wb") as file:
                lock = _lock(place)
                file.write(self._format.header)
                for row in rows:
                    file.write(self._format.line(row))
                file.flush()
                os.fsync(file.fileno())
            os.replace(place, self._path)
            self._unlock()
            self._lock = lock
        finally:
            with suppress(FileNotFoundError):
                os.unlink(place)


def row_of(item: Item) -> Row:
    """What a report says of a photograph."""
    status = "failed" if item.error else "skipped" if item.skipped else "made"
    size = item.size
    if size is None and not item.error and item.target and os.path.isfile(item.target):
        size = os.stat(item.target).st_size
    return {
        "source": item.source,
        "target": item.target or "",
        "status": status,
        "error": item.error or "",
        "seconds": round(item.seconds, 3),
        "size": size,
    }


def _digest(source: str) -> bytes:
    """Stands for a name, in less memory."""
    return blake2b(source.encode(errors="surrogateescape"), digest_size=12).digest()


def _lock(path: Path) -> int | None:
    """Keeps other runs from the report, where the system has such locks; it ends with the process."""
    try:
        import fcntl
    except ImportError:
        return None
    number = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise ReportError(f"{path}: another run is writing this report") from None
    except OSError:  # a file system without locks
        pass
    return number
