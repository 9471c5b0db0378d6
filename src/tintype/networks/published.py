"""Weights as others publish and load them: torchvision's and timm's classifiers, Zhang16's and Larsson17's colorizers.

One table of names for each trunk serves both ways: reading a published file into a trunk, and writing a trunk out so
that others load it without tintype.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import timm
import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.vgg import cfgs, make_layers

from tintype.networks.alexnet import AlexNet
from tintype.networks.caffe import layer, read_caffe
from tintype.networks.foreign import read_state_dict
from tintype.networks.resnet import ResNet
from tintype.networks.surgery import absorb_scale_and_shift, grey_first_layer, rgb_first_layer
from tintype.networks.timm_trunk import TimmTrunk, flat_name
from tintype.networks.trunk import Trunk
from tintype.networks.vgg16 import VGG16
from tintype.networks.zhang16 import Zhang16

State = dict[str, Tensor]

_IMAGENET_STD = 100 * (0.229 + 0.224 + 0.225) / 3  # of what classifiers are fed, on the scale of L
_LARSSON_STD = 100.0  # of what Larsson17's networks are fed, likewise
_EPS = 1e-5  # of every batch-norm here


def load_published(trunk: Trunk, head: nn.Module, path: Path) -> None:
    """Start a trunk, and its head where the file has one like it, from published weights, in place.

    ResNets and VGG-16 take torchvision's and timm's classifiers: colour filters are summed for grey input and scaled
    to the trunk's input, the last layer is left out. A VGG-16 with batch-norm in the file is folded for `vgg16`; for
    `vgg16_bn`, whose batch-norms have no scale and shift, these go into the running statistics, and batch-norms that
    the file lacks start as identities: evaluated, the trunk gives what the file's network gives.
    `zhang16` takes both released PyTorch colorizers: of colorization_release_v2 the trunk and, with head `dense`, the
    head; of siggraph17 the trunk, without its inputs for hints.
    `alexnet_lrn`, `vgg16`, `resnet152` and their relatives take Larsson17's released .caffemodel.h5, their first
    filters scaled to the trunk's input and, for colour input, copied to three channels and divided by 3. That ResNet
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
    except (ValueError, KeyError, RuntimeError) as error:
        raise ValueError(f"{path}: these are not weights for this trunk ({str(error).strip(chr(39))})") from error
    network.load_state_dict(state, strict=False)


def plain_trunk(trunk: Trunk, rgb: bool = False) -> tuple[State, str]:
    """A trained trunk's tensors under the names of torchvision or timm, or of eccv16.py for Zhang16's.

    Its input is (x - mean) / std of the trunk's own mean and std, x in [0, 100]: one channel, or three. Only eccv16.py
    and AlexNet, which is tintype's own, normalize by themselves and take x as it is.

    Args:
        trunk: evaluated as it is.
        rgb: copy the first layer's filters to three channels and divide them by 3, so that a colour picture gives the
            response of its channel mean.

    Returns:
        The state dict, and in words what loads it: where that has more layers than the trunk, with strict=False.

    Raises:
        ValueError: the batch-norms were folded, and what loads it has it with batch-norm only; or it is a trunk with
            fewer filters, which nobody else has.
    """
    if isinstance(trunk, ResNet | VGG16 | Zhang16) and trunk.divide > 1:
        raise ValueError("nobody else has this trunk with fewer filters")
    state, last = dict(trunk.state_dict()), list(trunk.strides)[-1]
    grey = "" if rgb or trunk.in_chans == 3 else " and a first layer of one channel"
    if isinstance(trunk, Zhang16):
        state = _to_colorizer(state)
        first = "model1.0.weight"
        what = f"model1 to model{last[-1]} of richzhang/colorization's eccv16(){grey}, loaded with strict=False"
    else:
        state, theirs, first, what = _layout(trunk, state, 3 if rgb else trunk.in_chans)
        if not state.keys() <= theirs:
            raise ValueError(f"{what.split(' ')[0]} is there with batch-norm only")
        if len(state) < len(theirs):
            what += f", loaded with strict=False: the file ends at {last}"
    if rgb:
        state[first] = rgb_first_layer(state[first])
    return {key: value.clone() for key, value in state.items()}, what


def _layout(trunk: Trunk, state: State, channels: int) -> tuple[State, set[str], str, str]:
    """A trunk's tensors as another library's model has them.

    Returns:
        The tensors, the names of all that the model has, the name of the first filters, and the model in words.
    """
    grey = " and a first layer of one channel" if channels == 1 else ""
    if isinstance(trunk, ResNet):
        state = {key.removeprefix("body."): value for key, value in state.items()}
        name = f"resnet{trunk.depth}"
        model = _without_memory(getattr(torchvision.models, name))
        theirs = {key for key in model.state_dict() if not key.startswith("fc.")}
        return state, theirs, "conv1.weight", f"torchvision.models.{name} with fc = nn.Identity(){grey}"
    if isinstance(trunk, VGG16):
        name = "vgg16_bn" if any(isinstance(layer, nn.BatchNorm2d) for layer in trunk.features) else "vgg16"
        model = _without_memory(getattr(torchvision.models, name))
        theirs = {key for key in model.state_dict() if not key.startswith("classifier.6.")}
        what = f"torchvision.models.{name} with classifier[6] = nn.Identity(){grey}"
        return _to_vgg(state, trunk), theirs, "features.0.weight", what
    if isinstance(trunk, TimmTrunk):
        model = timm.create_model(trunk.name, num_classes=0, in_chans=trunk.in_chans)
        names = {flat_name(key): key for key in model.state_dict()}
        flat = {flat_name(key.removeprefix("body.")): value for key, value in state.items()}
        state = {names.get(key, key): value for key, value in flat.items()}
        first = next(key for key, value in state.items() if value.ndim == 4 and value.shape[1] == trunk.in_chans)
        what = f"timm.create_model({trunk.name!r}, num_classes=0{', in_chans=1' if channels == 1 else ''})"
        return state, set(names.values()), first, what
    assert isinstance(trunk, AlexNet)
    name = trunk.variant + ("_bn" if any(isinstance(layer, nn.BatchNorm2d) for layer in trunk.modules()) else "")
    norms = name.endswith("_bn")
    model = _without_memory(lambda: AlexNet(batch_norm=norms))
    what = f"tintype.networks.build_trunk({name!r}, {channels})"  # torchvision has no grouped AlexNet
    return state, set(model.state_dict()), "conv1.conv.weight", what


def _without_memory(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make()


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
            if "bias" in tensors and "norm.running_mean" in tensors:  # ours have none: it comes off the mean
                tensors["norm.running_mean"] = tensors["norm.running_mean"] - tensors.pop("bias")
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
            if name.startswith("fc"):  # matrices
                tensors["weight"] = tensors["weight"].reshape(trunk.get_parameter(f"{conv}.weight").shape)
            _put(state, f"trunk.{conv}", f"trunk.{norm}" if trunk.batch_norm else None, tensors)
    else:
        raise ValueError("Larsson17 released none for it")
    first = next(iter(state))
    filters = state[first] * (trunk.std / _LARSSON_STD)
    state[first] = rgb_first_layer(filters) if trunk.in_chans == 3 else filters
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
    own = _vgg_layers(trunk.features)
    layout = _without_memory(lambda: make_layers(cfgs["D"], batch_norm=own[0][1] is not None))
    assert isinstance(layout, nn.Sequential)
    for (conv, norm), (place, _) in zip(own, _vgg_layers(layout), strict=False):  # it may have been cut
        for name in ("weight", "bias"):
            plain[f"features.{place}.{name}"] = state[f"features.{conv}.{name}"]
        if norm is not None:
            mean = state[f"features.{norm}.running_mean"]
            plain[f"features.{place + 1}.weight"] = torch.ones_like(mean)
            plain[f"features.{place + 1}.bias"] = torch.zeros_like(mean)
            for name in ("running_mean", "running_var", "num_batches_tracked"):
                plain[f"features.{place + 1}.{name}"] = state[f"features.{norm}.{name}"]
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
