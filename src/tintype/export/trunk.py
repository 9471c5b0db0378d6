"""A trained trunk as others load it."""

import json
from pathlib import Path, PurePath
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from tintype.data import DataError, center_crops, open_photos
from tintype.export.weights import ExportError, load_trunk
from tintype.networks.init import rebalance
from tintype.networks.published import plain_trunk
from tintype.networks.surgery import fold_batch_norm
from tintype.networks.trunk import Trunk
from tintype.recipes.look import look
from tintype.runtime.atomic import write_atomically

SEEN = {"mean": "(R + G + B) / 3", "lightness": "L of CIE Lab / 100", "colour": "R, G and B"}
PHOTOGRAPHS, SIDE = 32, 224  # that layers are rescaled by, at most, and their height and width


def export_trunk(
    source: Path, out: Path, rgb: bool = False, *, fold: bool = False, unit_variance: str | None = None
) -> str:
    """Write a trained trunk as a plain state dict, for use without tintype.

    A .safetensors file also says in its metadata what loads it ("use") and what was changed ("changes", JSON: the
    names of the batch-norms, "folded"; of each convolution, what its output was multiplied by, "rescaled", and on
    which "photographs").

    Args:
        source: a run's folder, or its weights.safetensors.
        out: a .safetensors, .pth or .pt file; replaced if it exists.
        rgb: copy the first layer's filters to three channels and divide them by 3.
        fold: fold batch-norms into the convolutions before them, as Zhang16's released weights have them.
        unit_variance: photographs on which each layer's outputs are to have variance 1 (PAPERS B1: magic_init; C5).

    Returns:
        What loads it, what its input is, and what was changed, in words.

    Raises:
        ExportError: the weights cannot be read or rebuilt, or not be changed like that; `out` has another ending; or
            there are no photographs.
        OSError: the file cannot be written.
    """
    if out.suffix not in (".safetensors", ".pth", ".pt"):
        raise ExportError(f"{out}: a trunk is written as .safetensors, .pth or .pt")
    trunk, metadata = load_trunk(source, out)
    if rgb and trunk.in_chans != 1:
        raise ExportError(f"{source}: this trunk sees colour already")
    seen = metadata.get("input", "lightness")
    if seen not in SEEN:
        raise ExportError(f"{source}: this trunk sees {seen}, which no other library's does")
    changes: dict[str, Any] = {}
    try:
        if fold:
            changes["folded"] = _fold(trunk)
        if unit_variance is not None:
            pictures = _pictures(unit_variance, seen)
            changes["rescaled"] = rebalance(trunk, pictures)
            changes["photographs"] = f"{len(pictures)} of {PurePath(unit_variance).name}"
        state, what = plain_trunk(trunk, rgb)
    except DataError as error:
        raise ExportError(str(error)) from error
    except ValueError as error:
        raise ExportError(f"{source}: {error}") from error
    state = {name: tensor.contiguous() for name, tensor in state.items()}
    mean, std = trunk.mean / 100, trunk.std / 100
    if metadata["trunk"] == "zhang16":
        mean, std = 0.5, 1.0
    normalized = f"(x - {mean:.4g}) / {std:.4g}"
    if what.startswith("tintype."):
        normalized = "100 x, which it normalizes itself"
    words = f"{what}; input: {normalized}, x = {SEEN[seen]} in [0, 1]"
    if fold:
        words += "; batch-norm is folded"
    if unit_variance is not None:
        words += f"; layers have variance 1 on {changes['photographs']}"
    if out.suffix == ".safetensors":
        described = {"format": "pt", "use": words, **({"changes": json.dumps(changes)} if changes else {})}
        write_atomically(out, lambda file: file.write(save(state, metadata=described)), overwrite=True)
    else:
        write_atomically(out, lambda file: torch.save(state, file), overwrite=True)
    return words


def _fold(trunk: Trunk) -> list[str]:
    folded = fold_batch_norm(trunk, torch.full((1, trunk.in_chans, 64, 64), 50.0))
    if any(isinstance(layer, _BatchNorm) for layer in trunk.modules()):
        raise ValueError("it has batch-norms that do not follow a convolution, and cannot be folded")
    if not folded:
        raise ValueError("it has no batch-norms to fold")
    return folded


def _pictures(photographs: str, seen: str) -> Tensor:
    """The first photographs as the trunk sees them, (B, C, 224, 224) in [0, 100]."""
    crops = center_crops(open_photos([photographs]), batch_size=PHOTOGRAPHS, crop=SIDE, count=PHOTOGRAPHS)
    rgb = torch.cat(list(crops))
    if not len(rgb):
        raise DataError(f"{photographs}: none of the first photographs can be read")
    return look(rgb, seen)
