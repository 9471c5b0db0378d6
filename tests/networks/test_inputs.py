import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.networks import build_trunk
from tintype.networks.inputs import take_grey, take_lab, take_rgb
from tintype.networks.trunk import Chain


class Tiny(Chain):
    """Two convolutions, with the input scale of AlexNet as Zhang16 has it."""

    mean, std = 50.0, 1.0

    def __init__(self, in_chans: int = 1):
        super().__init__(in_chans)
        self.conv1 = nn.Sequential(nn.Conv2d(in_chans, 6, 5, 2, 2), nn.ReLU())
        self.conv2 = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.ReLU())
        self.chain([("conv1", [self.conv1]), ("conv2", [self.conv2])])


def picture(channels: int, low: float = 0, high: float = 100) -> Tensor:
    return low + (high - low) * torch.rand(2, channels, 32, 48, generator=torch.Generator().manual_seed(0))


def lab() -> Tensor:
    return torch.cat([picture(1), picture(2, -80, 80)], dim=1)


@pytest.mark.parametrize("name", ["resnet18", "zhang16", "timm:efficientnet_lite0", "timm:test_vit"])
def test_a_grey_trunk_sees_the_channel_mean_of_colour(name):
    trunk = build_trunk(name).eval()
    with torch.no_grad():
        before = trunk(picture(3).mean(1, keepdim=True))
        take_rgb(trunk)
        after = trunk(picture(3))
    assert trunk.in_chans == 3
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


def test_lab_changes_nothing_until_it_is_trained():
    torch.manual_seed(0)
    trunk = Tiny().eval()
    with torch.no_grad():
        before = trunk(lab()[:, :1])
        take_lab(trunk)
        after = trunk(lab())
    for name in ("conv1", "conv2"):
        torch.testing.assert_close(after[name], before[name])


@pytest.mark.parametrize("std", [1.0, 100.0])
def test_a_and_b_are_scaled_by_0_693_beside_the_lightness(std):
    torch.manual_seed(0)
    trunk = Tiny().eval()
    trunk.std = std
    grey, bias = trunk.conv1[0].weight.detach().clone(), trunk.conv1[0].bias
    take_lab(trunk)
    nn.init.normal_(trunk.conv1[0].ab.weight)
    filters = torch.cat([grey, trunk.conv1[0].ab.weight], dim=1)
    given = torch.cat([lab()[:, :1] - 50, 0.693 * lab()[:, 1:]], dim=1) / std
    expected = F.conv2d(given, filters, bias, stride=2, padding=2).relu()
    torch.testing.assert_close(trunk(lab())["conv1"], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("trained", [True, False])
def test_filters_for_a_and_b_learn_from_zero_or_stay_there(trained):
    torch.manual_seed(0)
    trunk = Tiny()
    take_lab(trunk, trained)
    grey = trunk.conv1[0].lightness.weight.detach().clone()
    parameters = [p for p in trunk.parameters() if p.requires_grad]
    trunk(lab())["conv2"].mean().backward()
    torch.optim.SGD(parameters, 0.1).step()
    assert bool(trunk.conv1[0].ab.weight.any()) == trained
    assert not trunk.conv1[0].lightness.weight.equal(grey)


def test_other_inputs_are_refused():
    colour = build_trunk("resnet18", 3)
    with pytest.raises(ValueError, match=r"\(O, 1, kh, kw\)"):
        take_rgb(colour)
    with pytest.raises(ValueError, match="this one takes 3 channels"):
        take_lab(colour)
    with pytest.raises(ValueError, match=r"\(O, 3, kh, kw\)"):
        take_grey(build_trunk("resnet18"))
