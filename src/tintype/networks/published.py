"""Weights as others publish and load them: torchvision's and timm's classifiers, Zhang16's and Larsson17's colorizers.

One table of names for each trunk serves both ways: reading a published file into a trunk, and writing a trunk out so
that others load it without tintype.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import timm
import torch
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from tintype.networks.alexnet import AlexNet
from tintype.networks.caffe import layer, read_caffe
from tintype.networks.foreign import read_state_dict
from tintype.networks.resnet import ResNet
from tintype.networks.surgery import absorb_scale_and_shift, grey_first_layer, rgb_first_layer
from tintype.networks.timm_trunk import TimmTrunk
from tintype.networks.trunk import Trunk
from tintype.networks.vgg16 import VGG16
from tintype.networks.zhang16 import Zhang16

State = dict[str, Tensor]

_IMAGENET_STD = 100 * (0.229 + 0.224 + 0.225) / 3  # of what classifiers are fed, on the scale of L
_EPS = 1e-5  # of every batch-norm here


def load_published(trunk: Trunk, head: nn.Module, path: Path) -> None:
    """Start a trunk, and its head where the file has one like it, from published weights, in place.

    ResNets and VGG-16 take torchvision's and timm's classifiers: colour filters are summed for grey input and scaled
    to the trunk's input, the last layer is left out. A VGG-16 with batch-norm in the file is folded for `vgg16`; for
    `vgg16_bn`, whose batch-norms have no scale and shift, these go into the running statistics, and batch-norms that
    the file lacks start as identities: evaluated, the trunk gives what the file's network gives.
    `zhang16` takes both released PyTorch colorizers: of colorization_release_v2 the trunk and, with head `dense`, the
    head; of siggraph17 the trunk, without its inputs for hints.
    `alexnet_lrn`, `vgg16`, `resnet152` and their relatives take Larsson17's released .caffemodel.h5. That ResNet
    strides in the first convolution of a block where ours, torchvision's, does in the second.

    Raises:
        ValueError: the file cannot be read, or holds other weights; in one line.
    """
    given = read_caffe(path) if path.suffix == ".h5" else read_state_dict(path)
    network = nn.ModuleDict({"trunk": trunk, "head": head})
    try:
        if path.suffix == ".h5":
            state = _from_caffe(given, trunk)
        elif isinstance(trunk, Zhang16):
            state = _from_colorizer(given, network.state_dict())
        elif isinstance(trunk, ResNet):
            state = {f"trunk.body.{k}": v for k, v in given.items() if not k.startswith("fc.")}
            _first(state, "trunk.body.conv1.weight", trunk)
        elif isinstance(trunk, VGG16):
            state = _from_vgg(given, trunk)
        else:
            raise ValueError("nobody publishes any for it but as .caffemodel.h5")
        expected = {k: v for k, v in network.state_dict().items() if k.startswith("trunk.") or k in state}
        for key, value in expected.items():
            if key.endswith("num_batches_tracked"):
                state[key] = value
            elif key not in state or state[key].shape != value.shape:
                raise ValueError(f"{key} is missing or differs")
        surplus = next((key for key in state if key not in expected), None)
        if surplus is not None:
            raise ValueError(f"it has no {surplus}")
        if not all(value.isfinite().all() for value in state.values()):
            raise ValueError("they hold numbers that are not finite")
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path}: these are not weights for this trunk ({str(error).strip(chr(39))})") from error
    network.load_state_dict(state, strict=False)


def plain_trunk(trunk: Trunk, rgb: bool = False) -> tuple[State, str]:
    """A trained trunk's tensors under the names of torchvision or timm, or of eccv16.py for Zhang16's.

    Its input is (x - mean) / std of the trunk's own mean and std, x in [0, 100]: one channel, or three. Only eccv16.py,
    which normalizes by itself, takes L as it is.

    Args:
        trunk: evaluated as it is.
        rgb: copy the first layer's filters to three channels and divide them by 3, so that a colour picture gives the
            response of its channel mean.

    Returns:
        The state dict, and in words what loads it.
    """
    state = dict(trunk.state_dict())
    if isinstance(trunk, ResNet):
        state = {key.removeprefix("body."): value for key, value in state.items()}
        first, what = "conv1.weight", f"torchvision.models.resnet{trunk.depth} with fc = nn.Identity()"
    elif isinstance(trunk, VGG16):
        norm = "_bn" if trunk.batch_norm else ""
        state = _to_vgg(state, trunk)
        first, what = "features.0.weight", f"torchvision.models.vgg16{norm} with classifier[6] = nn.Identity()"
    elif isinstance(trunk, TimmTrunk):
        flat = {key.removeprefix("body.").replace(".", "_"): value for key, value in state.items()}
        theirs = timm.create_model(trunk.name, num_classes=0, in_chans=trunk.in_chans).state_dict()
        state = {key: flat[key.replace(".", "_")] for key in theirs if key.replace(".", "_") in flat}
        first = next(key for key, value in state.items() if value.ndim == 4)
        what = f"timm.create_model({trunk.name!r}, num_classes=0)"
        if len(state) < len(theirs):
            what += " with strict=False"
    elif isinstance(trunk, Zhang16):
        state = _to_colorizer(state)
        first, what = "model1.0.weight", "model1 to model7 of richzhang/colorization's eccv16(), with strict=False"
    else:
        assert isinstance(trunk, AlexNet)
        first, what = "conv1.conv.weight", "the layers of tintype.networks.AlexNet; torchvision has no grouped AlexNet"
    if rgb:
        state[first] = rgb_first_layer(state[first])
    return {key: value.clone() for key, value in state.items()}, what


def _first(state: State, key: str, trunk: Trunk) -> None:
    """Fit the first layer's colour filters to the trunk's input and its scale, in place."""
    if key in state and state[key].ndim == 4 and state[key].shape[1] == 3:
        filters = grey_first_layer(state[key]) if trunk.in_chans == 1 else state[key]
        state[key] = filters * (trunk.std / _IMAGENET_STD)


def _vgg_layers(features: nn.Sequential) -> list[tuple[int, int | None]]:
    """Positions of the convolutions, and of the batch-norm after each if there is one."""
    kinds = [type(layer) for layer in features]
    return [(i, i + 1 if kinds[i + 1] is nn.BatchNorm2d else None) for i, kind in enumerate(kinds) if kind is nn.Conv2d]


def _from_vgg(given: Mapping[str, Tensor], trunk: VGG16) -> State:
    """Torchvision's or timm's tensors under the names of our VGG-16."""
    norms = "features.1.running_mean" in given
    layout = make_layers(cfgs["D"], batch_norm=norms)
    state: State = {}
    for (place, _), (conv, norm) in zip(_vgg_layers(layout), _vgg_layers(trunk.features), strict=True):
        layer = {name: given[f"features.{place}.{name}"] for name in ("weight", "bias")}
        if norms:
            for name in ("weight", "bias", "running_mean", "running_var"):
                layer[f"norm.{name}"] = given[f"features.{place + 1}.{name}"]
        _put(state, f"trunk.features.{conv}", None if norm is None else f"trunk.features.{norm}", layer)
    names = (
        ("pre_logits.fc1", "pre_logits.fc2") if "pre_logits.fc1.weight" in given else ("classifier.0", "classifier.3")
    )
    for name, source, side in zip(("fc6", "fc7"), names, (7, 1), strict=True):
        weight = given[f"{source}.weight"].reshape(4096, -1, side, side)
        after = f"trunk.{name}.norm" if trunk.batch_norm else None
        _put(state, f"trunk.{name}.conv", after, {"weight": weight, "bias": given[f"{source}.bias"]})
    _first(state, "trunk.features.0.weight", trunk)
    return state


def _from_caffe(given: Mapping[str, Tensor], trunk: Trunk) -> State:
    """Larsson17's tensors under the names of our trunks."""
    state: State = {}
    if isinstance(trunk, ResNet):
        for conv, norm, name in _resnet_layers(trunk):
            tensors = layer(given, conv if conv == "conv1" else f"res{name}", f"bn{name}", f"scale{name}")
            state[f"trunk.body.{conv}.weight"] = tensors.pop("weight")
            state |= {f"trunk.body.{norm}.{key.removeprefix('norm.')}": value for key, value in tensors.items()}
    elif isinstance(trunk, VGG16 | AlexNet):
        if isinstance(trunk, VGG16):
            names = [name for name in trunk.strides if name.startswith("conv")]
            places = [(f"features.{conv}", f"features.{norm}") for conv, norm in _vgg_layers(trunk.features)]
            layers = dict(zip(names, places, strict=True))
        else:
            layers = {f"conv{n}": (f"conv{n}.conv", f"conv{n}.norm") for n in range(1, 6)}
        layers |= {name: (f"{name}.conv", f"{name}.norm") for name in ("fc6", "fc7")}
        for name, (conv, norm) in layers.items():
            tensors = layer(given, name, f"batch_{name}")
            own = trunk.get_parameter(f"{conv}.weight")
            tensors["weight"] = tensors["weight"].reshape(own.shape)  # of fc6 and fc7 from matrices
            _put(state, f"trunk.{conv}", f"trunk.{norm}" if trunk.batch_norm else None, tensors)
    else:
        raise ValueError("Larsson17 released none for it")
    return state


def _resnet_layers(trunk: ResNet) -> Iterator[tuple[str, str, str]]:
    """Of torchvision's bottleneck ResNets: each convolution, its batch-norm, and what Caffe's names have in common."""
    yield "conv1", "bn1", "_conv1"
    for block, layers in trunk.steps[1:]:
        place, name = layers[-1].removeprefix("body."), block.removeprefix("res")
        for number, letter in enumerate("abc", 1):
            yield f"{place}.conv{number}", f"{place}.bn{number}", f"{name}_branch2{letter}"
        if name.endswith("a"):
            yield f"{place}.downsample.0", f"{place}.downsample.1", f"{name}_branch1"


def _put(state: State, conv: str, norm: str | None, layer: State) -> None:
    """Put a layer with or without batch-norm into a trunk with or without."""
    has_norm = "norm.weight" in layer
    if norm is None and has_norm:
        scale = layer["norm.weight"] / (layer["norm.running_var"] + _EPS).sqrt()
        layer["weight"] = layer["weight"] * scale[:, None, None, None]
        layer["bias"] = (layer["bias"] - layer["norm.running_mean"]) * scale + layer["norm.bias"]
    elif norm is not None:
        if has_norm:
            absorb_scale_and_shift(layer, "norm", _EPS)
        else:
            layer["norm.running_mean"] = torch.zeros_like(layer["bias"])
            layer["norm.running_var"] = torch.ones_like(layer["bias"]) - _EPS
        state[f"{norm}.running_mean"] = layer["norm.running_mean"]
        state[f"{norm}.running_var"] = layer["norm.running_var"]
    state[f"{conv}.weight"], state[f"{conv}.bias"] = layer["weight"], layer["bias"]


def _to_vgg(state: State, trunk: VGG16) -> State:
    """Our VGG-16 as torchvision's. Batch-norms of fc6 and fc7, which it does not have, are folded."""
    plain: State = {}
    for conv, norm in _vgg_layers(trunk.features):
        for name in ("weight", "bias"):
            plain[f"features.{conv}.{name}"] = state[f"features.{conv}.{name}"]
        if norm is not None:
            mean = state[f"features.{norm}.running_mean"]
            plain[f"features.{norm}.weight"], plain[f"features.{norm}.bias"] = (
                torch.ones_like(mean),
                torch.zeros_like(mean),
            )
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                plain[f"features.{norm}.{name}"] = state[f"features.{norm}.{name}"]
    for theirs, name in (("classifier.0", "fc6"), ("classifier.3", "fc7")):
        if f"{name}.conv.weight" not in state:
            break  # a head that reads lower layers only has done without
        weight, bias = state[f"{name}.conv.weight"].flatten(1), state[f"{name}.conv.bias"]
        if f"{name}.norm.running_var" in state:  # not folded yet
            scale = (state[f"{name}.norm.running_var"] + _EPS).rsqrt()
            weight, bias = weight * scale[:, None], (bias - state[f"{name}.norm.running_mean"]) * scale
        plain[f"{theirs}.weight"], plain[f"{theirs}.bias"] = weight, bias
    return plain


def _from_colorizer(given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> State:
    """colorization_release_v2 or siggraph17 under our names. Both see (L - 50) / 100, our trunk L - 50."""
    if "model1.0.weight" not in given:
        raise ValueError("model1.0.weight is missing")
    state: State = {}
    for key, value in given.items():
        block, _, rest = key.partition(".")
        number = block.removeprefix("model")
        if number in set("1234567"):
            state[f"trunk.conv{number}.{rest}"] = value
    first = "trunk.conv1.0.weight"
    state[first] = state[first][:, :1] / 100
    for name in [key.removesuffix(".running_mean") for key in state if key.endswith("running_mean")]:
        absorb_scale_and_shift(state, name, _EPS)
    if "model8.6.weight" in given and "head.conv8.0.weight" in own:
        for key, value in given.items():
            if key.startswith("model8."):
                ours = key.replace("model8.6.", "head.predict.").replace("model8.", "head.conv8.")
                if not ours.startswith("head.predict.") or value.shape == own[ours].shape:
                    state[ours] = value  # the last layer of another objective keeps its random start
    return state


def _to_colorizer(state: State) -> State:
    """Our Zhang16 trunk as that of eccv16.py, whose batch-norms have a scale and shift."""
    plain: State = {}
    for key, value in state.items():
        name = f"model{key.removeprefix('conv')}"
        plain[name] = value * 100 if key == "conv1.0.weight" else value
        if key.endswith("running_mean"):
            norm = name.removesuffix("running_mean")
            plain[f"{norm}weight"], plain[f"{norm}bias"] = torch.ones_like(value), torch.zeros_like(value)
    return plain
