"""Field-of-view blocks upon a trunk (Larsson17, section 4, "+FoV"; PAPERS C5)."""

from torch import Tensor, nn
from torch.nn import functional as F

from tintype.networks.geometry import Grid
from tintype.networks.trunk import Trunk

BLOCKS = ("conv8_1", "conv9_1")


class FieldOfView(nn.Module):
    """Two blocks on a trunk's last feature map, each 2x2 max-pooling and a 3x3 convolution with ReLU.

    Their maps, "conv8_1" and "conv9_1", have two and four times its stride: 64 and 128 of most trunks. A map of odd
    length is pooled to its end, as by the released code. It describes the trunk's maps and its own as a trunk does, so
    that a hypercolumn reads all of them.

    Args:
        trunk: what it stands on.
        width: channels of each block.
    """

    def __init__(self, trunk: Trunk, width: int = 1024):
        super().__init__()
        self.source = list(trunk.strides)[-1]
        self.conv8_1 = nn.Conv2d(trunk.channels[self.source], width, 3, padding=1)
        self.conv9_1 = nn.Conv2d(width, width, 3, padding=1)
        for conv in (self.conv8_1, self.conv9_1):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")  # SS: variance_scaling_initializer
            assert conv.bias is not None
            nn.init.zeros_(conv.bias)
        self.strides, self.channels, self.offsets = dict(trunk.strides), dict(trunk.channels), dict(trunk.offsets)
        grid = Grid(trunk.strides[self.source], trunk.offsets[self.source])
        for name in BLOCKS:
            grid = grid.shifted(0.5, 2)
            self.strides[name], self.channels[name], self.offsets[name] = int(grid.stride), width, grid.offset
        self.columns = (*(trunk.columns or trunk.strides), *BLOCKS)

    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        """The trunk's feature maps, and the blocks' after them."""
        x, both = features[self.source], dict(features)
        for name in BLOCKS:
            x = F.relu(self.get_submodule(name)(F.max_pool2d(x, 2, ceil_mode=True)))
            both[name] = x
        return both
