import pytest
import torch

from tintype.networks import build_network


@pytest.mark.parametrize(
    ("trunk", "head"),
    [("zhang16", "dense"), ("zhang16", "pyramid")]
    + [(f"timm:{n}", "pyramid") for n in ("efficientnet_lite0", "resnet18", "mobilenetv3_small_050", "convnext_atto")],
)
@pytest.mark.parametrize("channels", [2, 313])
def test_every_pair_predicts_at_stride_four(trunk, head, channels):
    network = build_network(trunk, head, channels).eval()
    assert network.stride == 4
    with torch.no_grad():
        for height, width in ((32, 32), (64, 96)):
            assert network(torch.rand(2, 1, height, width) * 100).shape == (2, channels, height // 4, width // 4)


def test_every_parameter_of_a_pyramid_network_learns():
    network = build_network("timm:mobilenetv3_small_050", "pyramid", 313)  # timm starts resnets with silent blocks
    network(torch.rand(2, 1, 64, 64) * 100).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_the_pyramid_sees_the_whole_picture_from_every_place():
    """The mean of the coarsest map reaches all places, however far apart."""
    torch.manual_seed(0)
    network = build_network("timm:mobilenetv3_small_050", "pyramid", 2).eval()
    lightness = (torch.rand(1, 1, 32, 1024) * 100).requires_grad_()
    (gradient,) = torch.autograd.grad(network(lightness)[..., 0].sum(), lightness)
    assert gradient[..., -32:].abs().max() > 0


def test_the_pyramids_width_is_its_own_option():
    sizes = [
        sum(p.numel() for p in build_network("timm:mobilenetv3_small_050", "pyramid", 2, width=width).parameters())
        for width in (16, 32, 128)
    ]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(
    ("trunk", "head", "options", "named"),
    [
        ("zhang17", "dense", {}, "zhang17"),
        ("timm:no_such_net", "pyramid", {}, "no_such_net"),
        ("zhang16", "hyper", {}, "hyper"),
        ("timm:resnet18", "dense", {}, "dense"),
        ("timm:vit_tiny_patch16_224", "pyramid", {}, "pyramid"),
        ("timm:resnet18", "pyramid", {"widht": 64}, "widht"),
        ("zhang16", "dense", {"widht": 64}, "widht"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line_that_names_it(trunk, head, options, named):
    with pytest.raises(ValueError, match=named) as refused:
        build_network(trunk, head, 313, **options)
    assert "\n" not in str(refused.value)
