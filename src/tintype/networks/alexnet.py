"""AlexNet as both papers pretrained it: grouped, fc6 and fc7 as convolutions (PAPERS B1, C2)."""

from collections import OrderedDict

from torch import Tensor, nn

from tintype.networks.fully import FullyConv2d
from tintype.networks.trunk import Chain


class AlexNet(Chain):
    """conv1 to conv5, fc6, fc7, with the filters and groups of CaffeNet.

    Input: (B, 1, H, W) in [0, 100], of any size.
    Output: "data" at stride 1, "conv1" 4, "conv2" 8, "conv3" to "conv5" 16, "fc6" and "fc7" 32, after ReLU.

    Args:
        in_chans: input channels; 1 for lightness.
        batch_norm: batch-norm without scale or shift between each convolution and its ReLU, as when pretraining.
        dilated: Zhang16's: pool5 at stride 1 and fc6 dilated by 2, so that fc6 and fc7 stay at stride 16; no dropout.
            The input is L - 50 then. Weights fit both ways.
        lrn: local response normalization before the first two poolings, as in Larsson17's released AlexNet.
    """

    mean, std = 100 * 114.154 / 255, 100.0  # SS:multi/basenets/alex.py, of (R + G + B) / 3

    def __init__(self, in_chans: int = 1, batch_norm: bool = False, dilated: bool = False, lrn: bool = False):
        super().__init__(in_chans)
        if dilated:
            self.mean, self.std = 50.0, 1.0
        else:
            self.columns = ("data", "conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7")
        self.conv1 = block(nn.Conv2d(in_chans, 96, 11, stride=4, padding=5), batch_norm)
        self.conv2 = block(nn.Conv2d(96, 256, 5, padding=2, groups=2), batch_norm)
        self.conv3 = block(nn.Conv2d(256, 384, 3, padding=1), batch_norm)
        self.conv4 = block(nn.Conv2d(384, 384, 3, padding=1, groups=2), batch_norm)
        self.conv5 = block(nn.Conv2d(384, 256, 3, padding=1, groups=2), batch_norm)
        dilation, padding, dropout = (2, 5, 0.0) if dilated else (1, 3, 0.5)
        self.fc6 = block(FullyConv2d(256, 4096, 6, padding=padding, dilation=dilation), batch_norm, dropout)
        self.fc7 = block(nn.Conv2d(4096, 4096, 1), batch_norm, dropout)
        self.crop = nn.Identity() if dilated else _Crop()
        xavier(self)
        self.batch_norm = batch_norm
        self.variant = f"alexnet{'_lrn' if lrn else ''}{'_dilated' if dilated else ''}"
        self.pool1, self.pool2 = nn.MaxPool2d(3, 2, 1), nn.MaxPool2d(3, 2, 1)
        self.pool5 = nn.MaxPool2d(3, 1 if dilated else 2, 1)
        pools: list[list[nn.Module]] = [[self.pool1], [self.pool2]]
        if lrn:  # TensorFlow multiplies the sum of five squares by 2e-5, torch their mean by this
            self.lrn1, self.lrn2 = (nn.LocalResponseNorm(5, 1e-4, 0.75, 1.0) for _ in pools)
            pools = [[self.lrn1, self.pool1], [self.lrn2, self.pool2]]
        self.chain(
            [
                ("conv1", [self.conv1]),
                ("conv2", [*pools[0], self.conv2]),
                ("conv3", [*pools[1], self.conv3]),
                ("conv4", [self.conv4]),
                ("conv5", [self.conv5]),
                ("fc6", [self.pool5, self.fc6, self.crop]),
                ("fc7", [self.fc7]),
            ]
        )


class _Crop(nn.Module):
    """Drops the first row and column: fc6's even filters give one too many, and TensorFlow pads before by one less."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, 1:, 1:]


def block(conv: nn.Conv2d, batch_norm: bool, dropout: float = 0.0) -> nn.Sequential:
    """A convolution, batch-norm without scale or shift if wanted, ReLU, dropout."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(conv=conv)
    if batch_norm:
        layers["norm"] = nn.BatchNorm2d(conv.out_channels, affine=False)
    layers["relu"] = nn.ReLU()
    if dropout:
        layers["dropout"] = nn.Dropout(dropout)
    return nn.Sequential(layers)


def xavier(network: nn.Module) -> None:
    """Caffe's Xavier initialization: weights uniform in ± sqrt(3 / inputs), biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            bound = (3 / module.weight[0].numel()) ** 0.5
            nn.init.uniform_(module.weight, -bound, bound)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
