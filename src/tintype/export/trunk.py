"""A trained trunk as others load it."""

from pathlib import Path

import torch
from safetensors.torch import save

from tintype.export.weights import ExportError, load_trunk
from tintype.networks.published import plain_trunk
from tintype.runtime.atomic import write_atomically

SEEN = {"mean": "(R + G + B) / 3", "lightness": "L of CIE Lab / 100", "colour": "R, G and B"}


def export_trunk(source: Path, out: Path, rgb: bool = False) -> str:
    """Write a trained trunk as a plain state dict, for use without tintype.

    Args:
        source: a run's folder, or its weights.safetensors.
        out: a .safetensors, .pth or .pt file; replaced if it exists.
        rgb: copy the first layer's filters to three channels and divide them by 3.

    Returns:
        What loads it, and what its input is, in words.

    Raises:
        ExportError: the weights cannot be read or rebuilt, or `out` has another ending.
        OSError: the file cannot be written.
    """
    if out.suffix not in (".safetensors", ".pth", ".pt"):
        raise ExportError(f"{out}: a trunk is written as .safetensors, .pth or .pt")
    trunk, metadata = load_trunk(source, out)
    if rgb and trunk.in_chans != 1:
        raise ExportError(f"{source}: this trunk sees colour already")
    state, what = plain_trunk(trunk, rgb)
    if trunk.in_chans == 1 and not rgb:
        what += " and a first layer of one channel"
    state = {name: tensor.contiguous() for name, tensor in state.items()}
    seen = SEEN[metadata.get("input", "lightness")]
    mean, std = trunk.mean / 100, trunk.std / 100
    if metadata["trunk"] == "zhang16":
        mean, std = 0.5, 1.0
    words = f"{what}; input: (x - {mean:.4g}) / {std:.4g}, x = {seen} in [0, 1]"
    if out.suffix == ".safetensors":
        write_atomically(
            out, lambda file: file.write(save(state, metadata={"format": "pt", "use": words})), overwrite=True
        )
    else:
        write_atomically(out, lambda file: torch.save(state, file), overwrite=True)
    return words
