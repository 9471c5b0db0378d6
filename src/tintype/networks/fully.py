"""Fully-connected layers as convolutions: kernels as wide as the map they were trained on, 6x6 or 7x7."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class FullyConv2d(nn.Conv2d):
    """A convolution of stride 1 that CPUs compute as one product of matrices.

    Libraries' convolutions are meant for small kernels on large maps: the gradient of fc6, 7x7 on a map of 2x2 cells,
    took oneDNN minutes. Here it is the product of those taps of the kernel that reach the map at all. On other devices
    it is the convolution that it is.
    """

    def forward(self, x: Tensor) -> Tensor:
        if x.device.type != "cpu" or torch.compiler.is_exporting():
            return super().forward(x)
        spans: list[slice] = []
        sizes: list[int] = []
        pads: list[int] = []
        for i, side in enumerate(x.shape[2:]):
            kernel, gap, pad = self.kernel_size[i], self.dilation[i], int(self.padding[i])
            size = side + 2 * pad - gap * (kernel - 1)  # of the output
            # Tap t of cell c reads place c - pad + gap * t, which lies on the map for some c from `first` to `last`.
            first, last = max(0, -(-(pad - size + 1) // gap)), min(kernel - 1, (side - 1 + pad) // gap)
            if first > last:  # none does
                return super().forward(x)
            spans.append(slice(first, last + 1))
            sizes.append(size)
            pads = [pad - gap * first, size - 1 - pad + gap * last - (side - 1), *pads]
        weight = self.weight[:, :, spans[0], spans[1]]
        columns = F.unfold(F.pad(x, pads), weight.shape[2:], self.dilation).transpose(1, 2).flatten(0, 1)
        cells = F.linear(columns, weight.flatten(1), self.bias)
        return cells.view(len(x), sizes[0], sizes[1], -1).permute(0, 3, 1, 2)
