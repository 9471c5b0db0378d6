"""Any timm backbone as a trunk: `timm:NAME`."""

from pathlib import Path

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.networks.surgery import grey_first_layer


class SamePadConv2d(nn.Conv2d):
    """TensorFlow's SAME padding for inputs that the stride divides, where it is a constant.

    timm works it out from the input's size at every call, which an exported graph would carry along.
    """

    def forward(self, x: Tensor) -> Tensor:
        (kh, kw), (sh, sw) = self.kernel_size, self.stride
        h, w = max(kh - sh, 0), max(kw - sw, 0)
        return self._conv_forward(F.pad(x, (w // 2, w - w // 2, h // 2, h - h // 2)), self.weight, self.bias)


class TimmTrunk(nn.Module):
    """A timm backbone with `features_only`, its feature maps named by stride.

    Input: L, (B, 1, H, W) in [0, 100], H and W multiples of the largest stride.
    Output: {"stride2": ..., "stride4": ..., ...}, as many as the backbone has.

    Args:
        name: timm's model name.
        in_chans: 1 for lightness.
        pretrained: a file with the weights of timm's classifier of that name (.safetensors, or .pth holding tensors
            only). Its colour filters are summed to one for grey input, its classifier is left out. Files that keep the
            tensors in timm's order under other names (EfficientNet-PyTorch's) are read too.

    Raises:
        ValueError: timm has no such model, or it cannot give feature maps, or the weights do not fit.
    """

    def __init__(self, name: str, in_chans: int = 1, pretrained: Path | None = None):
        super().__init__()
        if name not in timm.list_models():
            close = timm.list_models(f"*{name.split('_')[0]}*")[:5]
            raise ValueError(f"timm has no model {name!r}" + (f"; it has {', '.join(close)} …" if close else ""))
        try:
            self.body = timm.create_model(name, features_only=True, in_chans=in_chans)
        except (RuntimeError, AttributeError, AssertionError) as error:
            raise ValueError(f"timm model {name!r} cannot give feature maps: {error}") from error
        if pretrained is not None:
            self.body.load_state_dict(_classifier_weights(name, in_chans, pretrained, set(self.body.state_dict())))
        _fix_same_padding(self.body)
        info = self.body.feature_info
        names = [f"stride{r}" for r in info.reduction()]
        self.strides = dict(zip(names, info.reduction(), strict=True))
        self.channels = dict(zip(names, info.channels(), strict=True))

    def forward(self, lightness: Tensor) -> dict[str, Tensor]:
        return dict(zip(self.strides, self.body((lightness - 50) / 50), strict=True))


def _fix_same_padding(module: nn.Module) -> None:
    for name, child in module.named_children():
        if type(child).__name__ == "Conv2dSame":
            assert isinstance(child, nn.Conv2d)
            fixed = SamePadConv2d(
                child.in_channels,
                child.out_channels,
                child.kernel_size,  # type: ignore[arg-type]
                child.stride,  # type: ignore[arg-type]
                groups=child.groups,
                bias=child.bias is not None,
            )
            fixed.load_state_dict(child.state_dict())
            setattr(module, name, fixed)
        else:
            _fix_same_padding(child)


def _classifier_weights(name: str, in_chans: int, path: Path, wanted: set[str]) -> dict[str, Tensor]:
    """The classifier's tensors under timm's names, cut down to the feature extractor's."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        given = load_file(path)
    else:
        given = torch.load(path, map_location="cpu", weights_only=True)
    expected = timm.create_model(name).state_dict()
    if given.keys() != expected.keys():
        shapes = [v.shape for v in given.values()], [v.shape for v in expected.values()]
        if shapes[0] != shapes[1]:
            raise ValueError(f"{path}: these are not the weights of timm's {name}")
        given = dict(zip(expected, given.values(), strict=True))
    if in_chans == 1:
        first = next(key for key, value in given.items() if value.ndim == 4)
        given[first] = grey_first_layer(given[first])
    return {key: value for key, value in given.items() if key in wanted}
