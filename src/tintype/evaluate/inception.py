"""Features of the Inception network that FID is defined by (Heusel et al. 2017), by torch-fidelity."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from tintype.networks.foreign import cached, read_state_dict, sha256_of

# One file under two names: pytorch-fid's release and torch-fidelity's.
FILES = ("pt_inception-2015-12-05-6726825d.pth", "weights-inception-2015-12-05-6726825d.pth")


@dataclass(frozen=True)
class Inception:
    """FID's Inception; `weights` is the name of the file they came from, `sha256` its hash."""

    name: str
    weights: str
    sha256: str
    _network: nn.Module = field(repr=False)

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """The features of its last pooling, in float32, whatever autocast the caller is in.

        Args:
            pictures: n pictures (h, w, 3), 8-bit sRGB, of any sizes; the network resizes them as TensorFlow 1 did.

        Returns:
            (n, 2048).
        """
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            features = [
                self._network(torch.tensor(picture).permute(2, 0, 1)[None])[0]  # one by one: sizes may differ
                for picture in pictures
            ]
        return torch.cat(features).numpy()


def load_inception(weights: Path | None = None) -> Inception:
    """Load FID's Inception. Nothing is downloaded.

    Args:
        weights: a .pth or .safetensors file; without one, the file in torch's cache, by either of its names.

    Raises:
        ValueError: there are no weights here, or the file holds others.
    """
    weights = weights or next((path for path in map(cached, FILES) if path is not None), None)
    if weights is None:
        raise ValueError(f"{FILES[0]}, the weights of FID's Inception, is not in torch's cache: give a file")
    # torch-fidelity would unpickle the file whatever is in it, so it is given what was read as tensors only
    buffer = io.BytesIO()
    torch.save(read_state_dict(weights), buffer)
    buffer.seek(0)
    try:
        network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=buffer)
    except RuntimeError as error:
        raise ValueError(f"{weights}: these are not the weights of FID's Inception") from error
    return Inception("inception-v3-compat", weights.name, sha256_of(weights), network)
