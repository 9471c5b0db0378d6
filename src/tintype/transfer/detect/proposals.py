"""The boxes proposed for every picture of a set: found once, and kept on disk."""

import hashlib
import multiprocessing
import os
import random
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tintype.data.decode import full_size
from tintype.data.errors import DamagedPhotoError, DataError
from tintype.data.loader import ignore_stops
from tintype.data.missing import require_all
from tintype.runtime.atomic import write_atomically
from tintype.transfer.detect.edges import Edges
from tintype.transfer.detect.matlab import read_matlab
from tintype.transfer.detect.selective_search import Search, require_opencv, selective_search, tidy


class Picture(NamedTuple):
    """A picture by name, its file, and the file that its proposals are kept in."""

    name: str
    photograph: Path
    kept: Path


def searched(
    names: Sequence[str],
    photographs: Sequence[Path],
    folder: Path,
    search: Search,
    jobs: int = 1,
    share: tuple[int, int] = (0, 1),
) -> list[Path]:
    """Propose boxes by selective search, where that has not been done yet.

    Killed, it goes on where it was: each picture's boxes are a file, NAME-DIGEST.npy, complete or absent. Runs that
    search at once share the work: each goes through the pictures in an order of its own. The digest is
    of the photograph's file and of what is searched for, so that neither can change unnoticed.

    Args:
        names: of the pictures.
        photographs: their files.
        folder: where to keep them; made if need be.
        search: what is searched for.
        jobs: processes that search.
        share: (which, of how many) trainings side by side this is; it searches its share of the pictures.

    Returns:
        The file of each picture, for `read_proposals`; of those of other shares too, which may not be there yet.

    Raises:
        DataError: OpenCV is not installed, a photograph is damaged, or the folder cannot be written.
    """
    _make(folder)
    pictures = [
        Picture(name, photograph, folder / f"{name}-{_digest(photograph, *search)}.npy")
        for name, photograph in zip(names, photographs, strict=True)
    ]
    rank, of = share
    missing = [picture for picture in pictures[rank::of] if not _is_whole(picture.kept)]
    if missing:
        require_opencv()
        random.Random(os.getpid()).shuffle(missing)
        for _ in tqdm(_work(missing, search, jobs), "selective search", len(missing), disable=not sys.stderr.isatty()):
            pass
    return [picture.kept for picture in pictures]


def given(names: Sequence[str], matlab: Path, folder: Path, write: bool = True) -> list[Path]:
    """Proposals from a file as they come with Fast R-CNN, in the form that `searched` keeps them in.

    They are taken as they are, but for repeated ones.

    Args:
        names: of the pictures.
        matlab: the file, see `read_matlab`.
        folder: where to keep them; made if need be.
        write: whether this process does it, or another.

    Raises:
        DataError: the file is none, or lacks pictures, or the folder cannot be written.
    """
    _make(folder)
    digest = _digest(matlab)
    kept = [folder / f"{name}-{digest}.npy" for name in names]
    if write and not all(_is_whole(path) for path in kept):
        boxes = read_matlab(matlab)
        require_all(matlab, len(names), [f"boxes of {name}" for name in names if name not in boxes])
        for name, path in zip(names, kept, strict=True):
            _keep(path, tidy(boxes[name], Search(at_most=len(boxes[name]), min_side=1)))
    return kept


def read_proposals(path: Path) -> Edges:
    """What is kept in a file, (n, 4). Raises DataError where it is damaged."""
    try:
        with path.open("rb") as file:
            edges = np.load(file)
            rest = file.read(1)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"{path} is damaged: {error}") from error
    if edges.dtype != np.float32 or edges.ndim != 2 or edges.shape[1] != 4 or rest:
        raise DataError(f"{path} is damaged: no list of boxes")
    return np.asarray(edges)


def _is_whole(path: Path) -> bool:
    try:
        read_proposals(path)
    except DataError:
        return False
    return True


def _digest(path: Path, *settings: int) -> str:
    try:
        content = hashlib.sha256(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    content.update(repr(settings).encode())
    return content.hexdigest()[:16]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot write {folder}: {error.strerror or error}") from error


def _keep(path: Path, edges: Edges) -> None:
    try:
        write_atomically(path, lambda file: np.save(file, edges), overwrite=True)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


def _work(pictures: Sequence[Picture], search: Search, jobs: int) -> Iterable[None]:
    """Search all pictures; yields once for each that is done."""
    if jobs <= 1 or len(pictures) == 1:
        for picture in pictures:
            _search(picture, search)
            yield
        return
    context = multiprocessing.get_context("spawn")  # a fork would have torch's threads, but not their work
    pool = ProcessPoolExecutor(min(jobs, len(pictures)), context, initializer=ignore_stops, initargs=(0,))
    try:
        for done in as_completed([pool.submit(_search, picture, search) for picture in pictures]):
            yield done.result()
    except BrokenProcessPool as error:
        raise DataError("a process that searches pictures was killed, perhaps for its memory: try fewer") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _search(picture: Picture, search: Search) -> None:
    if _is_whole(picture.kept):  # by now, by another run
        return
    try:
        rgb = full_size(picture.photograph.read_bytes())
    except (DamagedPhotoError, OSError) as error:
        raise DataError(f"{picture.photograph} cannot be read: {error}") from error
    _keep(picture.kept, selective_search(rgb, search))
