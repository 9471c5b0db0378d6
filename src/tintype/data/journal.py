"""Which shards of a folder are finished: what packing needs to go on after a kill."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from tintype.data.damaged import damaged_line
from tintype.data.whole import write_whole


class Shard(NamedTuple):
    """A finished shard: it has the photographs before number `next` that are in no earlier one and not damaged."""

    name: str
    next: int
    bytes: int
    damaged: dict[str, str]


class Journal:
    """shards.jsonl, a line for each finished shard, and damaged.tsv.

    Args:
        folder: of the shards. From the first that is not there in its full size on, all are forgotten.

    Attributes:
        folder: of the shards.
        shards: those that are finished.
        damaged: damaged photographs so far: what is wrong with each, by path.
    """

    def __init__(self, folder: Path):
        self.folder, self._path = folder, folder / "shards.jsonl"
        self.listing = folder / "damaged.tsv"
        self.shards: list[Shard] = []
        for line in self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []:
            try:
                shard = Shard(**json.loads(line))
                whole = (folder / shard.name).stat().st_size == shard.bytes
            except (ValueError, TypeError, FileNotFoundError):  # the last line of a killed run, or a removed shard
                break
            if not whole or shard.name != self.name:
                break
            self.shards.append(shard)
        self.damaged = {path: reason for shard in self.shards for path, reason in shard.damaged.items()}
        self._rewrite()

    @property
    def next(self) -> int:
        """The number of the first photograph that is in no finished shard."""
        return self.shards[-1].next if self.shards else 0

    @property
    def name(self) -> str:
        """The name of the next shard."""
        return f"shard-{len(self.shards):06}.tar"

    def add(self, size: int, next: int) -> None:
        """Note that the next shard is finished.

        Args:
            size: in bytes.
            next: number of the first photograph that is not in it.
        """
        self.shards.append(Shard(self.name, next, size, self._new_damage()))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(self.shards[-1]))
            file.flush()
            os.fsync(file.fileno())

    def finish(self, next: int) -> None:
        """Note that the last shard was the last; damaged photographs may have come after it."""
        last = self.shards[-1]
        self.shards[-1] = last._replace(next=next, damaged=last.damaged | self._new_damage())
        self._rewrite()
        self.list_damaged()

    def list_damaged(self) -> None:
        """Write damaged.tsv; without damage there is none."""
        if not self.damaged:
            self.listing.unlink(missing_ok=True)
        else:
            write_whole(self.listing, "".join(damaged_line(path, reason) for path, reason in self.damaged.items()))

    def _new_damage(self) -> dict[str, str]:
        told = {path for shard in self.shards for path in shard.damaged}
        return {path: reason for path, reason in self.damaged.items() if path not in told}

    def _rewrite(self) -> None:
        write_whole(self._path, "".join(map(_line, self.shards)))


def _line(shard: Shard) -> str:
    return json.dumps(shard._asdict()) + "\n"
