"""Changing a trained network: its input, its batch-norms, and what of it is trained further."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

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
        self._evaluated: list[nn.Module] = []

    @property
    def frozen(self) -> set[nn.Module]:
        """All modules that are frozen, with what is inside of them."""
        return {module for part in self._evaluated for module in part.modules()}

    def freeze_parts(self, parts: Iterable[nn.Module]) -> None:
        """Freeze these parts too, from now on."""
        for part in parts:
            part.requires_grad_(False)
            self._evaluated.append(part)
        self.train(self.training)

    def fix_statistics(self, trained: bool = True) -> None:
        """Have batch-norms keep their mean and variance from now on, in training too.

        For training further on batches of other photographs, or too small ones, than the statistics are of.

        Args:
            trained: whether their scale and shift are trained, where they have any.
        """
        for module in self.modules():
            if isinstance(module, _BatchNorm):
                self._evaluated.append(module)
                if not trained:
                    module.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        for part in self._evaluated:
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


def lab_first_layer(weight: Tensor) -> Tensor:
    """First-layer filters for L, a and b: those for grey, and filters of zeros for ab (Zhang16, "Ours (color)").

    Until the new filters learn, the network is exactly the grey one.

    Args:
        weight: (O, 1, kh, kw).

    Returns:
        (O, 3, kh, kw).

    Raises:
        ValueError: the filters are not one-channel.
    """
    if weight.ndim != 4 or weight.shape[1] != 1:
        raise ValueError(f"expected filters (O, 1, kh, kw), got {tuple(weight.shape)}")
    return torch.cat([weight, torch.zeros_like(weight).repeat(1, 2, 1, 1)], dim=1)


@torch.no_grad()
def fold_batch_norm(network: nn.Module, example: Tensor) -> list[str]:
    """Fold every batch-norm that follows a convolution directly into that convolution, in place.

    In evaluation mode the network computes what it did before. Batch-norms elsewhere, such as Zhang16's after ReLU,
    stay: before a padded convolution they cannot be folded exactly.

    Args:
        network: any; put into evaluation mode.
        example: an input that it takes, to see which layer follows which.

    Returns:
        The names of the batch-norms that are gone; in the place of each is its activation (timm's have one inside) or
        an `nn.Identity`.
    """
    folds = norms_after(network.eval(), example)
    for name, conv in folds.items():
        norm: Any = network.get_submodule(name)
        fused = fuse_conv_bn_eval(conv, norm)
        conv.weight, conv.bias = fused.weight, fused.bias
        _remove(network, name)
    return list(folds)


def without_batch_norm(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Give a fresh network the layers that it had when some batch-norms of it had been folded, in place.

    Args:
        state: its tensors then; batch-norms that they lack are taken out, biases that they have are put in.
    """
    for name, layer in list(network.named_modules()):
        if isinstance(layer, _BatchNorm) and f"{name}.running_mean" not in state:
            _remove(network, name)
        elif isinstance(layer, nn.Conv2d) and layer.bias is None and f"{name}.bias" in state:
            layer.bias = nn.Parameter(torch.zeros(layer.out_channels))


def _remove(network: nn.Module, norm: str) -> None:
    """Put a batch-norm's activation, if it has one, in its place."""
    parent, _, child = norm.rpartition(".")
    setattr(network.get_submodule(parent), child, getattr(network.get_submodule(norm), "act", nn.Identity()))


@torch.no_grad()
def norms_after(network: nn.Module, example: Tensor) -> dict[str, nn.Conv2d]:
    """The batch-norms that follow a convolution directly, by name, and that convolution.

    Args:
        example: an input that the network takes.
    """
    made_by: dict[int, nn.Conv2d] = {}
    kept: list[Tensor] = []  # so that no two tensors share an address
    found: dict[str, nn.Conv2d] = {}

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            made_by[id(output)] = layer
            kept.append(output)
        elif id(inputs[0]) in made_by:
            found[names[id(layer)]] = made_by[id(inputs[0])]

    layers = {name: layer for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d)}
    names = {id(layer): name for name, layer in layers.items()}
    hooks = [layer.register_forward_hook(note) for layer in layers.values()]
    try:
        network(example)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def absorb_scale_and_shift(state: dict[str, Tensor], norm: str, eps: float = 1e-5) -> None:
    """Write a batch-norm's learned scale and shift into its statistics, so that it does without, in place.

    Evaluated, it gives what it did before. In training, the statistics are those of the batch, and scale and shift are
    lost.

    Args:
        state: holds `norm`.weight, .bias, .running_mean and .running_var; the first two are removed.
        norm: the batch-norm's name.
        eps: the batch-norm's.

    Raises:
        ValueError: a scale is not above 0, as no statistics can give it.
    """
    scale, shift = state.pop(f"{norm}.weight"), state.pop(f"{norm}.bias")
    if not (scale > 0).all():
        raise ValueError(f"{norm}.weight has scales that are not above 0, which statistics alone cannot express")
    deviation = (state[f"{norm}.running_var"] + eps).sqrt() / scale
    state[f"{norm}.running_mean"] = state[f"{norm}.running_mean"] - shift * deviation
    state[f"{norm}.running_var"] = deviation**2 - eps
