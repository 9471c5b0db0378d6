"""Weights of Caffe in HDF5, as Larsson17's networks were released (PAPERS C3): NAME.caffemodel.h5.

A file holds `data/LAYER/0` (weights) and `data/LAYER/1` (bias). The batch-norm after layer NAME of AlexNet and VGG-16
is `batch_NAME`: 0 and 1 are sums of means and variances, 2 by how much they are to be divided. ResNet-152 has `bnX_Y`
likewise after `resX_Y`, and `scaleX_Y` with a scale (0) and shift (1).
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

State = dict[str, Tensor]


def read_caffe(path: Path) -> State:
    """The tensors of a .caffemodel.h5, as `LAYER.NUMBER`.

    Raises:
        ValueError: the file is missing, is no such file, or reading it wants a package that is not there.
    """
    try:
        import h5py
    except ImportError as error:
        raise ValueError(f"{path}: HDF5 files want another package: pip install h5py") from error
    tensors: State = {}

    def note(name: str, found: object) -> None:
        if isinstance(found, h5py.Dataset):
            tensors[name.replace("/", ".")] = torch.from_numpy(found[...]).float()

    try:
        with h5py.File(path) as file:
            file["data"].visititems(note)
    except (OSError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: cannot be read as weights of Caffe in HDF5") from error
    return tensors


def layer(given: Mapping[str, Tensor], name: str, norm: str, scale: str | None = None) -> State:
    """A convolution and the batch-norm after it, if there is one, under torch's names.

    Args:
        given: from `read_caffe`.
        name, norm, scale: of the convolution, the batch-norm, and the layer with its scale and shift.

    Returns:
        `weight` as it lies in the file, `bias` where there is one, and `norm.running_mean`, `norm.running_var`,
        `norm.weight` and `norm.bias`.

    Raises:
        KeyError: the file has no such layer.
    """
    state = {"weight": given[f"{name}.0"]}
    if f"{name}.1" in given:
        state["bias"] = given[f"{name}.1"].flatten()
    if f"{norm}.0" in given:
        count = given[f"{norm}.2"].flatten()
        state["norm.running_mean"] = given[f"{norm}.0"].flatten() / count
        state["norm.running_var"] = given[f"{norm}.1"].flatten() / count
        ones = torch.ones_like(state["norm.running_mean"])
        state["norm.weight"] = ones if scale is None else given[f"{scale}.0"].flatten()
        state["norm.bias"] = 0 * ones if scale is None else given[f"{scale}.1"].flatten()
    return state
