"""Fast R-CNN on a trunk (Girshick 2015, section 2)."""

from collections.abc import Sequence

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
    the usual one, get two new linear layers.

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
        pooled = torch.cat([self.pool(picture, own) for picture, own in zip(pictures, rois, strict=True)])
        if self.training:
            return self.predict(pooled)
        parts = [self.predict(part) for part in pooled.split(_AT_ONCE)]
        return torch.cat([scores for scores, _ in parts]), torch.cat([offsets for _, offsets in parts])

    def pool(self, picture: Tensor, rois: Tensor) -> Tensor:
        """The features of regions, (n, channels, pooled, pooled)."""
        height, width = picture.shape[1:]
        below, right = -height % self.trunk.multiple, -width % self.trunk.multiple
        whole = F.pad(picture[None], (0, right, 0, below), value=self.trunk.mean)
        features = self.trunk(whole)[self.layer].float()
        cells = roi_cells(rois, self.grid, features.shape[2:])
        batch = torch.zeros(len(cells), 1, device=cells.device)
        pooled: Tensor = roi_pool(features, torch.cat([batch, cells], dim=1), self.head.pooled)
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
    """What is above the pooling. Parts whose parameters were frozen in the trunk stay frozen, and in evaluation mode.

    Attributes:
        pooled: cells of a region's side that it takes.
        width: features that it gives for each region.
    """

    def __init__(self, layers: Sequence[nn.Module], pooled: int, width: int):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.pooled, self.width = pooled, width
        self.freeze_parts(layer for layer in layers if not any(p.requires_grad for p in layer.parameters()))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x.mean(dim=(2, 3)) if x.ndim == 4 else x


def _head(trunk: Trunk, layer: str, pooled: int | None) -> _Head:
    own = layer == usual_layer(trunk)
    if own and isinstance(trunk, AlexNet | VGG16):
        size = trunk.fc6[0].kernel_size[0]  # type: ignore[index, union-attr]
        if pooled not in (None, size):
            raise ValueError(f"fc6 of this trunk takes regions of {size}x{size} cells, not {pooled}x{pooled}")
        return _Head([nn.Flatten(), *(_linear(block) for block in (trunk.fc6, trunk.fc7))], size, 4096)
    if own and isinstance(trunk, ResNet):
        return _Head(list(trunk.body.layer4), pooled or 14, trunk.channels[list(trunk.channels)[-1]])
    pooled = pooled or 7
    fc6, fc7 = nn.Linear(trunk.channels[layer] * pooled**2, _WIDTH), nn.Linear(_WIDTH, _WIDTH)
    for linear in (fc6, fc7):
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
    return _Head([nn.Flatten(), fc6, nn.ReLU(), fc7, nn.ReLU()], pooled, _WIDTH)


def _linear(block: nn.Sequential) -> nn.Sequential:
    """A convolution over all of its input, and what follows it, as layers of vectors."""
    return nn.Sequential(*(_of_vectors(layer) for layer in block))


def _of_vectors(layer: nn.Module) -> nn.Module:
    if isinstance(layer, nn.Conv2d):
        linear = nn.Linear(layer.weight[0].numel(), layer.out_channels, bias=layer.bias is not None)
        tensors = {name: tensor.flatten(1) if tensor.ndim == 4 else tensor for name, tensor in layer.state_dict().items()}
        linear.load_state_dict(tensors)
        return linear.requires_grad_(layer.weight.requires_grad)
    if isinstance(layer, nn.BatchNorm2d):
        norm = nn.BatchNorm1d(layer.num_features, layer.eps, layer.momentum, layer.affine)
        norm.load_state_dict(layer.state_dict())
        return norm
    return layer
