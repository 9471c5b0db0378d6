"""Fast R-CNN on a trunk (Girshick 2015, section 2)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import roi_pool

from tintype.networks.alexnet import AlexNet
from tintype.networks.geometry import Grid
from tintype.networks.resnet import ResNet
from tintype.networks.surgery import Freezable
from tintype.networks.trunk import Trunk
from tintype.networks.vgg16 import VGG16

_WIDTH = 1024  # of the layers on trunks that have none of their own
_AT_ONCE = 256  # regions when predicting: a picture has thousands


class FastRCNN(nn.Module):
    """Scores and boxes of regions of interest, in the trunk's convolutional features.

    Regions are max-pooled to a fixed size from one feature map, and go through what the trunk had above it: fc6 and fc7
    of AlexNet and VGG-16, as linear layers; res5 of a residual network, and its mean. Other trunks, and other maps than
    the usual one, get a batch-norm without scale and shift, and two new linear layers.

    Args:
        trunk: loses what lies above the map, which goes into `head`.
        classes: K, without background.
        layer: the map's name; without, the usual one: conv5, conv5_3, the last of res4, or else the last of a stride of
            16 at most.
        pooled: cells of a pooled region's side; without, as many as the layers above expect: 6 for AlexNet, 7 for
            VGG-16, 14 for residual networks, which halve it, and 7 for others.

    Raises:
        ValueError: there is no such map, or the layers above it expect another size.
    """

    def __init__(self, trunk: Trunk, classes: int, layer: str | None = None, pooled: int | None = None):
        super().__init__()
        self.layer = layer or usual_layer(trunk)
        if self.layer not in trunk.strides:
            raise ValueError(f"this trunk has no feature map {self.layer!r}; it has {', '.join(trunk.strides)}")
        self.grid = Grid(trunk.strides[self.layer], trunk.offsets[self.layer])
        self.head = _head(trunk, self.layer, pooled)
        trunk.end_at(self.layer)
        self.trunk = trunk
        self.scores = nn.Linear(self.head.width, 1 + classes)
        self.offsets = nn.Linear(self.head.width, 4 * (1 + classes))
        for predict, deviation in ((self.scores, 0.01), (self.offsets, 0.001)):
            nn.init.normal_(predict.weight, std=deviation)
            nn.init.zeros_(predict.bias)

    def forward(self, pictures: Sequence[Tensor], rois: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Predict for all regions of some pictures.

        Args:
            pictures: (C, H, W) each, of any size, in [0, 100].
            rois: (n, 4) of each picture, edges in its pixels, see `tintype.transfer.detect`.

        Returns:
            Unnormalised log-probabilities, (N, 1 + K), background first, and offsets of a box for each class, as
            `edges.decode` takes them, (N, 1 + K, 4), of all pictures' regions one after the other, float32.
        """
        pairs = zip(pictures, rois, strict=True)
        if self.training:  # dropout and batch-norm see all regions at once
            return self.predict(torch.cat([self.pool(self.features(picture), own) for picture, own in pairs]))
        parts = []
        for picture, own in pairs:
            features = self.features(picture)
            parts += [self.predict(self.pool(features, part)) for part in torch.split(own, _AT_ONCE)]
        return torch.cat([scores for scores, _ in parts]), torch.cat([offsets for _, offsets in parts])

    def features(self, picture: Tensor) -> Tensor:
        """The map that regions are pooled from, (1, channels, h, w) float32."""
        height, width = picture.shape[1:]
        below, right = -height % self.trunk.multiple, -width % self.trunk.multiple
        whole = F.pad(picture[None], (0, right, 0, below), value=self.trunk.mean)
        features: Tensor = self.trunk(whole)[self.layer]
        return features.float()

    def pool(self, features: Tensor, rois: Tensor) -> Tensor:
        """The features of regions, (n, channels, pooled, pooled)."""
        cells = roi_cells(rois, self.grid, features.shape[2:])
        picture = torch.zeros(len(cells), 1, device=cells.device)
        pooled: Tensor = roi_pool(features, torch.cat([picture, cells], dim=1), self.head.pooled)
        return pooled

    def predict(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        x = self.head(pooled)
        return self.scores(x).float(), self.offsets(x).float().unflatten(1, (-1, 4))


def usual_layer(trunk: Trunk) -> str:
    """The feature map that regions are pooled from."""
    last = {stride: name for name, stride in trunk.strides.items() if stride <= 16 and not name.startswith("fc")}
    return last[max(last)]


def roi_cells(rois: Tensor, grid: Grid, size: Sequence[int]) -> Tensor:
    """The cells of a feature map that lie nearest to the first and last pixels of regions.

    Fast R-CNN takes cell i for pixel 16 i, which is right for AlexNet as it is padded here; for VGG-16 it is off by
    half a cell, for cells lie in the middle of the 2x2 poolings.

    Args:
        rois: (n, 4), edges in pixels.
        grid: where the cells lie.
        size: height and width of the map, in cells.

    Returns:
        (n, 4): the first and last column and row, left, top, right and bottom; between whole numbers, which RoI pooling
        rounds to.
    """
    outermost = rois - rois.new_tensor([0, 0, 1, 1])
    cells = (outermost - grid.offset) / grid.stride
    last = rois.new_tensor([size[1] - 1, size[0] - 1] * 2)
    return cells.clamp(min=0).minimum(last)


class _Head(Freezable):
    """What is above the pooling. What was frozen in the trunk stays so.

    Attributes:
        pooled: cells of a region's side that it takes.
        width: features that it gives for each region.
        pretrained: whether its layers are the trunk's.
    """

    def __init__(self, layers: Sequence[nn.Module], pooled: int, width: int, frozen: set[nn.Module] | None):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.pooled, self.width, self.pretrained = pooled, width, frozen is not None
        self.freeze_parts(module for module in self.modules() if module in (frozen or ()))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x.mean(dim=(2, 3)) if x.ndim == 4 else x


def _head(trunk: Trunk, layer: str, pooled: int | None) -> _Head:
    own, frozen = layer == usual_layer(trunk), trunk.frozen
    if own and isinstance(trunk, AlexNet | VGG16) and "fc7" in trunk.strides:
        conv: Any = trunk.fc6.get_submodule("conv")
        size = conv.kernel_size[0]
        if pooled not in (None, size):
            raise ValueError(f"fc6 of this trunk takes regions of {size}x{size} cells, not {pooled}x{pooled}")
        fc6, fc7 = (_of_vectors(block, frozen) for block in (trunk.fc6, trunk.fc7))
        return _Head([nn.Flatten(), fc6, fc7], size, trunk.channels["fc7"], frozen)
    top = list(trunk.strides)[-1]
    if own and isinstance(trunk, ResNet) and top.startswith("res5"):
        return _Head(list(trunk.body.layer4), pooled or 14, trunk.channels[top], frozen)
    pooled = pooled or 7
    linear = nn.Linear(trunk.channels[layer] * pooled**2, _WIDTH), nn.Linear(_WIDTH, _WIDTH)
    for each in linear:
        nn.init.xavier_uniform_(each.weight)
        nn.init.zeros_(each.bias)
    # Maps of some trunks are a hundred times as large as those of others.
    norm = nn.BatchNorm2d(trunk.channels[layer], affine=False)
    return _Head([norm, nn.Flatten(), linear[0], nn.ReLU(), linear[1], nn.ReLU()], pooled, _WIDTH, None)


def _of_vectors(layer: nn.Module, frozen: set[nn.Module]) -> nn.Module:
    """The same layer for vectors: a convolution that sees all of its input at once is linear.

    Args:
        frozen: gains the new layer if it has the old one.
    """
    new = layer
    if isinstance(layer, nn.Sequential):
        new = nn.Sequential(*(_of_vectors(inner, frozen) for inner in layer))
    elif isinstance(layer, nn.Conv2d):
        new = nn.Linear(layer.weight[0].numel(), layer.out_channels, layer.bias is not None)
        tensors = layer.state_dict()
        new.load_state_dict(tensors | {"weight": tensors["weight"].flatten(1)})
    elif isinstance(layer, nn.BatchNorm2d):
        new = nn.BatchNorm1d(layer.num_features, layer.eps, layer.momentum, layer.affine)
        new.load_state_dict(layer.state_dict())
    if layer in frozen:
        frozen.add(new)
    return new
