import pytest
import torch
from torch import Tensor

from tintype.networks import build_trunk
from tintype.networks.inputs import add_ab, take_grey, take_rgb


def picture(channels: int, low: float = 0, high: float = 100) -> Tensor:
    return low + (high - low) * torch.rand(2, channels, 32, 48, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["resnet18", "zhang16", "vgg16_quarter", "timm:efficientnet_lite0", "timm:test_vit"])
def test_a_grey_trunk_sees_the_channel_mean_of_colour(name):
    trunk = build_trunk(name).eval()
    with torch.no_grad():
        before = trunk(picture(3).mean(1, keepdim=True))
        take_rgb(trunk)
        after = trunk(picture(3))
    assert trunk.in_chans == 3
    assert {key: x.shape[1] for key, x in after.items()} == trunk.channels
    if "data" in after:
        after["data"] = after["data"].mean(1, keepdim=True)
    for key, x in before.items():
        torch.testing.assert_close(after[key], x, rtol=1e-3, atol=1e-4 * float(x.abs().max()), msg=key)


def test_a_colour_trunk_sees_grey_as_three_equal_channels_and_goes_back():
    trunk = build_trunk("resnet18", 3).eval()
    with torch.no_grad():
        before = trunk(picture(1).expand(-1, 3, -1, -1))["res5b"]
        take_grey(trunk)
        torch.testing.assert_close(trunk(picture(1))["res5b"], before, rtol=1e-3, atol=1e-4 * float(before.max()))
        take_rgb(trunk)
        after = trunk(picture(1).expand(-1, 3, -1, -1))["res5b"]
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-4 * float(before.max()))
    assert trunk.body.conv1.weight.requires_grad


def test_other_inputs_are_refused():
    colour = build_trunk("resnet18", 3)
    with pytest.raises(ValueError, match=r"\(O, 1, kh, kw\)"):
        take_rgb(colour)
    with pytest.raises(ValueError, match=r"\(O, 1, kh, kw\)"):
        add_ab(colour)
    with pytest.raises(ValueError, match=r"\(O, 3, kh, kw\)"):
        take_grey(build_trunk("resnet18"))
