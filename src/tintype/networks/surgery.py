"""Changing a trained network's input."""

from torch import Tensor


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
