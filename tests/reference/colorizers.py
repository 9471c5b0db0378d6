"""The released PyTorch colorizers of Zhang et al., by their layers' names and shapes (RZ:colorizers/eccv16.py and
siggraph17.py): what their files hold, and what they compute."""

import torch
from torch import Tensor, nn

WIDTHS = ((64, 64), (128, 128), (256, 256, 256), *[(512, 512, 512)] * 4)
DILATIONS = (1, 1, 1, 1, 2, 2, 1)


def _block(inputs: int, widths: tuple[int, ...], stride: int, dilation: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for i, width in enumerate(widths):
        last = stride if i == len(widths) - 1 else 1
        layers += [nn.Conv2d(inputs, width, 3, last, padding=dilation, dilation=dilation), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.BatchNorm2d(inputs))


class ECCV16(nn.Module):
    """model1 … model8, model_out."""

    def __init__(self) -> None:
        super().__init__()
        inputs = 1
        for n, (widths, dilation) in enumerate(zip(WIDTHS, DILATIONS, strict=True), start=1):
            self.add_module(f"model{n}", _block(inputs, widths, 2 if n <= 3 else 1, dilation))
            inputs = widths[-1]
        self.model8 = nn.Sequential(
            nn.ConvTranspose2d(512, 256, 4, 2, 1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 313, 1),
        )
        self.model_out = nn.Conv2d(313, 2, 1, bias=False)

    def forward(self, lightness: Tensor) -> tuple[list[Tensor], Tensor]:
        """Outputs of model1 … model7, and the logits."""
        x, features = (lightness - 50) / 100, []
        for n in range(1, 8):
            x = self.get_submodule(f"model{n}")(x)
            features.append(x)
        return features, self.model8(x)


class Siggraph17(nn.Module):
    """model1 … model7, and of what follows the names that tell it apart."""

    def __init__(self) -> None:
        super().__init__()
        inputs = 4
        for n, (widths, dilation) in enumerate(zip(WIDTHS, DILATIONS, strict=True), start=1):
            self.add_module(f"model{n}", _block(inputs, widths, 1, dilation))
            inputs = widths[-1]
        self.model8up = nn.Sequential(nn.ConvTranspose2d(512, 256, 4, 2, 1))
        self.model8 = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3),
            nn.ReLU(),
            nn.BatchNorm2d(256),
        )
        self.model_class = nn.Sequential(nn.Conv2d(256, 529, 1))

    def forward(self, lightness: Tensor) -> Tensor:
        """Output of model7, without hints."""
        hints = torch.zeros(len(lightness), 3, *lightness.shape[2:])
        x = torch.cat([(lightness - 50) / 100, hints], dim=1)
        for n in range(1, 8):
            x = self.get_submodule(f"model{n}")(x if n == 1 or n > 4 else x[:, :, ::2, ::2])
        return x
