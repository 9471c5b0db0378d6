"""Memory that is used again from one tile to the next: fresh memory costs more than most sums done in it."""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Plane = NDArray[np.float32]
Codes = NDArray[np.uint8] | NDArray[np.uint16]


class Buffers:
    """Arrays by name. An array stays valid until the next one is asked for by the same name."""

    def __init__(self) -> None:
        self._flat: dict[str, NDArray[Any]] = {}

    def __call__(self, name: str, shape: tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """An array of this shape and type, its values undefined."""
        size = prod(shape)
        if name not in self._flat or len(self._flat[name]) < size:
            self._flat[name] = np.empty(size, dtype)
        return self._flat[name][:size].reshape(shape)


class Lookup:
    """A table of float32 by code.

    8-bit codes are looked up two at a time, in a table of all pairs, which takes half as long.
    """

    def __init__(self, table: NDArray[np.floating[Any]]):
        self._table = np.ascontiguousarray(table, dtype=np.float32)
        self._pairs: NDArray[np.uint64] | None = None
        if len(table) == 256:
            both = np.arange(65536, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
            self._pairs = self._table[both].view(np.uint64).ravel()

    def __call__(self, codes: Codes, out: Plane) -> Plane:
        """Puts the values of codes, of any shape, into `out`, contiguous and of the same shape."""
        codes, values = codes.ravel(), out.reshape(-1)
        even = codes.size & ~1 if self._pairs is not None else 0
        if self._pairs is not None:
            self._pairs.take(codes[:even].view(np.uint16), out=values[:even].view(np.uint64), mode="clip")
        if even < codes.size:
            self._table.take(codes[even:], out=values[even:], mode="clip")
        return out


def multiply(a: Plane, b: Plane, out: Plane) -> Plane:
    """Matrix product of a small matrix and a wide one, on this thread alone.

    OpenBLAS would start threads of its own for the whole, which get in the way of ours.
    """
    step = max(1, 200_000 // a.size)
    for start in range(0, b.shape[1], step):
        np.matmul(a, b[:, start : start + step], out=out[:, start : start + step])
    return out
