"""Where the cells of a feature map lie in the picture.

A cell's place is the middle of what it sees, in pixels, the first pixel's middle being 0. Cell i lies at
offset + stride * i. The released code of Larsson17 takes every offset for 0 when it trains, which is right for 3x3
convolutions, but 15.5 pixels off after five 2x2 poolings.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.weak import WeakIdKeyDictionary

_aten = torch.ops.aten


class Grid(NamedTuple):
    """Cell i lies at offset + stride * i pixels, across as well as down."""

    stride: float
    offset: float

    def shifted(self, cells: float, stride: float = 1) -> "Grid":
        """The grid whose first cell lies `cells` of this grid's cells further, `stride` of them apart."""
        return Grid(self.stride * stride, self.offset + self.stride * cells)


PIXELS = Grid(1, 0)


class Layer(NamedTuple):
    """A feature map: its channels and where its cells lie."""

    channels: int
    grid: Grid


def survey(trunk: nn.Module, channels: int, side: int = 224) -> dict[str, Layer]:
    """Channels and grids of a trunk's feature maps.

    Found by sending a picture without memory (torch's `meta` device) through the network, and following its grid
    through every convolution, pooling, padding and slicing. Whatever else is done keeps the grid of its first input.

    Args:
        trunk: gives feature maps by name.
        channels: of its input.
        side: of a picture that it takes, in pixels.
    """
    picture = torch.empty(1, channels, side, side, device="meta")
    with torch.no_grad(), _Follow(picture) as follow:
        maps = _run_without_memory(trunk, {}, picture)
        return {name: Layer(x.shape[1], follow.grids[x]) for name, x in maps.items()}


def shapes(trunk: nn.Module, channels: int, size: tuple[int, int]) -> dict[str, tuple[int, ...]]:
    """Shapes of a trunk's feature maps of one picture, found without memory as by `survey`.

    Args:
        trunk: gives feature maps by name.
        channels: of its input.
        size: height and width of the picture.
    """
    with torch.no_grad():
        maps = _run_without_memory(trunk, {}, torch.empty(1, channels, *size, device="meta"))
    return {name: tuple(x.shape) for name, x in maps.items()}


def unused_parameters(trunk: nn.Module, layers: Iterable[str], channels: int, side: int = 224) -> list[str]:
    """Names of the parameters that none of these feature maps depends on. Arguments as of `survey`."""
    picture = torch.empty(1, channels, side, side, device="meta")
    parameters = {
        name: torch.empty_like(parameter, device="meta").requires_grad_()
        for name, parameter in trunk.named_parameters()
    }
    maps = _run_without_memory(trunk, parameters, picture)
    total = torch.stack([maps[name].sum() for name in layers]).sum()
    gradients = torch.autograd.grad(total, list(parameters.values()), allow_unused=True)
    return [name for name, gradient in zip(parameters, gradients, strict=True) if gradient is None]


def _run_without_memory(trunk: nn.Module, parameters: dict[str, Tensor], picture: Tensor) -> dict[str, Tensor]:
    tensors = {**dict(trunk.named_parameters()), **dict(trunk.named_buffers())}
    shapes = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors.items()}
    training = trunk.training
    trunk.eval()
    try:
        maps: dict[str, Tensor] = torch.func.functional_call(trunk, {**shapes, **parameters}, (picture,))
    finally:
        trunk.train(training)
    return maps


class _Follow(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes the grid of every tensor that is made from a picture."""

    def __init__(self, picture: Tensor):
        super().__init__()  # type: ignore[no-untyped-call]
        self.grids: Any = WeakIdKeyDictionary()
        self.grids[picture] = PIXELS

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        tensors = [x for x in torch.utils._pytree.tree_leaves(args) if isinstance(x, Tensor)]
        grid = next((self.grids[x] for x in tensors if x in self.grids), None)
        first = result[0] if isinstance(result, tuple | list) else result
        if grid is not None and isinstance(first, Tensor) and first not in self.grids:
            change = _CHANGES.get(function.overloadpacket)
            self.grids[first] = change(grid, *args) if change else grid
        return result


def _slid(grid: Grid, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Grid:
    """The grid of a window that slides over another grid, from its middle; the last axis stands for both."""
    reach = dilation[-1] * (kernel[-1] - 1)
    return grid.shifted(reach / 2 - padding[-1], stride[-1])


def _convolution(
    grid: Grid,
    x: Tensor,
    weight: Tensor,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    *_: Any,
) -> Grid:
    if transposed:
        reach = dilation[-1] * (weight.shape[-1] - 1)
        return grid.shifted((padding[-1] - reach / 2) / stride[-1], 1 / stride[-1])
    return _slid(grid, weight.shape[-1:], stride, padding, dilation)


def _max_pool(
    grid: Grid, x: Tensor, kernel: Any, stride: Any = (), padding: Any = (0,), dilation: Any = (1,), *_: Any
) -> Grid:
    return _slid(grid, kernel, stride or kernel, padding, dilation)


def _average_pool(grid: Grid, x: Tensor, kernel: Any, stride: Any = (), padding: Any = (0,), *_: Any) -> Grid:
    return _slid(grid, kernel, stride or kernel, padding, (1,))


def _pad(grid: Grid, x: Tensor, padding: Any, *_: Any) -> Grid:
    return grid.shifted(-padding[0])


def _slice(grid: Grid, x: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Grid:
    """x[..., start::step]; the last axis stands for both."""
    if dim % x.ndim != x.ndim - 1:
        return grid
    return grid.shifted(min(start or 0, x.shape[-1]) % max(x.shape[-1], 1), step)


_CHANGES: dict[Any, Callable[..., Grid]] = {
    _aten.convolution: _convolution,
    _aten.max_pool2d_with_indices: _max_pool,
    _aten.avg_pool2d: _average_pool,
    _aten.constant_pad_nd: _pad,
    _aten.slice: _slice,
}
