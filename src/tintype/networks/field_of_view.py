"""Larsson17's field-of-view blocks: a trunk that sees more of the picture at its top (PAPERS C5)."""

from torch import Tensor, nn

from tintype.networks.alexnet import xavier
from tintype.networks.geometry import survey
from tintype.networks.trunk import Trunk

BLOCKS = ("fov1", "fov2")


class FieldOfView(Trunk):
    """A trunk with two blocks on top: max-pooling by 2, a 3x3 convolution, ReLU (SS:evaluate/voc_segmentation.py).

    Output: the trunk's maps, and "fov1" and "fov2", (B, width, H/stride, W/stride), at twice and four times the stride
    of its last: 64 and 128 on 32. A hypercolumn reads them too.

    Args:
        trunk: what they are put on; ended already where it is to end.
        width: their channels.
    """

    def __init__(self, trunk: Trunk, width: int = 1024):
        super().__init__(trunk.in_chans)
        self.mean, self.std, self.multiple, self.ab_scale = trunk.mean, trunk.std, trunk.multiple, trunk.ab_scale
        self.trunk = trunk
        channels = trunk.channels[list(trunk.strides)[-1]]
        for name in BLOCKS:
            block = nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), nn.Conv2d(channels, width, 3, padding=1), nn.ReLU())
            xavier(block)
            self.add_module(name, block)
            channels = width
        self.blocks: tuple[str, ...] = BLOCKS
        layers = survey(self, self.in_chans)
        self.strides = trunk.strides | {name: int(layers[name].grid.stride) for name in BLOCKS}
        self.channels = trunk.channels | dict.fromkeys(BLOCKS, width)
        self.columns = (*trunk.columns, *BLOCKS) if trunk.columns else ()

    def end_at(self, last: str) -> None:
        kept = self.blocks[: self.blocks.index(last) + 1] if last in self.blocks else ()
        for name in self.blocks[len(kept) :]:
            del self.strides[name], self.channels[name]
            delattr(self, name)
        self.blocks = kept
        if not kept:
            self.trunk.end_at(last)
            self.strides, self.channels = self.trunk.strides, self.trunk.channels

    def freeze(self, below: str) -> None:
        if below not in self.blocks:
            self.trunk.freeze(below)
            return
        blocks = self.blocks[: self.blocks.index(below) + 1]
        self.freeze_parts([self.trunk, *(self.get_submodule(name) for name in blocks)])

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        features: dict[str, Tensor] = dict(self.trunk(picture))
        x = list(features.values())[-1]
        for name in self.blocks:
            x = features[name] = self.get_submodule(name)(x)
        return features
