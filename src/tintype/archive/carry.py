"""Colorizing from and to URLs: the photograph is brought here, and its output put there when it is complete."""

import errno
import os
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from tintype.archive.places import Place, is_local, place_of
from tintype.runtime.atomic import temporary_name
from tintype.runtime.batch import Outcome, colorize_item
from tintype.runtime.folders import Item
from tintype.runtime.settings import Colorize

# Object stores show a new object when it was received in full, and have no renaming: theirs is a copy.
OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "memory"}


class Carrier:
    """Works on items whose source or target may be a URL; others are worked on where they are.

    Args:
        overwrite: whether outputs that are there already are made again.
    """

    def __init__(self, overwrite: bool):
        self._overwrite = overwrite

    def __call__(self, item: Item, colorize: Colorize) -> Outcome:
        """As `batch.colorize_item`."""
        assert item.target is not None
        if "://" not in item.source + item.target:
            return colorize_item(item, colorize)
        start = time.perf_counter()
        try:
            source, target = place_of(item.source), place_of(item.target)
            if not self._overwrite and target.system.exists(target.path):
                return replace(item, skipped=True), None
            with TemporaryDirectory(prefix="tintype-") as folder:
                made, hopeless = self._colorize(source, target, Path(folder), colorize)
        except Exception as problem:  # every file system has its own
            reason = " ".join(str(problem).split()) or type(problem).__name__
            missing = isinstance(problem, FileNotFoundError)
            line = f"{item.source}: {'no such file' if missing else reason[:200]}"
            return replace(item, error=line, seconds=time.perf_counter() - start), None
        if made is None:
            return None, None
        error = made.error
        if error and made.target:
            error = error.replace(made.source, item.source).replace(made.target, item.target)
        seconds = 0.0 if made.skipped else time.perf_counter() - start
        return replace(made, source=item.source, target=item.target, error=error, seconds=seconds), hopeless

    def _colorize(self, source: Place, target: Place, folder: Path, colorize: Colorize) -> Outcome:
        """Makes the colour version; of the item that comes back, source and target are the files worked on."""
        here, there = Path(source.path), Path(target.path)
        if not is_local(source.system):
            here = folder / f"photograph{os.path.splitext(source.path)[1]}"
            source.system.get_file(source.path, str(here))
        if not is_local(target.system):
            there = folder / f"colour{os.path.splitext(target.path)[1]}"
        made, hopeless = colorize_item(Item(str(here), str(there)), colorize)
        if made is not None and not is_local(target.system) and not made.error:
            put(there, target, self._overwrite)
        return made, hopeless


def put(file: Path, target: Place, overwrite: bool) -> None:
    """Puts a file in its place, whole or not at all.

    Raises:
        OSError, or what the file system raises: it cannot be put there.
        FileExistsError: something is there, and not to be replaced.
    """
    system, path = target.system, target.path
    kinds = {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)
    if kinds & OBJECT_STORES:
        system.put_file(str(file), path)
        return
    system.makedirs(path.rpartition("/")[0], exist_ok=True)
    place = f"{path.rpartition('/')[0]}/{temporary_name(Path('x')).name}"
    try:
        system.put_file(str(file), place)
        if system.exists(path):
            if not overwrite:
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target.name)
            system.rm_file(path)  # not every file system renames onto another file
        system.mv(place, path)
    finally:
        if system.exists(place):
            system.rm_file(place)
