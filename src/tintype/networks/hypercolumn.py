"""Hypercolumns: every listed layer, read at the same places (Larsson 2016 and Larsson17; PAPERS C2)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.networks.fov import FieldOfView
from tintype.networks.geometry import Grid
from tintype.networks.sampling import regrid, sample
from tintype.networks.trunk import Trunk

BAND = 1 << 24  # numbers of the hidden layer that dense prediction holds at a time


class Hypercolumn(nn.Module):
    """The listed layers side by side, a hidden layer, the prediction.

    When training it is sparse: it reads its layers at N points of each picture, and its cost does not depend on the
    picture's size. When predicting it is dense, at pixels 2, 6, 10 …: a 1x1 convolution commutes with interpolation,
    so that each layer is convolved where it has the fewest cells and then summed up, in bands of rows.

    Args:
        trunk: what it reads, maybe with field-of-view blocks.
        channels: K, of the prediction.
        layers: names of the trunk's feature maps; empty: those of the papers, or all where no paper says.
        width: of the hidden layer.
        dropout: of the hidden layer.

    Raises:
        ValueError: the trunk has no such layer.
    """

    stride, origin = 4, 2.0

    def __init__(
        self,
        trunk: Trunk | FieldOfView,
        channels: int,
        layers: Sequence[str] = (),
        width: int = 1024,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.layers = tuple(layers) or trunk.columns or tuple(trunk.strides)
        for name in self.layers:
            if name not in trunk.strides:
                raise ValueError(
                    f"head hypercolumn: the trunk has no layer {name!r}; it has {', '.join(trunk.strides)}"
                )
        self.grids = {name: Grid(trunk.strides[name], trunk.offsets[name]) for name in self.layers}
        self.sizes = [trunk.channels[name] for name in self.layers]
        self.hidden = nn.Conv2d(sum(self.sizes), width, 1)
        self.dropout = nn.Dropout(dropout)
        self.predict = nn.Conv2d(width, channels, 1)
        nn.init.normal_(self.hidden.weight, std=1e-4)
        nn.init.uniform_(self.predict.weight, -((3 / width) ** 0.5), (3 / width) ** 0.5)  # Caffe's Xavier
        for layer in (self.hidden, self.predict):
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def at(self, features: dict[str, Tensor], points: Tensor) -> Tensor:
        """Predict at some points.

        Args:
            features: the trunk's.
            points: (B, N, 2), row and column in pixels.

        Returns:
            (B, K, N).
        """
        column = torch.cat([sample(features[name], self.grids[name], points) for name in self.layers], dim=2)
        hidden = F.relu(F.linear(column, self.hidden.weight.flatten(1), self.hidden.bias))
        prediction: Tensor = self.predict(self.dropout(hidden).transpose(1, 2)[..., None])
        return prediction[..., 0]

    def forward(self, features: dict[str, Tensor], size: Sequence[int]) -> Tensor:
        """Predict everywhere.

        Args:
            features: the trunk's.
            size: height and width of the picture in pixels.

        Returns:
            (B, K, ⌈H/4⌉, ⌈W/4⌉).
        """
        first = features[self.layers[0]]
        rows, columns = (self._places(side, first.device) for side in size)
        coarse = {grid: self._project(names, features) for grid, names in self._groups() if grid.stride > self.stride}
        fine = {grid: names for grid, names in self._groups() if grid.stride <= self.stride}
        if torch.compiler.is_exporting():  # a graph has no loops; the runtime keeps pictures small instead
            parts: Sequence[Tensor] = [rows]
        else:
            parts = torch.split(rows, max(1, BAND // (len(first) * self.hidden.out_channels * len(columns))))
        bands = []
        for part in parts:
            hidden = self.hidden.bias[:, None, None]  # type: ignore[index]
            for grid, x in coarse.items():
                hidden = hidden + regrid(x, grid, part, columns)
            for grid, names in fine.items():
                near = {name: regrid(features[name], grid, part, columns) for name in names}
                hidden = hidden + self._project(names, near)
            bands.append(self.predict(self.dropout(F.relu(hidden))))
        return torch.cat(bands, dim=2) if len(bands) > 1 else bands[0]

    def _places(self, side: int, device: torch.device) -> Tensor:
        return torch.arange((side + self.stride - 1) // self.stride, device=device) * self.stride + self.origin

    def _groups(self) -> list[tuple[Grid, list[str]]]:
        """Layers that share a grid."""
        return [
            (grid, [name for name in self.layers if self.grids[name] == grid])
            for grid in dict.fromkeys(self.grids.values())
        ]

    def _project(self, names: Sequence[str], features: dict[str, Tensor]) -> Tensor:
        """These layers' part of the hidden layer, before its bias and ReLU."""
        weights = dict(zip(self.layers, torch.split(self.hidden.weight, self.sizes, dim=1), strict=True))
        return F.conv2d(torch.cat([features[n] for n in names], 1), torch.cat([weights[n] for n in names], 1))
