"""VGG-16 with fc6 and fc7 as convolutions, around torchvision's layers (PAPERS C2, AC:train_vgg16.prototxt)."""

from torch import nn
from torchvision.models.vgg import cfgs, make_layers

from tintype.networks.alexnet import block, xavier
from tintype.networks.fully import FullyConv2d
from tintype.networks.trunk import Chain, Step


class VGG16(Chain):
    """conv1_1 to conv5_3, fc6, fc7.

    Input: (B, 1, H, W) in [0, 100], of any size from 32.
    Output: "data" and "conv1_*" at stride 1, "conv2_*" 2, "conv3_*" 4, "conv4_*" 8, "conv5_*" 16, "fc6" and "fc7" 32,
    after ReLU (and for fc6 and fc7 after dropout, as the released code reads them).

    Args:
        in_chans: input channels; 1 for lightness.
        batch_norm: batch-norm without scale or shift between each convolution and its ReLU, as when pretraining.
        divide: every layer has this many times fewer filters, for small pictures and machines.
    """

    mean, std = 44.88, 100.0  # AC:train_vgg16.prototxt, of (R + G + B) / 3

    def __init__(self, in_chans: int = 1, batch_norm: bool = False, divide: int = 1):
        super().__init__(in_chans)
        self.batch_norm, self.divide = batch_norm, divide
        widths = [size if isinstance(size, str) else size // divide for size in cfgs["D"]]
        self.features = make_layers(widths, batch_norm=batch_norm)
        self.features[0] = nn.Conv2d(in_chans, 64 // divide, 3, padding=1)
        for i, layer in enumerate(self.features):
            if isinstance(layer, nn.BatchNorm2d):
                self.features[i] = nn.BatchNorm2d(layer.num_features, affine=False)
        self.fc6 = block(FullyConv2d(512 // divide, 4096 // divide, 7, padding=3), batch_norm, 0.5)
        self.fc7 = block(nn.Conv2d(4096 // divide, 4096 // divide, 1), batch_norm, 0.5)
        xavier(self)
        steps: list[Step] = []
        layers: list[nn.Module] = []
        stage, number = 1, 1
        for layer in self.features:
            layers.append(layer)
            if isinstance(layer, nn.ReLU):
                steps.append((f"conv{stage}_{number}", layers))
                layers, number = [], number + 1
            elif isinstance(layer, nn.MaxPool2d):
                stage, number = stage + 1, 1
        self.chain([*steps, ("fc6", [*layers, self.fc6]), ("fc7", [self.fc7])])
        self.columns = tuple(self.strides)
