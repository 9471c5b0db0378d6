"""LPIPS: how far pictures look from the true one to a network (Zhang et al. 2018), by the authors' package."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import lpips
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tintype.networks.foreign import cached, read_state_dict, sha256_of

# The networks of LPIPS, with the torchvision weights that its linear layers were fitted to.
NETWORKS = {
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}
LEAST = 32  # pixels on each side that all three networks can look at


@dataclass(frozen=True)
class Lpips:
    """LPIPS version 0.1 with one of its networks; `weights` is the name of the network's file, `sha256` its hash."""

    net: str
    weights: str
    sha256: str
    _network: nn.Module = field(repr=False)

    def __call__(self, true: NDArray[np.uint8], pictures: Sequence[NDArray[np.uint8]]) -> list[float]:
        """The distance of each picture from the true one, in float32, whatever autocast the caller is in.

        Args:
            true: (h, w, 3), 8-bit sRGB, both sides at least 32.
            pictures: one or more of the same shape.

        Returns:
            0 for equal pictures, more the more different they look.

        Raises:
            ValueError: the shapes differ, or are too small.
        """
        height, width = true.shape[:2]
        if min(height, width) < LEAST:
            raise ValueError(f"{width} x {height} pixels are too few, LPIPS needs {LEAST} on each side")
        if any(picture.shape != true.shape for picture in pictures):
            raise ValueError(f"expected pictures of {width} x {height} pixels, as the true one is")
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            distances = self._network(_scaled([true]), _scaled(pictures))
        return [float(value) for value in distances.flatten()]


def load_lpips(net: str = "alex", weights: Path | None = None) -> Lpips:
    """Load LPIPS. Its linear layers come with its package; nothing is downloaded.

    Args:
        net: `alex`, `vgg` or `squeeze`.
        weights: torchvision's file of that network, .pth or .safetensors; without one, the file in torch's cache.

    Raises:
        ValueError: there is no such network, or no weights for it here, or the file holds others.
    """
    if net not in NETWORKS:
        raise ValueError(f"LPIPS has no network {net!r}: use {', '.join(NETWORKS)}")
    weights = weights or cached(NETWORKS[net])
    if weights is None:
        raise ValueError(f"{NETWORKS[net]}, the weights of LPIPS's {net}, is not in torch's cache: give a file")
    with warnings.catch_warnings():  # of torchvision's about the argument by which lpips asks for no weights
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    given = read_state_dict(weights)
    loaded = {}
    for key, expected in network.net.state_dict().items():
        theirs = re.sub(r"^slice\d+", "features", key)  # lpips cuts torchvision's `features` up, numbers and all
        if theirs not in given or given[theirs].shape != expected.shape:
            raise ValueError(
                f"{weights}: these are not torchvision's weights of {net} ({theirs} is missing or differs)"
            )
        if not given[theirs].isfinite().all():
            raise ValueError(f"{weights}: holds weights that are not finite numbers")
        loaded[key] = given[theirs]
    network.net.load_state_dict(loaded)
    return Lpips(net, weights.name, sha256_of(weights), network.eval())


def _scaled(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1
