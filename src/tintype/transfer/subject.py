"""The trunk that is tested: read, made grey or colour, folded, rebalanced, frozen."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tintype.color import rgb_to_lab
from tintype.networks import build_trunk
from tintype.networks.alexnet import AlexNet
from tintype.networks.foreign import sha256_of
from tintype.networks.init import initialize, rebalance
from tintype.networks.inputs import add_ab, take_grey, take_rgb
from tintype.networks.published import load_published
from tintype.networks.surgery import fold_batch_norm
from tintype.networks.timm_trunk import TimmTrunk
from tintype.networks.trained import trained_trunk, weights_of
from tintype.networks.trunk import Trunk
from tintype.networks.vgg16 import VGG16
from tintype.networks.weights import is_ours
from tintype.recipes import RecipeError
from tintype.recipes.look import look
from tintype.recipes.weights import UNTRAINED, file_of
from tintype.transfer.recipe import Surgery

_AB = "+ab"
PICTURES = 48  # that weights are made or rebalanced on
AB_SCALE = 0.69308239  # of ab beside L, RZ:feature_learning_tests/segmentation/train_val.prototxt


@dataclass
class Subject:
    """A trunk under test.

    Attributes:
        trunk: after surgery.
        input: what it sees: `lightness`, `mean` or `colour`.
        described: where its weights come from and what was done to it, for the results.
        ab: whether it also sees ab, in two more channels.
    """

    trunk: Trunk
    input: str
    described: dict[str, Any]
    ab: bool = False

    def look(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 RGB to what the trunk sees, (B, C, H, W) in [0, 100]; ab around the trunk's mean."""
        return _seen(pixels, self.input, self.trunk, self.ab)

    @property
    def seen(self) -> str:
        """In a word what it sees, for files of its weights: `input`, and whether it also sees ab."""
        return self.input + _AB * self.ab


def _seen(pixels: Tensor, input: str, trunk: Trunk, with_ab: bool) -> Tensor:
    seen = look(pixels, input)
    if not with_ab:
        return seen
    ab: Tensor = rgb_to_lab(pixels.float() / 255)[:, 1:]
    return torch.cat([seen, trunk.mean + AB_SCALE * ab], dim=1)  # the trunk subtracts its mean from all channels


def open_subject(
    weights: str, trunk: str, surgery: Surgery, pictures: Callable[[], Tensor], device: torch.device, seed: int
) -> Subject:
    """Read a trunk's weights and operate on it.

    Args:
        weights: `random`; `unit_variance` or `kmeans`, by data (see `tintype.networks.init`); a run, weights or bundle
            of tintype's; `bundled`; published weights (see `load_published`); `package:NAME/FILE`; a name
            on the Hugging Face Hub (see `tintype.runtime.hub`).
        trunk: its name, where the weights do not say; `weights` where they do.
        surgery: what is changed.
        pictures: some photographs of the training set, (B, 3, H, W) uint8, for whatever follows from data.
        device: to compute on meanwhile.
        seed: of random weights.

    Raises:
        RecipeError: weights and trunk do not go together, or surgery is not possible on it; in one line.
    """
    torch.manual_seed(seed)
    try:
        body, word, about = _read(weights, trunk)
        if surgery.end_at != "none":
            if surgery.end_at not in body.strides:
                raise ValueError(f"key 'surgery.end_at' is {surgery.end_at}; this trunk has {', '.join(body.strides)}")
            body.end_at(surgery.end_at)
        input, ab = word.removesuffix(_AB), word.endswith(_AB)
        if ab and surgery.input not in ("same", "lab"):
            raise ValueError(f"key 'surgery.input' is {surgery.input}; these weights see ab already, leave it at same")
        _change_input(body, input, surgery.input)
        seen = input if surgery.input in ("same", "lab") else surgery.input

        def shown() -> Tensor:
            return _seen(pictures().to(device), seen, body, ab)

        if surgery.padding == "classifier":
            pad_as_classifier(body)
        body.to(device)
        if weights in UNTRAINED and weights != "random":
            try:
                initialize(body, shown(), kmeans=weights == "kmeans")
            except ValueError as error:
                raise RecipeError(f"--weights is {weights}: {error}") from error
        if surgery.batch_norm == "folded":
            about["folded"] = len(fold_batch_norm(body, shown()[:2]))
        if surgery.rebalance:
            about["rebalanced"] = rebalance(body, shown())
        if surgery.input == "lab" and not ab:
            _add_ab(body)
        ab = ab or surgery.input == "lab"
        if surgery.freeze_below == "all":
            body.freeze_parts(body.children())
        elif surgery.freeze_below != "none":
            body.freeze(surgery.freeze_below)
        if surgery.batch_norm == "frozen":
            body.fix_statistics(trained=False)
    except ValueError as error:
        raise error if isinstance(error, RecipeError) else RecipeError(str(error)) from error
    subject = Subject(body, seen, {**about, "surgery": asdict(surgery)}, ab)
    subject.described["input"] = subject.seen
    return subject


def _read(weights: str, trunk: str) -> tuple[Trunk, str, dict[str, Any]]:
    """A trunk, what it sees, and where it comes from."""
    if weights in UNTRAINED:
        if trunk == "weights":
            raise RecipeError(f"--weights is {weights}; say of which trunk: --set trunk=NAME")
        return build_trunk(trunk), "mean", {"weights": weights, "trunk": trunk}
    path = Path(weights)
    if not path.exists():
        found = file_of(weights, "weights", "transfer")
        if found is None:
            raise RecipeError(f"--weights is {weights}; untrained ones are {', '.join(UNTRAINED)}")
        path = found
    file = weights_of(path)
    about = {"weights": weights, "sha256": sha256_of(file) if file.is_file() else ""}
    if path.is_dir() or path.suffix == ".onnx" or (path.suffix == ".safetensors" and is_ours(path)):
        body, metadata = trained_trunk(path)
        if trunk not in ("weights", metadata["trunk"]):
            raise RecipeError(f"key 'trunk' is {trunk}, but {weights} holds {metadata['trunk']}")
        told = ("trunk", "objective", "head", "recipe", "data", "steps")
        return body, metadata.get("input", "lightness"), about | {key: metadata.get(key) for key in told}
    if trunk == "weights":
        raise RecipeError(f"{weights} does not say which trunk it holds: --set trunk=NAME")
    body = build_trunk(trunk, 3, path) if trunk.startswith("timm:") else build_trunk(trunk)
    if not isinstance(body, TimmTrunk):
        load_published(body, nn.Module(), path)
    seen = "colour" if isinstance(body, TimmTrunk) else "lightness" if trunk == "zhang16" else "mean"
    return body, seen, about | {"trunk": trunk}


def _change_input(trunk: Trunk, now: str, wanted: str) -> None:
    """Make the first layer see colour instead of grey, or the other way round, in place."""
    if wanted not in ("same", "lab") and (wanted == "colour") != (now == "colour"):
        (take_rgb if wanted == "colour" else take_grey)(trunk)


def _add_ab(trunk: Trunk) -> None:
    if trunk.in_chans != 1:
        raise ValueError("key 'surgery.input' is lab, which is for a trunk that sees grey; this one sees colour")
    add_ab(trunk)


def pad_as_classifier(trunk: Trunk) -> None:
    """Pad a trunk as its classifier is padded, in place: fc6 sees exactly one window of a 227 or 224 pixel picture.

    AlexNet: conv1 and the poolings unpadded, pool5 at stride 2, fc6 neither padded nor dilated, dropout of fc6 and fc7.
    Poolings keep a last, partial window, as Caffe's do. VGG-16: fc6 unpadded.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(trunk, AlexNet):
        conv1: Any = trunk.conv1.get_submodule("conv")
        conv1.padding = (0, 0)
        for pool in (trunk.pool1, trunk.pool2, trunk.pool5):
            pool.padding, pool.stride, pool.ceil_mode = 0, 2, True
        for fc in (trunk.fc6, trunk.fc7):
            if isinstance(fc, nn.Sequential):  # not cut off
                fc.add_module("dropout", nn.Dropout(0.5))
        trunk.crop = nn.Identity()
        trunk.example = 227
    elif not isinstance(trunk, VGG16):
        raise ValueError("key 'surgery.padding' is classifier, which is for alexnet and vgg16")
    if "fc6" in trunk.strides:
        fc6: Any = trunk.fc6.get_submodule("conv")
        fc6.padding, fc6.dilation = (0, 0), (1, 1)
    trunk.measure()
