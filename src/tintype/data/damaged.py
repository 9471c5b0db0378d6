"""Photographs that cannot be decoded: telling each once, listing it, and ending what meets too many of them."""

import logging
import os
import re
import time
from io import FileIO
from pathlib import Path

from tintype.data.errors import LoadingError

_WRITING = 0.1  # seconds that writing a line may take

_log = logging.getLogger(__name__)


class Damaged:
    """The damaged photographs that a process meets, however many loaders it has.

    Args:
        total: photographs, of which damaged ones are a share.
        most: the share that may be damaged.

    Attributes:
        reasons: what is wrong with each, by path.
    """

    def __init__(self, total: int, most: float = 1.0):
        self._total, self._most = total, most
        self._listing: Path | None = None
        self._read = 0  # bytes of the listing, in which `_listed` are named
        self._listed: set[bytes] = set()
        self.reasons: dict[str, str] = {}

    def list_in(self, path: Path) -> None:
        """From now on, add a line for each to a file, and for those before; not where it is listed already, by another
        process or an earlier run."""
        self._listing = path
        for damaged, reason in self.reasons.items():
            self._list(damaged, reason)

    def note(self, path: str, reason: str) -> None:
        """Tell of a photograph, the first time that it is met, by a warning of this module's logger.

        Raises:
            LoadingError: more are damaged than may be.
        """
        if path in self.reasons:
            return
        self.reasons[path] = reason
        _log.warning("skipped %s: %s", path, reason)
        self._list(path, reason)
        count = len(self.reasons)
        if count > self._most * self._total:
            where = f"; they are listed in {self._listing}" if self._listing else ""
            raise LoadingError(
                f"{count} of {self._total} photographs are damaged, more than {self._most:.2%} (--max-damaged), "
                f"the last one {path}: {reason}{where}"
            )

    def _list(self, path: str, reason: str) -> None:
        if self._listing is None:
            return
        self._listing.parent.mkdir(parents=True, exist_ok=True)  # on a machine that does not share it
        line = os.fsencode(damaged_line(path, reason))
        # Unbuffered and appending, a line is one write: never mixed with another process's, nor cut by a kill.
        with open(self._listing, "a+b", buffering=0) as file:
            whole, newline, rest = self._look(file)
            if rest:  # another process may be at it
                time.sleep(_WRITING)
                whole, newline, rest = self._look(file)
            self._read += len(whole + newline)
            self._listed.update(known.partition(b"\t")[0] for known in whole.split(b"\n"))
            if line.partition(b"\t")[0] not in self._listed:
                file.write((b"\n" if rest else b"") + line)  # a full disk may have cut the last one

    def _look(self, file: FileIO) -> tuple[bytes, bytes, bytes]:
        """What has come to the listing: its whole lines, their last line break, and the rest."""
        file.seek(self._read)
        return file.read().rpartition(b"\n")


def damaged_line(path: str, reason: str) -> str:
    """A line of damaged.tsv: the path, a tab, and what is wrong. Tabs and line breaks in them become "?"."""
    return "\t".join(re.sub(r"[\t\r\n]", "?", text) for text in (path, reason)) + "\n"
