"""What the n-th draw of a run is, as a pure function of (seed, n): nothing is remembered, so nothing needs saving.

Random numbers come from a counter-based generator, so the n-th is had without the ones before it. A shuffled epoch
comes from a keyed permutation that is evaluated one index at a time: no list of a data set's size is ever made, and
100 million photographs shuffle as cheaply as a hundred.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = 3
_SMALL = 1 << 10
_BLOCK = 1 << 20


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finalizer of SplitMix64 (Steele, Lea & Flood 2014): neighbouring counters give unrelated numbers."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@lru_cache(maxsize=256)
def _keys(count: int, *words: int) -> NDArray[np.uint64]:
    return np.random.SeedSequence(words).generate_state(count, np.uint64).astype(np.uint64)


def uniform(counters: NDArray[np.int64], *words: int) -> NDArray[np.float64]:
    """The counters-th random numbers of a stream, uniform in [0, 1).

    Args:
        counters: which numbers, any shape, from 0.
        words: what names the stream (seed, purpose, ...), integers from 0.

    Returns:
        Numbers of the counters' shape; the same for the same counter and words, on every machine.
    """
    state = _keys(1, *words)[0] + counters.astype(np.uint64) * _GAMMA
    return (_mix(state) >> np.uint64(11)).astype(np.float64) * 2.0**-53


@lru_cache(maxsize=1024)
def _order(size: int, *words: int) -> NDArray[np.int64]:
    return np.argsort(uniform(np.arange(size), *words))


def _scramble(x: NDArray[np.uint64], key: np.uint64) -> NDArray[np.uint64]:
    """Half of `_mix`, keyed: enough for one of a Feistel network's rounds."""
    x = (x + key) * _GAMMA
    return ((x ^ (x >> np.uint64(32))) * np.uint64(0x94D049BB133111EB)) >> np.uint64(32)


def permute(indices: NDArray[np.int64], size: int, *words: int) -> NDArray[np.int64]:
    """Where a pseudo-random permutation of 0..size-1 sends each index.

    Up to 1,024 elements the order is sorted out, and a while kept. Above, it is a Feistel network over the smallest
    power of two that holds `size`; results that fall outside go through again until they fall inside (cycle walking,
    Black & Rogaway 2002), which keeps it one to one and needs no memory.

    Args:
        indices: (n,), each in 0..size-1.
        size: number of elements.
        words: what names the permutation (seed, source, epoch, ...), integers from 0.

    Returns:
        (n,), each in 0..size-1.
    """
    if size <= _SMALL:
        return _order(size, *words)[indices]
    bits = (size - 1).bit_length()
    low_bits = np.uint64(bits // 2)
    low_mask = (np.uint64(1) << low_bits) - np.uint64(1)
    high_mask = (np.uint64(1) << np.uint64(bits - bits // 2)) - np.uint64(1)
    keys = _keys(2 * _ROUNDS, *words).reshape(_ROUNDS, 2)
    out = indices.astype(np.uint64)
    walking = np.arange(len(out))
    while len(walking):
        high, low = out[walking] >> low_bits, out[walking] & low_mask
        for high_key, low_key in keys:
            high ^= _scramble(low, high_key) & high_mask
            low ^= _scramble(high, low_key) & low_mask
        out[walking] = (high << low_bits) | low
        walking = walking[out[walking] >= size]
    return out.astype(np.int64)


class Sampler:
    """Which photograph the n-th draw of a run takes.

    Without weights all sources are one pool, and every photograph comes once per epoch, in an order of that epoch.
    With weights each draw picks a source by weight, and within a source every photograph comes once per epoch of that
    source. A draw's place within its source is the number of earlier draws from that source, which is counted: going
    to draw n costs about 10 ns for each draw before it.
    """

    def __init__(self, sizes: Sequence[int], weights: Sequence[float] | None, seed: int):
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        self._seed = seed
        self._bounds: NDArray[np.float64] | None = None
        if weights is not None:
            self._bounds = np.cumsum(weights) / np.sum(weights)
            self._rewind()

    def _rewind(self) -> None:
        self._counted = 0
        self._counts = np.zeros(len(self._starts) - 1, np.int64)

    def draw(self, first: int, count: int) -> NDArray[np.int64]:
        """Numbers of the photographs of draws first..first+count-1, (count,), counted through all sources."""
        if self._bounds is None:
            return self._shuffled(0, int(self._starts[-1]), np.arange(first, first + count))
        if first < self._counted:
            self._rewind()
        while self._counted < first:
            stop = min(first, self._counted + _BLOCK)
            self._counts += np.bincount(self._sources(self._counted, stop), minlength=len(self._counts))
            self._counted = stop
        sources = self._sources(first, first + count)
        numbers = np.empty(count, np.int64)
        for source in np.unique(sources):
            chosen = np.flatnonzero(sources == source)
            places = self._counts[source] + np.arange(len(chosen))
            size = int(self._starts[source + 1] - self._starts[source])
            numbers[chosen] = self._starts[source] + self._shuffled(int(source), size, places)
        return numbers

    def replace(self, number: int, draw: int, attempt: int) -> int:
        """Another photograph for a draw whose photograph is damaged: any one of the same source.

        Args:
            number: the damaged photograph.
            draw: n, the draw's number.
            attempt: 0 for the first replacement, 1 when that is damaged too, and so on.
        """
        low, high = 0, int(self._starts[-1])
        if self._bounds is not None:
            source = int(np.searchsorted(self._starts, number, side="right")) - 1
            low, high = int(self._starts[source]), int(self._starts[source + 1])
        chance = uniform(np.array([attempt]), self._seed, _REPLACEMENT, draw)[0]
        return low + int(chance * (high - low))

    def _sources(self, first: int, stop: int) -> NDArray[np.int64]:
        assert self._bounds is not None
        chances = uniform(np.arange(first, stop), self._seed, _SOURCE)
        return np.searchsorted(self._bounds, chances, side="right").clip(max=len(self._bounds) - 1)

    def _shuffled(self, source: int, size: int, places: NDArray[np.int64]) -> NDArray[np.int64]:
        epochs, indices = np.divmod(places, size)
        for epoch in np.unique(epochs):
            chosen = epochs == epoch
            indices[chosen] = permute(indices[chosen], size, self._seed, _SHUFFLE, source, int(epoch))
        return indices


# The first word after the seed keeps streams for different purposes apart.
_SHUFFLE, _SOURCE, _REPLACEMENT, CROP = range(4)
