"""ResNets: torchvision's, with the layer names of the papers (PAPERS C2, SS:multi/basenets/resnet152.py)."""

from typing import Any

import torchvision
from torch import nn
from torchvision.models.resnet import BasicBlock

from tintype.networks.trunk import Chain, Step

# The released hypercolumn of ResNet-152; of the others, layers chosen alike.
COLUMNS = {
    18: "conv1 res2a res2b res3a res3b res4a res4b res5b",
    50: "conv1 res2a res2b res2c res3b res3d res4b res4d res4f res5c",
    152: "conv1 res2a res2b res2c res3b1 res3b4 res3b7 res4b5 res4b10 res4b15 res4b20 res4b25 res4b30 res4b35 res5c",
}


class ResNet(Chain):
    """conv1 and the residual blocks res2a, res2b … up to the last res5, each after its ReLU.

    Input: (B, 1, H, W) in [0, 100], of any size.
    Output: "conv1" at stride 2, "res2*" 4, "res3*" 8, "res4*" 16, "res5*" 32. ResNet-152 counts the blocks of its long
    stages as the released models do: res3a, res3b1 … res3b7, res4a, res4b1 … res4b35.

    torchvision strides in a block's 3x3 convolution, the released models in its first 1x1; weights fit both ways.

    Args:
        depth: 18, 50 or 152; 18 where it is divided.
        in_chans: input channels; 1 for lightness.
        divide: every residual block has this many times fewer filters, for small pictures and machines.
    """

    mean, std = 100 * 114.154 / 255, 100.0  # SS:multi/basenets/resnet152.py, of (R + G + B) / 3

    def __init__(self, depth: int, in_chans: int = 1, divide: int = 1):
        super().__init__(in_chans)
        self.depth, self.divide = depth, divide
        self.body = getattr(torchvision.models, f"resnet{depth}")() if divide == 1 else _Narrow(divide)
        self.body.conv1 = nn.Conv2d(in_chans, 64, 7, stride=2, padding=3, bias=False)
        nn.init.kaiming_normal_(self.body.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.body.fc = nn.Identity()
        steps: list[Step] = [("conv1", [self.body.conv1, self.body.bn1, self.body.relu])]
        before: list[nn.Module] = [self.body.maxpool]
        for stage in (2, 3, 4, 5):
            blocks = list(self.body.get_submodule(f"layer{stage - 1}"))
            numbered = depth == 152 and stage in (3, 4)
            for i, residual in enumerate(blocks):
                name = ("a" if i == 0 else f"b{i}") if numbered else "abcdef"[i]
                steps.append((f"res{stage}{name}", [*before, residual]))
                before = []
        self.chain(steps, data=False)
        self.columns = tuple(COLUMNS[depth].split())


class _Narrow(torchvision.models.ResNet):  # type: ignore[misc]
    """A ResNet-18 whose residual blocks have fewer filters."""

    def __init__(self, divide: int):
        self.divide = divide
        super().__init__(BasicBlock, [2, 2, 2, 2])

    def _make_layer(self, block: Any, planes: int, *args: Any, **kwargs: Any) -> nn.Sequential:
        stage: nn.Sequential = super()._make_layer(block, planes // self.divide, *args, **kwargs)
        return stage
