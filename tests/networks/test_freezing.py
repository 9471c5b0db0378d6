import pytest
import torch
from torch import Tensor, nn

from tintype.networks.resnet import ResNet
from tintype.networks.timm_trunk import TimmTrunk
from tintype.networks.zhang16 import Zhang16

TRUNKS = {
    "zhang16": (Zhang16, ["conv1", "conv3", "conv7"]),
    "torchvision_resnet18": (lambda: ResNet(18), ["conv1", "res2b", "res4a", "res5b"]),
    "resnet18": (lambda: TimmTrunk("resnet18"), ["stride2", "stride4", "stride16", "stride32"]),
    "efficientnet_lite0": (lambda: TimmTrunk("efficientnet_lite0"), ["stride2", "stride4", "stride16", "stride32"]),
    "convnext_atto": (lambda: TimmTrunk("convnext_atto"), ["stride4", "stride16"]),
}
CASES = [(name, below) for name, (_, maps) in TRUNKS.items() for below in maps]


def build(name: str) -> nn.Module:
    trunk = TRUNKS[name][0]()
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine:
            nn.init.ones_(module.weight)  # timm starts a resnet's residual branches at 0, where nothing shows
    return trunk


def lightness() -> Tensor:
    return torch.rand(2, 1, 32, 64, generator=torch.Generator().manual_seed(0)) * 100


def made_by(trunk: nn.Module, below: str) -> set[str]:
    """The parameters that the map `below` depends on, by its gradient."""
    names, parameters = zip(*trunk.named_parameters(), strict=True)
    gradients = torch.autograd.grad(trunk(lightness())[below].sum(), parameters, allow_unused=True)
    return {name for name, gradient in zip(names, gradients, strict=True) if gradient is not None}


@pytest.mark.parametrize(("name", "below"), CASES)
def test_freezing_stops_what_makes_the_map_and_nothing_else(name, below):
    trunk = build(name)
    expected = made_by(trunk, below)
    trunk.freeze(below)
    assert {n for n, p in trunk.named_parameters() if not p.requires_grad} == expected


@pytest.mark.parametrize(("name", "below"), CASES)
def test_frozen_batch_norms_do_not_follow_the_training_pictures(name, below):
    trunk = build(name)
    trunk.freeze(below)
    with torch.no_grad():
        before = trunk.eval()(lightness())
        trunk.train()
        for _ in range(3):
            trunk(lightness() * 0.3 + 50)
        after = trunk.eval()(lightness())
    assert after[below].equal(before[below])
    later = list(before)[list(before).index(below) + 1 :]
    if any(isinstance(m, nn.BatchNorm2d) for m in trunk.modules()):
        assert not any(after[n].equal(before[n]) for n in later)


@pytest.mark.parametrize(("name", "below"), [("zhang16", "conv3"), ("resnet18", "stride8")])
def test_frozen_parts_predict_the_same_in_training_as_in_evaluation(name, below):
    trunk = build(name)
    trunk.freeze(below)
    with torch.no_grad():
        evaluated = trunk.eval()(lightness())[below]
        assert trunk.train()(lightness())[below].equal(evaluated)


@pytest.mark.parametrize("name", TRUNKS)
def test_a_map_that_the_trunk_does_not_have_is_refused_by_name(name):
    with pytest.raises(ValueError, match="conv99"):
        build(name).freeze("conv99")
