"""Changing a trained network: its input, and what of it is trained further."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval


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


@torch.no_grad()
def fold_norms(network: nn.Module) -> None:
    """Fold every batch-norm that directly follows a convolution into it, in place; the function stays what it is.

    Args:
        network: in evaluation mode; takes lightness, (B, 1, H, W).
    """
    norms = norms_after(network)
    for conv, norm in norms.items():
        fused = fuse_conv_bn_eval(conv, norm)
        conv.weight, conv.bias = fused.weight, fused.bias
    for parent in list(network.modules()):
        for name, child in parent.named_children():
            if any(child is norm for norm in norms.values()):
                setattr(parent, name, getattr(child, "act", nn.Identity()))  # timm's have their activation inside


@torch.no_grad()
def norms_after(network: nn.Module) -> dict[nn.Conv2d, Any]:
    """For each convolution whose output goes straight into a batch-norm, that batch-norm.

    Args:
        network: takes lightness, (1, 1, 64, 64).
    """
    made_by: dict[int, nn.Conv2d] = {}
    kept: list[Tensor] = []  # so that no two tensors share an address
    found: dict[nn.Conv2d, Any] = {}

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            made_by[id(output)] = module
            kept.append(output)
        elif id(inputs[0]) in made_by:
            found[made_by[id(inputs[0])]] = module

    watched = [module for module in network.modules() if isinstance(module, nn.Conv2d | _BatchNorm)]
    handles = [module.register_forward_hook(note) for module in watched]
    try:
        network(torch.full((1, 1, 64, 64), 50.0))
    finally:
        for handle in handles:
            handle.remove()
    return found
