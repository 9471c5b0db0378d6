"""Networks that give every pixel a class, upon any trunk: Larsson17's hypercolumn and Zhang16's FCN-32s."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.networks.fov import BLOCKS, FieldOfView
from tintype.networks.geometry import Grid
from tintype.networks.hypercolumn import Hypercolumn
from tintype.networks.sampling import regrid
from tintype.networks.trunk import Chain, Trunk


class HypercolumnSegmenter(nn.Module):
    """A hypercolumn of the trunk, trained at sampled points (Larsson17, section 4; PAPERS C5).

    Args:
        trunk: takes (B, C, H, W).
        classes: K.
        layers, width, dropout: as of `Hypercolumn`.
        fov: channels of the two field-of-view blocks, which stand on the highest of the layers, or, where none are
            listed, on the trunk's last map, and join the hypercolumn; 0: there are none.

    Raises:
        ValueError: the trunk has no such layer.
    """

    def __init__(
        self,
        trunk: Trunk,
        classes: int,
        layers: Sequence[str] = (),
        width: int = 1024,
        dropout: float = 0.5,
        fov: int = 0,
    ):
        super().__init__()
        self.trunk = trunk
        own = [layer for layer in layers if layer in trunk.strides]
        if fov and own:
            trunk.end_at(max(own, key=list(trunk.strides).index))
        self.fov = FieldOfView(trunk, fov) if fov else None
        if self.fov is not None and layers:
            layers = (*layers, *(name for name in BLOCKS if name not in layers))
        self.head = Hypercolumn(self.fov or trunk, classes, layers, width, dropout)
        if not fov:
            trunk.end_at(max(self.head.layers, key=list(trunk.strides).index))

    def forward(self, picture: Tensor, points: Tensor | None = None) -> Tensor:
        """Unnormalised log-probabilities of the classes.

        Args:
            picture: (B, C, H, W).
            points: (B, N, 2), row and column in pixels.

        Returns:
            (B, K, N) at the points; without any (B, K, H, W), predicted at every fourth pixel and enlarged bilinearly.
        """
        features = self.trunk(picture)
        if self.fov is not None:
            features = self.fov(features)
        if points is not None:
            return self.head.at(features, points)
        grid = Grid(self.head.stride, self.head.origin)
        rows, columns = (torch.arange(side, device=picture.device) for side in picture.shape[2:])
        return regrid(self.head(features, picture.shape[2:]).float(), grid, rows, columns)


class FCN32s(nn.Module):
    """A 1x1 convolution of the trunk's last map, enlarged bilinearly to every pixel (Long et al. 2015; PAPERS B3).

    The enlargement is the frozen deconvolution of the released networks, 63x63 at stride 32, with the crop that has
    each cell lie where the trunk saw it; of other strides likewise. The scores start at 0, as the released ones do.
    """

    def __init__(self, trunk: Trunk, classes: int):
        super().__init__()
        self.trunk = trunk
        self.source = list(trunk.strides)[-1]
        self.grid = Grid(trunk.strides[self.source], trunk.offsets[self.source])
        self.head = nn.Conv2d(trunk.channels[self.source], classes, 1)
        nn.init.zeros_(self.head.weight)
        assert self.head.bias is not None
        nn.init.zeros_(self.head.bias)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, C, H, W) to unnormalised log-probabilities of the classes, (B, K, H, W)."""
        scores = self.head(self.trunk(picture)[self.source])
        return deconvolve(scores.float(), self.grid, picture.shape[2:])


def deconvolve(scores: Tensor, grid: Grid, size: Sequence[int]) -> Tensor:
    """What a deconvolution by the stride with bilinear filters gives, cropped to the picture.

    Beyond the outermost cells it falls to 0 within a stride, as there are no cells to go on with.

    Args:
        scores: (B, K, h, w).
        grid: where their cells lie.
        size: height and width of the picture.

    Returns:
        (B, K, H, W).
    """
    rows, columns = (torch.arange(side, device=scores.device) for side in size)
    return regrid(F.pad(scores, (1, 1, 1, 1)), grid.shifted(-1), rows, columns)


def pad_first_layer(trunk: Trunk, padding: int) -> None:
    """Pad a trunk's first layer, in place, so that unpadded layers above still see every pixel (Long et al. 2015).

    Raises:
        ValueError: the trunk takes multiples of its stride only, so that no padding is needed.
    """
    if not isinstance(trunk, Chain):
        raise ValueError(f"padding {padding} is for trunks of unpadded layers, such as alexnet; this one needs none")
    first = next(layer for layer in trunk.modules() if isinstance(layer, nn.Conv2d))
    first.padding = (padding, padding)
    trunk.measure()
