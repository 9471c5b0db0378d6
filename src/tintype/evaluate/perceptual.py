"""LPIPS (Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", CVPR 2018)."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lpips
import numpy as np
import torch
from numpy.typing import NDArray

from tintype.evaluate.classifier import cached, file_hash
from tintype.networks.weights import read_state_dict

BACKBONES = {  # torchvision's files of their weights; the linear layers on top come with the package
    "alex": "alexnet-owt-7be5be79.pth",
    "vgg": "vgg16-397923af.pth",
    "squeeze": "squeezenet1_1-b8a52dc0.pth",
}


@dataclass(frozen=True)
class Lpips:
    """LPIPS v0.1 with one backbone: its name, the file of its weights and that file's hash."""

    net: str
    weights: str
    sha256: str
    _network: Any = field(repr=False)

    def __call__(self, true: NDArray[np.uint8], pictures: Sequence[NDArray[np.uint8]]) -> list[float]:
        """Distance of each 8-bit sRGB picture (h, w, 3) from the true one; 0 for equal ones."""
        with torch.inference_mode():
            one, *others = (
                torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 127.5 - 1
                for picture in (true, *pictures)
            )
            return [float(self._network(one, other)) for other in others]


def load_lpips(net: str = "alex", weights: Path | None = None) -> Lpips:
    """LPIPS with a backbone. Nothing is fetched over the network.

    Args:
        net: `alex`, `vgg` or `squeeze`.
        weights: the backbone's, as torchvision has them; None means the file in torch's cache.

    Raises:
        ValueError: the weights are missing or do not fit, in one line.
    """
    path = weights or cached(BACKBONES[net])
    if path is None:
        raise ValueError(f"LPIPS needs the weights of its network: give {BACKBONES[net]}, or put it into torch's cache")
    with warnings.catch_warnings():  # of torchvision's older way to ask for no weights
        warnings.simplefilter("ignore")
        network = lpips.LPIPS(net=net, version="0.1", pnet_rand=True, verbose=False)
    given = read_state_dict(path)
    own = network.net.state_dict()
    try:  # the backbone's layers are cut into slices there
        network.net.load_state_dict({name: given[f"features.{name.partition('.')[2]}"] for name in own})
    except (KeyError, RuntimeError) as error:
        raise ValueError(f"{path}: these are not torchvision's weights of LPIPS's network {net}") from error
    return Lpips(net, path.name, file_hash(path), network.eval())
