"""timm's backbones as trunks: `timm:NAME`."""

from collections import Counter
from pathlib import Path
from typing import Any

import timm
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.networks.foreign import read_state_dict, renamed
from tintype.networks.geometry import shapes, unused_parameters
from tintype.networks.surgery import grey_first_layer
from tintype.networks.trunk import Trunk


class SamePadConv2d(nn.Conv2d):
    """TensorFlow's SAME padding for inputs that the stride divides, where it is a constant.

    timm works it out from the input's size at every call, which an exported graph would carry along.
    """

    def forward(self, x: Tensor) -> Tensor:
        (kh, kw), (sh, sw) = self.kernel_size, self.stride
        h, w = max(kh - sh, 0), max(kw - sw, 0)
        padded = F.pad(x, (w // 2, w - w // 2, h // 2, h - h // 2))
        return F.conv2d(padded, self.weight, self.bias, self.stride, groups=self.groups)


# Arguments by which timm's transformers take pictures of other sizes than they were made for: Swin's, then ViT's.
_ANY_SIZE: tuple[dict[str, Any], ...] = ({"strict_img_size": False}, {"dynamic_img_size": True}, {})
_UP_TO_THEIR_SIZE = ("mvitv2",)  # their tables of relative positions end there, which shows in numbers only


def check_known(name: str) -> None:
    """Raises ValueError where timm has no model of that name."""
    if name not in timm.list_models():
        close = timm.list_models(f"*{name.split('_')[0]}*")[:5]
        raise ValueError(f"timm has no model {name!r}" + (f"; it has {', '.join(close)} …" if close else ""))


class TimmTrunk(Trunk):
    """A timm backbone with `features_only`, its feature maps named by stride.

    Input: L, (B, 1, H, W) in [0, 100], H and W multiples of the largest stride.
    L / 100 stands in for the grey value that the backbone's own mean and deviation are meant for.
    Output: {"stride2": ..., "stride4": ..., ...}, (B, C, H/stride, W/stride), as many as the backbone has. Where maps
    have the same stride, as a ViT's all have, they are "stride16_1", "stride16_2" and so on, upwards.

    Args:
        name: timm's model name.
        in_chans: 1 for lightness.
        pretrained: a file with the weights of timm's classifier of that name (.safetensors, or .pth holding tensors
            only). Its colour filters are summed to one for grey input, its classifier is left out. Files that keep the
            tensors in timm's order under other names (EfficientNet-PyTorch's) are read too.

    Raises:
        ValueError: timm has no such model, or it cannot give feature maps, or not of pictures of any size, or the
            weights do not fit.
    """

    def __init__(self, name: str, in_chans: int = 1, pretrained: Path | None = None):
        super().__init__(in_chans)
        check_known(name)
        self.name = name
        self.body = self._create()
        if pretrained is not None:
            self.body.load_state_dict(_classifier_weights(name, in_chans, pretrained, self.body.state_dict()))
        _fix_same_padding(self.body)
        config = timm.get_pretrained_cfg(name) or timm.models.PretrainedCfg()
        self.mean = 100 * sum(config.mean) / 3
        self.std = 100 * sum(config.std) / 3
        info: Any = self.body.feature_info
        names = _names(info.reduction())
        self.strides = dict(zip(names, info.reduction(), strict=True))
        self.channels = dict(zip(names, info.channels(), strict=True))
        self.multiple = max(info.reduction())
        self._check_sizes()

    def end_at(self, last: str) -> None:
        names = list(self.strides)
        if last == names[-1]:
            return
        keep = names[: names.index(last) + 1]
        info: Any = self.body.feature_info
        body = self._create(out_indices=tuple(info.out_indices[: len(keep)]))
        _fix_same_padding(body)
        _move_layers(self.body, body)
        self.body = body
        self.strides = {name: self.strides[name] for name in keep}
        self.channels = {name: self.channels[name] for name in keep}
        for name in unused_parameters(self, keep, self.in_chans):  # some feature extractors keep all layers
            self.get_parameter(name).requires_grad_(False)

    def freeze(self, below: str) -> None:
        if below not in self.strides:
            raise ValueError(f"this trunk has no feature map {below!r}; it has {', '.join(self.strides)}")
        info: Any = self.body.feature_info
        last = flat_name(info.module_name()[list(self.strides).index(below)])
        modules = dict(self.body.named_modules())
        top = next((name for name in modules if flat_name(name) == last), None)
        if top is None:
            raise ValueError(f"cannot tell which layers of this trunk make {below}")
        parts: list[nn.Module] = []
        for name, module in modules.items():  # in the order of the computation
            if name == top:
                self.freeze_parts([*parts, module])
                return
            if not name or top.startswith(f"{name}."):  # it holds later layers too, but its own come first
                for parameter in module.parameters(recurse=False):
                    parameter.requires_grad_(False)
            elif [*module.parameters(recurse=False), *module.buffers(recurse=False)]:
                parts.append(module)

    def forward(self, lightness: Tensor) -> dict[str, Tensor]:
        maps = self.body(self.normalize(lightness))
        if getattr(self.body, "output_fmt", None) == "NHWC":
            maps = [x.permute(0, 3, 1, 2) for x in maps]
        return dict(zip(self.strides, maps, strict=True))

    def _create(self, **options: Any) -> nn.Module:
        """The backbone, for pictures of any size where timm offers that."""
        for flexible in _ANY_SIZE:
            try:
                body: nn.Module = timm.create_model(
                    self.name, features_only=True, in_chans=self.in_chans, **flexible, **options
                )
            except (RuntimeError, AttributeError, AssertionError, TypeError) as error:
                if flexible and isinstance(error, TypeError):
                    continue  # it knows no such argument
                raise ValueError(f"timm model {self.name!r} cannot give feature maps: {error}") from error
            break
        return body

    def _check_sizes(self) -> None:
        """Try a picture of a size that no model is made for."""
        refusal = f"timm model {self.name!r} does not take pictures of any size"
        if self.name.startswith(_UP_TO_THEIR_SIZE):
            raise ValueError(refusal)
        try:
            found = shapes(self, self.in_chans, (3 * self.multiple, 5 * self.multiple))
        except (RuntimeError, AssertionError, ValueError, IndexError) as error:
            raise ValueError(refusal) from error
        for name, shape in found.items():
            stride = self.strides[name]
            tall, wide = 3 * self.multiple // stride, 5 * self.multiple // stride
            # some pad no pictures, and lose cells at the edges
            if shape[:2] != (1, self.channels[name]) or not 0 <= tall - shape[2] <= 3 or not 0 <= wide - shape[3] <= 3:
                raise ValueError(f"timm model {self.name!r} gives no feature maps in rows and columns")


def _names(strides: list[int]) -> list[str]:
    """stride4, stride8, …, numbered upwards where several are equal."""
    counts, seen = Counter(strides), Counter[int]()
    names = []
    for stride in strides:
        seen[stride] += 1
        names.append(f"stride{stride}_{seen[stride]}" if counts[stride] > 1 else f"stride{stride}")
    return names


def flat_name(name: str) -> str:
    """A layer's name, alike in classifiers and feature extractors, which flatten stages.0 or put all into a `model`."""
    return name.removeprefix("model.").replace(".", "_")


def _move_layers(source: nn.Module, target: nn.Module) -> None:
    """Put the layers of a backbone into one that has fewer of them: the very same, frozen or folded as they are."""
    target._parameters.update({name: source._parameters[name] for name in target._parameters})
    target._buffers.update({name: source._buffers[name] for name in target._buffers})
    for name, child in target.named_children():
        layer = source.get_submodule(name)
        if type(child) is type(layer) and _names_in(child) != _names_in(layer):
            _move_layers(layer, child)
        else:
            target.add_module(name, layer)


def _names_in(module: nn.Module) -> list[str]:
    return [name for name, _ in module.named_modules()]


def _fix_same_padding(module: nn.Module) -> None:
    for name, child in module.named_children():
        if type(child).__name__ == "Conv2dSame":
            assert isinstance(child, nn.Conv2d)
            setattr(module, name, _same_padded(child))
        else:
            _fix_same_padding(child)


def _same_padded(conv: nn.Conv2d) -> nn.Conv2d:
    totals = [max(kernel - stride, 0) for kernel, stride in zip(conv.kernel_size, conv.stride, strict=True)]
    symmetric = all(total % 2 == 0 for total in totals)
    fixed = (nn.Conv2d if symmetric else SamePadConv2d)(
        conv.in_channels,
        conv.out_channels,
        conv.kernel_size,  # type: ignore[arg-type]
        conv.stride,  # type: ignore[arg-type]
        padding=(totals[0] // 2, totals[1] // 2) if symmetric else 0,
        groups=conv.groups,
        bias=conv.bias is not None,
    )
    fixed.load_state_dict(conv.state_dict())
    return fixed


def _classifier_weights(name: str, in_chans: int, path: Path, body: dict[str, Tensor]) -> dict[str, Tensor]:
    """The classifier's tensors under the feature extractor's names."""
    given = renamed(read_state_dict(path), timm.create_model(name).state_dict())
    flat = {flat_name(key): value for key, value in given.items()}
    weights = {}
    for key, expected in body.items():
        value = flat.get(flat_name(key))
        if value is not None and in_chans == 1 and value.ndim == 4 and value.shape[1] == 3 != expected.shape[1]:
            value = grey_first_layer(value)
        if value is None or value.shape != expected.shape:
            raise ValueError(f"{path}: these are not the weights of timm's {name} ({key} is missing or differs)")
        weights[key] = value
    return weights
