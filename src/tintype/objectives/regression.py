"""Regression: the L2 distance in ab (Zhang16, eq. 1)."""

from torch import Tensor, nn


class Regression(nn.Module):
    """Predicts ab itself, two channels, trained with half the squared distance.

    The paper sums over places; here it is the mean over places and pictures, so that the loss does not depend on size.
    The network's output is multiplied by `scale`, so that it works with numbers near 1.
    """

    channels = 2
    scale = 110.0

    def target(self, ab: Tensor) -> Tensor:
        """What is to be predicted: ab itself, (B, 2, h, w), CIE ab."""
        return ab

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """½‖ab - target‖², mean over places.

        Args:
            prediction: (B, 2, h, w), the network's output.
            target: (B, 2, h, w), CIE ab.

        Returns:
            A scalar, in squared ab units.
        """
        return 0.5 * (self.decode(prediction) - target).square().sum(dim=1).mean()

    def decode(self, prediction: Tensor, temperature: float | Tensor | None = None) -> Tensor:
        """ab, (B, 2, h, w). A regression has no distribution: the temperature is ignored."""
        return self.scale * prediction.float()
