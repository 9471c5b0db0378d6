"""The trunk of Zhang16: VGG-like, no pooling, dilated at stride 8 (PAPERS A6, train_val_v2.prototxt)."""

from torch import nn

from tintype.networks.trunk import Chain

# Per block: output channels of its 3x3 convolutions, stride of the last one, dilation.
LAYERS = {
    "conv1": ((64, 64), 2, 1),
    "conv2": ((128, 128), 2, 1),
    "conv3": ((256, 256, 256), 2, 1),
    "conv4": ((512, 512, 512), 1, 1),
    "conv5": ((512, 512, 512), 1, 2),
    "conv6": ((512, 512, 512), 1, 2),
    "conv7": ((512, 512, 512), 1, 1),
}


class Zhang16(Chain):
    """conv1 to conv7: 3x3 convolutions with ReLU, and batch-norm without scale or shift after each block's last ReLU.

    Input: L, (B, 1, H, W) in [0, 100]; the network sees L - 50.
    Output: {"conv1": (B, 64, H/2, W/2), ..., "conv7": (B, 512, H/8, W/8)}.

    Args:
        in_chans: input channels; 1 for lightness.
        divide: every layer has this many times fewer filters, for small pictures and machines.
    """

    mean, std = 50.0, 1.0  # L is not scaled

    def __init__(self, in_chans: int = 1, divide: int = 1):
        super().__init__(in_chans)
        self.divide = divide
        channels = in_chans
        for name, (widths, stride, dilation) in LAYERS.items():
            block: list[nn.Module] = []
            for i, width in enumerate(full // divide for full in widths):
                last = stride if i == len(widths) - 1 else 1
                block += [nn.Conv2d(channels, width, 3, last, padding=dilation, dilation=dilation), nn.ReLU()]
                channels = width
            block.append(nn.BatchNorm2d(channels, affine=False))
            self.add_module(name, nn.Sequential(*block))
        self.chain([(name, [self.get_submodule(name)]) for name in LAYERS], data=False)
