"""Batches of crops, decoded by worker processes."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tintype.data.damaged import Damaged
from tintype.data.decode import center_crop, random_crop
from tintype.data.errors import DamagedPhotoError, DataError, LoadingError
from tintype.data.photos import Photo, Photos
from tintype.data.sampling import CROP, Sampler, permute, uniform

_ATTEMPTS = 64


class _Batch(NamedTuple):
    """What a worker sends. An error comes as text: raised in a worker, it would arrive with two tracebacks."""

    pixels: Tensor
    damaged: list[tuple[str, str]]
    error: str = ""
    classes: Tensor | None = None


@dataclass(frozen=True)
class Labelled:
    """A batch with the classes of its photographs.

    Attributes:
        pixels: (batch, 3, crop, crop) uint8, RGB.
        classes: (batch,) int64.
    """

    pixels: Tensor
    classes: Tensor

    @property
    def shape(self) -> torch.Size:
        return self.pixels.shape

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, part: slice) -> "Labelled":
        return Labelled(self.pixels[part], self.classes[part])

    def to(self, device: torch.device, non_blocking: bool = False) -> "Labelled":
        return Labelled(*(held.to(device, non_blocking=non_blocking) for held in (self.pixels, self.classes)))


class Batches:
    """Batches of crops, from the first step to the last; each iteration starts anew.

    Yields uint8 tensors, (batch, 3, crop, crop), RGB, channels last in memory, in pinned memory where there is CUDA.

    Attributes:
        steps: their numbers.
        damaged: photographs that could not be decoded so far.
    """

    def __init__(self, dataset: "_RandomCrops | _CenterCrops", steps: range, workers: int, damaged: Damaged | None):
        self.damaged = damaged or Damaged(len(dataset.photos))
        self._dataset, self.steps = dataset, steps
        self._loader = DataLoader(
            dataset,
            batch_size=None,
            sampler=steps,
            num_workers=workers,
            collate_fn=_identity,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=ignore_stops,
        )

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Tensor]:
        for batch in self._received():
            yield batch.pixels

    def labelled(self) -> Iterator[Labelled]:
        """The same batches, with the classes of their photographs."""
        for batch in self._received():
            assert batch.classes is not None, "these photographs have no labels"
            yield Labelled(batch.pixels, batch.classes)

    def paths(self, step: int) -> list[str]:
        """Where the photographs of a step's batch lie, in its order. Decodes them, to know which ones are replaced."""
        return [self._dataset.photos[number].path for number in self._dataset.make(step)[1]]

    def _received(self) -> Iterator[_Batch]:
        for batch in self._loader:
            for path, reason in batch.damaged:
                self.damaged.note(path, reason)
            if batch.error:
                raise LoadingError(batch.error)
            yield batch


def batches(
    photos: Photos,
    *,
    batch_size: int,
    crop: int,
    seed: int,
    steps: int,
    start_step: int = 0,
    scale: tuple[float, float] = (0.5, 1.0),
    flip: bool = True,
    workers: int = 0,
    rank: int = 0,
    world_size: int = 1,
    damaged: Damaged | None = None,
) -> Batches:
    """Random crops for training, from step `start_step` to step `steps` - 1.

    Which photograph each crop is cut from, where, and whether it is mirrored, is a pure function of the seed, the step
    and the place in the global batch: workers, world size and the step that a run was resumed at change nothing.

    A photograph that cannot be decoded is replaced by another of its source, by the same rule, and noted in `damaged`.

    Args:
        photos: where from; its weights decide how sources are mixed.
        batch_size: of all ranks together.
        crop: side of a crop, in pixels.
        seed: any integer from 0.
        steps: length of the run, in batches.
        start_step: batches to leave out.
        scale: the side of the square that is cut out, relative to the photograph's short side, is drawn evenly from
            [low, high], within (0, 1]. The square is resized to `crop`.
        flip: mirror half of the crops.
        workers: processes that decode; 0 decodes in this one.
        rank: which part of each batch to yield.
        world_size: parts.
        damaged: notes those that cannot be decoded, for several loaders together; None: for these batches alone.

    Raises:
        DataError: an argument is out of range.
        LoadingError: while iterating: more photographs are damaged than may be; of one source, every photograph tried
            is damaged; photographs on another machine cannot be reached.
    """
    if batch_size % world_size:
        raise DataError(f"batch_size {batch_size} cannot be divided by {world_size} processes")
    if not 0 < scale[0] <= scale[1] <= 1:
        raise DataError(f"scale must be two numbers in (0, 1], the lower first, got {scale[0]}, {scale[1]}")
    share = batch_size // world_size
    dataset = _RandomCrops(photos, crop, seed, scale, flip, batch_size, rank * share, share)
    return Batches(dataset, range(start_step, steps), workers, damaged)


def center_crops(
    photos: Photos,
    *,
    batch_size: int,
    crop: int,
    side: float = 1.0,
    count: int | None = None,
    workers: int = 0,
    rank: int = 0,
    world_size: int = 1,
    damaged: Damaged | None = None,
) -> Batches:
    """Centred crops for validation: the largest square, or less, becomes `crop` pixels wide.

    Every photograph comes once, in an order that mixes the sources and is always the same, so that the first ones are a
    fair sample. Damaged photographs are left out, and noted, so a batch can be smaller, or even empty.

    Args:
        photos: where from.
        batch_size: photographs in a batch; the last batch has what is left.
        crop: side of a crop, in pixels.
        side: of the square that is cut out, relative to the photograph's short side, in (0, 1].
        count: how many photographs, if not all.
        workers: processes that decode; 0 decodes in this one.
        rank: which of the batches to yield: every `world_size`-th from this one on.
        world_size: parts.
        damaged: as of `batches`.
    """
    total = len(photos) if count is None else min(count, len(photos))
    dataset = _CenterCrops(photos, crop, side, batch_size, total)
    return Batches(dataset, range(rank, -(-total // batch_size), world_size), workers, damaged)


class _RandomCrops(Dataset[_Batch]):
    def __init__(
        self,
        photos: Photos,
        crop: int,
        seed: int,
        scale: tuple[float, float],
        flip: bool,
        batch_size: int,
        first: int,
        share: int,
    ):
        self.photos, self._crop, self._seed, self._scale, self._flip = photos, crop, seed, scale, flip
        self._batch_size, self._first, self._share = batch_size, first, share
        self._sampler = Sampler(photos.sizes, photos.weights, seed)

    def __getitem__(self, step: int) -> _Batch:
        return self.make(step)[0]

    def make(self, step: int) -> tuple[_Batch, list[int]]:
        """A batch, and the numbers of the photographs that it is cut from."""
        first = step * self._batch_size + self._first
        draws = np.arange(first, first + self._share)
        side, left, top, mirror = (uniform(draws, self._seed, CROP, k) for k in range(4))
        low, high = self._scale
        side = low + (high - low) * side
        windows = zip(side.tolist(), left.tolist(), top.tolist(), (self._flip & (mirror < 0.5)).tolist(), strict=True)
        numbers = self._sampler.draw(first, self._share).tolist()
        pixels = np.empty((self._share, self._crop, self._crop, 3), np.uint8)
        damaged: list[tuple[str, str]] = []
        failure = ""
        for i, window in enumerate(windows):
            for attempt in range(_ATTEMPTS):
                photo = self.photos[numbers[i]]
                try:
                    pixels[i] = random_crop(photo.read(), self._crop, *window)
                    break
                except (DamagedPhotoError, OSError) as error:
                    damaged.append(_report(photo, error))
                    numbers[i] = self._sampler.replace(numbers[i], first + i, attempt)
                except DataError as error:
                    failure = str(error)
                    break
            else:
                path, reason = damaged[-1]
                failure = f"{_ATTEMPTS} photographs in a row cannot be decoded, the last one {path}: {reason}"
            if failure:
                break
        return _Batch(planes(pixels), damaged, failure, _classes(self.photos, numbers)), numbers


class _CenterCrops(Dataset[_Batch]):
    def __init__(self, photos: Photos, crop: int, side: float, batch_size: int, total: int):
        self.photos, self._crop, self._side, self._batch_size, self._total = photos, crop, side, batch_size, total

    def __getitem__(self, step: int) -> _Batch:
        return self.make(step)[0]

    def make(self, step: int) -> tuple[_Batch, list[int]]:
        """A batch, and the numbers of the photographs that it is cut from."""
        first = step * self._batch_size
        places = np.arange(first, min(first + self._batch_size, self._total))
        crops, damaged, whole, failure = [], [], [], ""
        for number in permute(places, len(self.photos), 0).tolist():
            photo = self.photos[number]
            try:
                crops.append(center_crop(photo.read(), self._crop, self._side))
                whole.append(number)
            except (DamagedPhotoError, OSError) as error:
                damaged.append(_report(photo, error))
            except DataError as error:
                failure = str(error)
                break
        pixels = np.stack(crops) if crops else np.empty((0, self._crop, self._crop, 3), np.uint8)
        return _Batch(planes(pixels), damaged, failure, _classes(self.photos, whole)), whole


def _classes(photos: Photos, numbers: list[int]) -> Tensor | None:
    return None if photos.classes is None else torch.from_numpy(photos.classes[numbers])


def _report(photo: Photo, error: Exception) -> tuple[str, str]:
    reason = error.strerror if isinstance(error, OSError) else None
    return photo.path, reason or str(error)


def planes(pixels: NDArray[np.uint8]) -> Tensor:
    """(N, h, w, 3) to (N, 3, h, w), the same memory."""
    return torch.from_numpy(pixels).permute(0, 3, 1, 2)


def _identity(batch: Any) -> Any:
    return batch


def ignore_stops(worker: int) -> None:
    """Ctrl-C, and SIGTERM from torchrun or a cluster, reach every process; the one that trains decides what to do."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
