"""Changing a trained network: its input, and what of it is trained further."""

from collections.abc import Iterable

from torch import Tensor, nn


class Freezable(nn.Module):
    """A module of which parts can be frozen: not trained, and in evaluation mode whatever the rest is in.

    Evaluation mode matters: a frozen batch-norm that went on averaging would drift away from its weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self._frozen: list[nn.Module] = []

    def freeze_parts(self, parts: Iterable[nn.Module]) -> None:
        """Freeze these parts from now on."""
        self._frozen = list(parts)
        for part in self._frozen:
            part.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> "Freezable":
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self


def grey_first_layer(weight: Tensor) -> Tensor:
    """First-layer filters for grey input: their sum over RGB, so that a grey picture gives the same response.

    Args:
        weight: (O, 3, kh, kw).

    Returns:
        (O, 1, kh, kw).

    Raises:
        ValueError: the filters are not three-channel.
    """
    if weight.ndim != 4 or weight.shape[1] != 3:
        raise ValueError(f"expected filters (O, 3, kh, kw), got {tuple(weight.shape)}")
    return weight.sum(dim=1, keepdim=True)


def rgb_first_layer(weight: Tensor) -> Tensor:
    """First-layer filters for colour input: copied to each channel and divided by 3, as Larsson17 does.

    A colour picture gives the response of its channel mean, (R + G + B) / 3.

    Args:
        weight: (O, 1, kh, kw).

    Returns:
        (O, 3, kh, kw).

    Raises:
        ValueError: the filters are not one-channel.
    """
    if weight.ndim != 4 or weight.shape[1] != 1:
        raise ValueError(f"expected filters (O, 1, kh, kw), got {tuple(weight.shape)}")
    return weight.repeat(1, 3, 1, 1) / 3
