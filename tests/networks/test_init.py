from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from tintype.networks import build_trunk
from tintype.networks.init import initialize, rebalance
from tintype.networks.surgery import absorb_scale_and_shift, fold_batch_norm, grey_first_layer, rgb_first_layer
from tintype.networks.trunk import Chain


class Small(Chain):
    """Grouped and dilated convolutions, poolings and dropout, as AlexNet and VGG-16 have them."""

    def __init__(self, batch_norm: bool = False):
        super().__init__()
        convolutions = [
            nn.Conv2d(1, 16, 5, 2, 2),
            nn.Conv2d(16, 24, 3, padding=1, groups=2),
            nn.Conv2d(24, 32, 3, padding=2, dilation=2),
            nn.Conv2d(32, 40, 1),
        ]
        steps = []
        for i, conv in enumerate(convolutions, start=1):
            layers: OrderedDict[str, nn.Module] = OrderedDict(conv=conv)
            if batch_norm:
                layers["norm"] = nn.BatchNorm2d(conv.out_channels)
            layers["relu"] = nn.ReLU()
            if i == 4:
                layers["dropout"] = nn.Dropout(0.5)
            self.add_module(f"conv{i}", nn.Sequential(layers))
            steps.append((f"conv{i}", [self.get_submodule(f"conv{i}")]))
        self.pool = nn.MaxPool2d(3, 2, 1)
        steps[1] = ("conv2", [self.pool, self.conv2])
        self.chain(steps)


def photographs(count: int = 12) -> Tensor:
    """Soft shapes with a little grain."""
    generator = torch.Generator().manual_seed(0)
    shapes = nn.functional.interpolate(torch.rand(count, 1, 8, 8, generator=generator), size=(64, 64), mode="bilinear")
    return 90 * shapes + 10 * torch.rand(count, 1, 64, 64, generator=generator)


def outputs(trunk: nn.Module, pictures: Tensor) -> dict[str, Tensor]:
    """Of each convolution, before its ReLU."""
    found: dict[str, Tensor] = {}
    hooks = [
        layer.register_forward_hook(lambda _, __, out, name=name: found.__setitem__(name, out))
        for name, layer in trunk.named_modules()
        if isinstance(layer, nn.Conv2d)
    ]
    with torch.no_grad():
        trunk.eval()(pictures)
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("kmeans", [False, True])
def test_every_unit_starts_with_mean_0_and_variance_1(kmeans):
    torch.manual_seed(0)
    trunk = Small()
    initialize(trunk, photographs(), kmeans)
    for name, x in outputs(trunk, photographs()).items():
        assert x.mean((0, 2, 3)).abs().max() < 0.01, name
        torch.testing.assert_close(x.var((0, 2, 3)), torch.ones(x.shape[1]), atol=0.1, rtol=0, msg=name)


def test_kmeans_filters_are_centres_of_what_the_layer_sees():
    """Of two kinds of patches, there is a filter for each, which answers its own kind and not the other."""
    stripes = torch.arange(64) // 2 % 2 * 100.0
    across, down = stripes.expand(64, 64), stripes[:, None].expand(64, 64)
    pictures = torch.stack([across, down] * 6)[:, None]
    torch.manual_seed(0)
    trunk = Small()
    initialize(trunk, pictures, kmeans=True)
    answers = outputs(trunk, pictures)["conv1.conv"].abs().mean((2, 3))
    ratio = answers[0] / answers[1]
    assert ratio.max() > 2
    assert ratio.min() < 0.5


def test_initialization_follows_from_the_seed_and_leaves_the_mode():
    trunks = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        trunk = Small().train()
        initialize(trunk, photographs(), kmeans=True)
        assert trunk.training
        trunks.append(trunk.conv3.conv.weight)
    assert trunks[0].equal(trunks[1])
    assert not trunks[0].equal(trunks[2])


def test_rebalancing_gives_each_layer_variance_1_and_keeps_what_it_computes():
    torch.manual_seed(0)
    trunk = Small().eval()
    for i, conv in enumerate(m for m in trunk.modules() if isinstance(m, nn.Conv2d)):
        conv.weight.data *= 10 ** (i - 1)  # far from balanced
    with torch.no_grad():
        before = trunk(photographs())
        factors = rebalance(trunk, photographs())
        after = trunk(photographs())
    for name, x in outputs(trunk, photographs()).items():
        assert x.var().item() == pytest.approx(1, abs=0.1), name
    for name in ("conv1", "conv2", "conv3", "conv4"):
        expected = before[name] * factors[f"{name}.conv"]
        torch.testing.assert_close(after[name], expected, rtol=1e-3, atol=1e-4)


def test_real_networks_are_balanced_after_their_batch_norms_are_folded():
    torch.manual_seed(0)
    trunk = build_trunk("alexnet_dilated_bn")
    pictures = photographs(4)[:, :, :40, :40]
    with torch.no_grad():
        trunk.train()(pictures)
    fold_batch_norm(trunk, pictures)
    rebalance(trunk, pictures)
    for name, x in outputs(trunk, pictures).items():
        assert x.var().item() == pytest.approx(1, abs=0.1), name
    with torch.device("meta"):
        assert trunk.state_dict().keys() == build_trunk("alexnet_dilated").state_dict().keys()


@pytest.mark.parametrize("make", [lambda: Small(batch_norm=True), lambda: build_trunk("resnet18")])
def test_folding_keeps_what_the_network_computes(make):
    torch.manual_seed(0)
    trunk = make()
    with torch.no_grad():
        for _ in range(3):
            trunk.train()(photographs())
        for module in trunk.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(-1, 2)
                module.bias.normal_()
        before = trunk.eval()(photographs())
        folded = fold_batch_norm(trunk, photographs()[:1])
        after = trunk(photographs())
    assert folded
    assert not any(isinstance(m, nn.BatchNorm2d) for m in trunk.modules())
    for name, x in before.items():
        torch.testing.assert_close(after[name], x, rtol=1e-4, atol=1e-4 * float(x.abs().max()), msg=name)


def test_batch_norms_that_follow_no_convolution_stay():
    trunk = build_trunk("zhang16").eval()  # they follow ReLUs
    assert fold_batch_norm(trunk, photographs()[:1, :, :16, :16]) == []
    assert sum(isinstance(m, nn.BatchNorm2d) for m in trunk.modules()) == 7


def test_scale_and_shift_can_be_written_into_the_statistics():
    norm = nn.BatchNorm2d(6).eval()
    with torch.no_grad():
        norm.weight.uniform_(0.2, 3)
        norm.bias.normal_()
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.1, 4)
    state = {f"norm.{key}": value.clone() for key, value in norm.state_dict().items()}
    absorb_scale_and_shift(state, "norm")
    plain = nn.BatchNorm2d(6, affine=False).eval()
    plain.load_state_dict({key.removeprefix("norm."): value for key, value in state.items()})
    x = torch.randn(2, 6, 4, 4)
    torch.testing.assert_close(plain(x), norm(x), atol=1e-5, rtol=1e-5)


def test_what_cannot_be_initialized_or_rebalanced_is_said():
    with pytest.raises(ValueError, match="not residual networks"):
        initialize(build_trunk("resnet18"), photographs())
    with pytest.raises(ValueError, match="fold its batch-norms first"):
        rebalance(Small(batch_norm=True), photographs())
    blank = Small()
    for parameter in blank.conv3.parameters():
        nn.init.zeros_(parameter)
    with pytest.raises(ValueError, match=r"layer conv3\.conv gives the same everywhere"):
        rebalance(blank, photographs())
    with pytest.raises(ValueError, match="local response normalization"):
        rebalance(build_trunk("alexnet_lrn"), photographs())


def test_a_first_layer_goes_from_grey_to_colour_and_back():
    weight = torch.randn(8, 1, 5, 5, generator=torch.Generator().manual_seed(0))
    colour = rgb_first_layer(weight)
    assert colour.shape == (8, 3, 5, 5)
    torch.testing.assert_close(grey_first_layer(colour), weight)
    rgb = torch.rand(2, 3, 16, 16)
    expected = nn.functional.conv2d(rgb.mean(1, keepdim=True), weight)
    torch.testing.assert_close(nn.functional.conv2d(rgb, colour), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match=r"\(O, 1, kh, kw\)"):
        rgb_first_layer(colour)
