"""The features behind FID: the Inception network of Heusel et al. (2017), by torch-fidelity."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from tintype.evaluate.classifier import cached, file_hash
from tintype.networks.weights import read_state_dict

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"


@dataclass(frozen=True)
class Inception:
    """The network, the file of its weights and that file's hash."""

    weights: str
    sha256: str
    _network: Any = field(repr=False)

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Pooled features (n, 2048) of n 8-bit sRGB pictures (h, w, 3), resized to 299×299 as the original does."""
        with torch.inference_mode():
            rows = [self._network(torch.from_numpy(np.array(one)).permute(2, 0, 1)[None])[0] for one in pictures]
        return torch.cat(rows).numpy()


def load_inception(weights: Path | None = None) -> Inception:
    """The network with its weights. Nothing is fetched over the network.

    Args:
        weights: torch-fidelity's file; None means the one in torch's cache.

    Raises:
        ValueError: the weights are missing or do not fit, in one line.
    """
    path = weights or cached(WEIGHTS)
    if path is None:
        raise ValueError(f"FID needs the weights of its network: give {WEIGHTS}, or put it into torch's cache")
    safe = io.BytesIO()  # torch-fidelity would unpickle whatever is in the file
    torch.save(read_state_dict(path), safe)
    safe.seek(0)
    try:
        network = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], feature_extractor_weights_path=safe)
    except RuntimeError as error:
        raise ValueError(f"{path}: these are not torch-fidelity's weights of Inception v3") from error
    return Inception(path.name, file_hash(path), network)
