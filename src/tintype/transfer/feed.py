"""Batches of samples that workers make, each a pure function of its number and its own random numbers."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from torch.utils.data import DataLoader, Dataset

from tintype.data import LoadingError
from tintype.data.errors import DataError
from tintype.data.loader import ignore_stops
from tintype.data.sampling import Sampler

S = TypeVar("S")


def feed(
    make: Callable[[int, np.random.Generator], S],
    count: int,
    *,
    batch_size: int,
    seed: int,
    steps: int,
    start: int = 0,
    workers: int = 0,
    rank: int = 0,
    world_size: int = 1,
) -> Iterator[list[S]]:
    """This process's share of the batches of steps `start` to `steps` - 1.

    Each sample comes once per epoch. Which comes where, and the random numbers that it is made with, follow from the
    seed and its place in the joint batch alone: workers, processes and the step a run is resumed at change nothing.

    Args:
        make: (number of a sample, random numbers) to the sample; runs in the workers.
        count: number of samples.
        batch_size: of all processes together.
        seed: any integer from 0.
        workers: processes that make samples; 0 makes them in this one.

    Raises:
        LoadingError: a sample cannot be made.
    """
    share, rest = divmod(batch_size, world_size)
    if rest:
        raise DataError(f"batch_size {batch_size} cannot be divided by {world_size} processes")
    return _received(
        _Training(make, Sampler([count], None, seed), seed, batch_size, rank * share, share),
        range(start, steps),
        workers,
    )


def in_order(
    make: Callable[[int], S], numbers: Sequence[int], *, batch_size: int, workers: int = 0
) -> Iterator[list[S]]:
    """Samples in the order of their numbers, for evaluation; see `feed`."""
    return _received(_InOrder(make, numbers, batch_size), range(-(-len(numbers) // batch_size)), workers)


class _Training(Dataset[Any], Generic[S]):
    def __init__(
        self,
        make: Callable[[int, np.random.Generator], S],
        sampler: Sampler,
        seed: int,
        batch_size: int,
        first: int,
        share: int,
    ):
        self._make, self._sampler, self._seed = make, sampler, seed
        self._batch_size, self._first, self._share = batch_size, first, share

    def __getitem__(self, step: int) -> list[S] | str:
        first = step * self._batch_size + self._first
        numbers = self._sampler.draw(first, self._share).tolist()
        draws = [np.random.default_rng((self._seed, first + i)) for i in range(self._share)]
        return _made(lambda: [self._make(number, rng) for number, rng in zip(numbers, draws, strict=True)])


class _InOrder(Dataset[Any], Generic[S]):
    def __init__(self, make: Callable[[int], S], numbers: Sequence[int], batch_size: int):
        self._make, self._numbers, self._batch_size = make, numbers, batch_size

    def __getitem__(self, batch: int) -> list[S] | str:
        chosen = self._numbers[batch * self._batch_size : (batch + 1) * self._batch_size]
        return _made(lambda: [self._make(number) for number in chosen])


def _made(make: Callable[[], list[S]]) -> list[S] | str:
    """An error comes as text: raised in a worker, it would arrive with two tracebacks."""
    try:
        return make()
    except (DataError, OSError) as error:
        return str(error)


def _received(dataset: Dataset[Any], steps: range, workers: int) -> Iterator[list[Any]]:
    loader = DataLoader(
        dataset, batch_size=None, sampler=steps, num_workers=workers, collate_fn=_identity, worker_init_fn=ignore_stops
    )
    for batch in loader:
        if isinstance(batch, str):
            raise LoadingError(batch)
        yield batch


def _identity(batch: Any) -> Any:
    return batch
