"""Reconstruction of the grey picture itself: what Zhang16 holds colorization against as "Autoencoder" (section 3.2)."""

import torch
from torch import Tensor, nn


class Autoencoder(nn.Module):
    """Predicts the lightness that the network sees, one channel, trained with the squared distance.

    A feature map of stride 16 says of each place how light one pixel is: most of what it is given has to be left out,
    as through an autoencoder's bottleneck. No paper says how its own was built.
    """

    channels = 1
    mean, scale = 50.0, 50.0  # the network works with numbers between -1 and 1

    def target(self, lightness: Tensor) -> Tensor:
        """What is to be predicted: L itself, (B, 1, h, w) or (B, 1, N), in [0, 100]."""
        return lightness

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The squared distance, L scaled to [-1, 1], mean over places.

        Args:
            prediction: (B, 1, h, w) or (B, 1, N), the network's output.
            target: likewise, L in [0, 100].
        """
        return (prediction.float() - (target - self.mean) / self.scale).square().mean()

    def decode(
        self, prediction: Tensor, temperature: float | Tensor | None = None, *, grey: Tensor | None = None
    ) -> Tensor:
        """ab, (B, 2, h, w): none, for it knows nothing of colour."""
        return torch.zeros_like(prediction).repeat(1, 2, 1, 1)
