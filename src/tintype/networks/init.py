"""Weights from what a network sees: data-dependent initialization and rebalancing (Krähenbühl et al., ICLR 2016).

For trunks that are chains of convolutions: alexnet, vgg16 and zhang16. A residual network has batch-norms instead.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.networks.trunk import Trunk

PATCHES = 5_000  # of a layer's input, that its filters are made from
COMPONENTS = 256  # of the patches, at most: the strongest
ROUNDS = 10  # of k-means


def initialize(trunk: Trunk, pictures: Tensor, kmeans: bool = False) -> None:
    """Give every convolution random or k-means filters, scaled so that its units have mean 0 and variance 1, in place.

    Layer by layer, from the picture up, each on what those below it now make of the pictures.

    Args:
        trunk: without residual connections. Batch-norms, if any, are in evaluation mode meanwhile.
        pictures: (B, 1, H, W) in [0, 100]; a few dozen photographs are enough.
        kmeans: filters are centres, by spherical k-means, of whitened patches of each layer's input, as `magic_init
            -t kmeans` makes them; else normal random numbers.

    Raises:
        ValueError: the trunk has residual connections.
    """

    def fill(conv: nn.Conv2d, x: Tensor) -> None:
        filters = _kmeans_filters(conv, x) if kmeans else torch.randn_like(conv.weight)
        conv.weight.copy_(filters)
        assert conv.bias is not None
        conv.bias.zero_()
        output = conv.forward(x)
        deviation, mean = torch.std_mean(output, dim=(0, 2, 3))
        deviation = deviation.clamp(min=1e-6 * float(deviation.max()))  # of units that see nothing
        conv.weight.div_(deviation[:, None, None, None])
        conv.bias.copy_(-mean / deviation)

    _upwards(trunk, pictures, fill)


def rebalance(trunk: Trunk, pictures: Tensor) -> dict[str, float]:
    """Rescale a trained chain without batch-norm so that each layer's outputs have variance 1 on pictures, in place.

    What a layer is multiplied by, the next one's filters are divided by: ReLU, max-pooling and dropout commute with
    positive factors, so every feature map stays what it was, times a factor.

    Args:
        trunk: without residual connections and without batch-norm; fold it first.
        pictures: (B, 1, H, W) in [0, 100].

    Returns:
        The factor of each convolution's output, by its name.

    Raises:
        ValueError: the trunk has residual connections, batch-norms, or response normalization, which knows no factors;
            or a layer that gives the same everywhere.
    """
    if any(isinstance(layer, nn.BatchNorm2d) for layer in trunk.modules()):
        raise ValueError("a trunk with batch-norm is balanced already; fold its batch-norms first")
    if any(isinstance(layer, nn.LocalResponseNorm) for layer in trunk.modules()):
        raise ValueError("a trunk with local response normalization changes when its layers are rescaled")
    names = {layer: name for name, layer in trunk.named_modules()}
    factors: dict[str, float] = {}
    before = 1.0

    def scale(conv: nn.Conv2d, x: Tensor) -> None:
        nonlocal before
        # x is as large as the layers below now make it, so that the filters have to undo their factor first.
        conv.weight.div_(before)
        deviation = float(conv.forward(x).std())
        if not 0 < deviation < float("inf"):
            raise ValueError(f"layer {names[conv]} gives the same everywhere, or no numbers, and cannot be rescaled")
        factor = 1 / deviation
        conv.weight.mul_(factor)
        assert conv.bias is not None
        conv.bias.mul_(factor)
        factors[names[conv]] = before = factor

    _upwards(trunk, pictures, scale)
    return factors


def _upwards(trunk: Trunk, pictures: Tensor, change: Callable[[nn.Conv2d, Tensor], None]) -> None:
    """Run the trunk once, and change every convolution just before it is run."""
    convolutions = [layer for layer in trunk.modules() if isinstance(layer, nn.Conv2d)]
    if any(conv.bias is None for conv in convolutions):
        raise ValueError("only chains of convolutions with biases can be initialized by data, not residual networks")

    def hook(conv: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        assert isinstance(conv, nn.Conv2d)
        change(conv, inputs[0])

    training = trunk.training
    hooks = [conv.register_forward_pre_hook(hook) for conv in convolutions]
    try:
        with torch.no_grad():
            trunk.eval()(pictures)
    finally:
        for handle in hooks:
            handle.remove()
        trunk.train(training)


def _kmeans_filters(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Centres of whitened patches of a convolution's input, as filters on the patches themselves."""
    groups = [_centres(patches, conv.out_channels // conv.groups) for patches in _patches(conv, x)]
    return torch.cat(groups).view(conv.weight.shape)


def _patches(conv: nn.Conv2d, x: Tensor) -> list[Tensor]:
    """Some of the patches that a convolution sees, (P, inputs) for each of its groups."""
    generator = torch.Generator().manual_seed(0)
    each = max(1, PATCHES // len(x))
    found = []
    for picture in x:
        columns = F.unfold(picture[None], conv.kernel_size, conv.dilation, conv.padding, conv.stride)[0]  # type: ignore[arg-type]
        chosen = torch.randperm(columns.shape[1], generator=generator)[:each].to(x.device)
        found.append(columns[:, chosen].T)
    return list(torch.cat(found).chunk(conv.groups, dim=1))


def _centres(patches: Tensor, count: int) -> Tensor:
    """(count, inputs) filters: k-means centres of PCA-whitened patches on the unit sphere.

    With fewer than ten patches to a filter, as in fully-connected layers, the filters are whitened patches themselves.
    """
    patches = patches - patches.mean(0)
    components = min(count, COMPONENTS, *patches.shape)
    _, values, vectors = torch.svd_lowrank(patches, min(components + 16, *patches.shape))
    values, vectors = values[:components], vectors[:, :components]
    whiten = vectors / (values.square() / len(patches) + 1e-3 * values.square().max() / len(patches)).sqrt()
    white = F.normalize(patches @ whiten)
    centres = white[torch.linspace(0, len(white) - 1, count, device=white.device).long()]
    centres = centres + 1e-2 * torch.randn_like(centres)  # where there are fewer patches than filters
    for _ in range(ROUNDS if len(white) >= 10 * count else 0):
        nearest = (white @ centres.T).argmax(1)
        sums = torch.zeros_like(centres).index_add_(0, nearest, white)
        centres = torch.where(sums.norm(dim=1, keepdim=True) > 0, F.normalize(sums), centres)
    return centres @ whiten.T
