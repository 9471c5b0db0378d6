"""Regression: the L2 distance in ab (Zhang16, eq. 1; Larsson17, section 3)."""

from typing import Literal

from torch import Tensor, nn

Form = Literal["zhang16", "larsson17"]


class Regression(nn.Module):
    """Predicts ab itself, two channels, trained with the squared distance.

    The network's output is multiplied by `scale`, so that it works with numbers near 1.

    Args:
        form: `zhang16`: half the squared distance in ab units. The paper sums over places; here it is the mean over
            places and pictures, so that the loss does not depend on size. `larsson17`: the squared distance itself, in
            Lab whose ab is divided by `scale`, mean over samples. How the authors scaled Lab is not known; with ab as
            it is, gradients are 12,100 times as large, and their learning rate of 1e-3 does not converge.
    """

    channels = 2
    scale = 110.0

    def __init__(self, form: Form = "zhang16"):
        super().__init__()
        self.factor = 0.5 if form == "zhang16" else 1 / self.scale**2

    def target(self, ab: Tensor) -> Tensor:
        """What is to be predicted: ab itself, (B, 2, h, w) or (B, 2, N), CIE ab."""
        return ab

    def loss(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The squared distance times the form's factor, mean over places.

        Args:
            prediction: (B, 2, h, w) or (B, 2, N), the network's output.
            target: likewise, CIE ab.

        Returns:
            A scalar, in squared ab units for `zhang16`.
        """
        return self.factor * (self.scale * prediction.float() - target).square().sum(dim=1).mean()

    def decode(
        self, prediction: Tensor, temperature: float | Tensor | None = None, *, grey: Tensor | None = None
    ) -> Tensor:
        """ab, (B, 2, h, w). A regression has no distribution, and is ab already: temperature and grey are ignored."""
        return self.scale * prediction.float()
