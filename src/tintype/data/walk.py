"""What lies in a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from tintype.data.shards import split_file


def walk(root: Path) -> Iterator[str]:
    """The files in a folder and below it, relative to it, in an order that no file system decides.

    Hidden ones are left out. Links are followed, but for those that lead back up.

    Raises:
        OSError: a link or folder is gone.
    """
    seen = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        status = os.stat(folder)
        if (status.st_dev, status.st_ino) in seen:  # a link back up
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = os.path.relpath(folder, root)
        for name in sorted((name for name in names if not name.startswith(".")), key=split_file):
            yield name if below == "." else os.path.join(below, name)
