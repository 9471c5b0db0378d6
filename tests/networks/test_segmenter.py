import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from networks.synthetic import Averages, ramp
from tintype.networks import build_trunk
from tintype.networks.fov import FieldOfView
from tintype.networks.geometry import Grid
from tintype.networks.segmenter import FCN32s, HypercolumnSegmenter, deconvolve, pad_first_layer
from tintype.networks.surgery import lab_first_layer
from tintype.transfer.subject import pad_as_classifier


def picture(*size: int) -> Tensor:
    return torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0)) * 100


def awake(network: nn.Module) -> nn.Module:
    """With weights large enough for all of them to show."""
    for name, parameter in network.head.named_parameters():
        nn.init.normal_(parameter, std=0.5 if name.endswith("bias") else 0.02)
    return network


@pytest.mark.parametrize("trunk", ["resnet18", "timm:test_efficientnet"])
def test_sparse_and_dense_predictions_with_field_of_view_agree_at_the_same_points(trunk):
    torch.manual_seed(0)
    body = build_trunk(trunk)
    network = awake(HypercolumnSegmenter(body, 7, width=24, fov=16)).eval()
    size = (128, 160) if body.multiple > 1 else (117, 150)
    rows, columns = (torch.arange(2, side, 4) for side in size)
    at = torch.cartesian_prod(rows, columns)[None].expand(2, -1, -1)
    with torch.no_grad():
        features = body(picture(*size))
        for name in ("conv8_1", "conv9_1"):  # blocks that vary over the picture as much as any layer
            network.fov.get_submodule(name).weight.div_(network.fov(features)[name].std())
        dense = network(picture(*size))
        sparse = network(picture(*size), at).view(2, 7, len(rows), len(columns))
        for parameter in network.fov.parameters():
            parameter.zero_()
        blind = network(picture(*size))
    assert dense.shape == (2, 7, *size)
    scale = float(dense.abs().max())
    assert scale > 0.5
    torch.testing.assert_close(dense[:, :, rows][:, :, :, columns], sparse, atol=1e-5 * scale, rtol=1e-5)
    assert (blind - dense).std() > 0.005 * scale  # the blocks are read


@pytest.mark.parametrize("axis", [0, 1])
def test_blocks_of_a_ramp_say_where_they_were_read(axis):
    """Maximum pooling of a ramp takes the later of two cells, half a stride from their middle."""
    trunk = Averages()
    fov = FieldOfView(trunk, 1)
    for conv in (fov.conv8_1, fov.conv9_1):
        nn.init.zeros_(conv.weight)
        conv.weight.data[0, 0, 1, 1] = 1
    maps = fov(trunk(ramp(400, 430, axis)))
    for name, ahead in (("conv8_1", 0.5), ("conv9_1", 0.5 + 1)):
        line = maps[name][0, 0].movedim(axis, 0)
        inside = line[1:-1, line.shape[1] // 2]
        cells = torch.arange(1, len(line) - 1)
        expected = fov.offsets[name] + fov.strides[name] * cells + ahead * fov.strides[fov.source]
        torch.testing.assert_close(inside, expected.float(), atol=0.05, rtol=0)


@pytest.mark.parametrize(("side", "expected"), [(7, (4, 2)), (8, (4, 2)), (5, (3, 2)), (1, (1, 1))])
def test_blocks_keep_the_last_cell_of_maps_of_odd_length(side, expected):
    trunk = build_trunk("timm:test_efficientnet")
    fov = FieldOfView(trunk, 4)
    maps = fov({fov.source: torch.ones(1, trunk.channels[fov.source], side, side)})
    assert (maps["conv8_1"].shape[2], maps["conv9_1"].shape[2]) == expected
    assert {name: (fov.strides[name], fov.channels[name]) for name in ("conv8_1", "conv9_1")} == {
        "conv8_1": (64, 4),
        "conv9_1": (128, 4),
    }


def fully_convolutional(trunk: str) -> nn.Module:
    """An AlexNet as FCN-32s pads it, without numbers."""
    with torch.device("meta"):
        body = build_trunk(trunk)
        pad_as_classifier(body)
        pad_first_layer(body, 100)
    return body


def bilinear_filter(side: int) -> Tensor:
    """That of FCN's surgery.py (upsample_filt)."""
    factor = (side + 1) // 2
    centre = factor - 1 if side % 2 else factor - 0.5
    line = 1 - (torch.arange(side) - centre).abs() / factor
    return line[:, None] * line


@pytest.mark.parametrize(("height", "width"), [(375, 500), (33, 333), (64, 90)])
def test_enlarging_is_the_released_deconvolution_of_63_by_63_cropped_at_18(height, width):
    """Caffe's FCN of AlexNet: kernel 63, stride 32, crop offset 18 (voc-fcn-alexnet)."""
    trunk = fully_convolutional("alexnet_dilated")
    grid = FCN32s(trunk, 3).grid
    assert grid == Grid(32, 13)
    cells = [-(-(side - 13) // 32) + 1 for side in (height, width)]
    scores = torch.randn(2, 3, *cells, generator=torch.Generator().manual_seed(0), requires_grad=True)
    weight = bilinear_filter(63)[None, None].expand(3, 1, 63, 63)
    expected = F.conv_transpose2d(scores, weight, stride=32, groups=3)[:, :, 18 : 18 + height, 18 : 18 + width]
    found = deconvolve(scores, grid, (height, width))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    upstream = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    ours, theirs = (torch.autograd.grad((x * upstream).sum(), scores)[0] for x in (found, expected))
    torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-4)


def test_enlarging_by_an_even_stride_is_the_deconvolution_of_64_by_64():
    scores = torch.randn(1, 2, 4, 5, generator=torch.Generator().manual_seed(0))
    weight = bilinear_filter(64)[None, None].expand(2, 1, 64, 64)
    expected = F.conv_transpose2d(scores, weight, stride=32, padding=16, groups=2)
    torch.testing.assert_close(deconvolve(scores, Grid(32, 15.5), (128, 160)), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("height", "width"), [(375, 500), (32, 47), (227, 300)])
def test_padded_by_100_the_scores_of_alexnet_reach_over_the_whole_picture(height, width):
    trunk = fully_convolutional("alexnet").eval()
    cells = trunk(torch.empty(1, 1, height, width, device="meta"))["fc7"].shape[2:]
    assert all(13 + 32 * (count - 1) >= side - 32 for count, side in zip(cells, (height, width), strict=True))


@pytest.mark.parametrize("axis", [0, 1])
def test_scores_are_enlarged_to_where_the_trunk_saw_them(axis):
    network = FCN32s(Averages(), 1)
    with torch.no_grad():
        network.head.weight.fill_(1)
        found = network(ramp(200, 170, axis))[0, 0]
    inner = found[60:130, 50:110]
    torch.testing.assert_close(inner, ramp(200, 170, axis)[0, 0, 60:130, 50:110], atol=1e-2, rtol=0)


def test_an_impulse_is_enlarged_to_a_pyramid_around_its_own_pixel():
    scores = torch.zeros(1, 1, 4, 5)
    scores[0, 0, 2, 1] = 1
    found = deconvolve(scores, Grid(32, 13), (140, 160))[0, 0]
    assert divmod(int(found.argmax()), 160) == (13 + 2 * 32, 13 + 32)
    assert found.max() == 1
    torch.testing.assert_close(found[77, 45:78], 1 - torch.arange(33) / 32)
    torch.testing.assert_close(found.sum(), torch.tensor(32.0**2))


def test_fov_blocks_stand_on_the_highest_layer_listed_and_join_the_hypercolumn():
    """Every parameter must get a gradient: of one without, DDP waits for ever."""
    network = HypercolumnSegmenter(build_trunk("alexnet"), 5, ("conv2", "conv4"), width=8, fov=8)
    assert network.head.layers == ("conv2", "conv4", "conv8_1", "conv9_1")
    assert network.fov.source == "conv4"
    assert list(network.trunk.strides)[-1] == "conv4"
    points = torch.full((2, 3, 2), 40.0)
    network(100 * torch.rand(2, 1, 160, 160), points).square().sum().backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize(
    "trunk", ["alexnet", "alexnet_dilated_bn", "vgg16", "resnet18", "zhang16", "timm:test_efficientnet"]
)
@pytest.mark.parametrize("head", ["hypercolumn", "fov", "fcn32s"])
def test_any_trunk_learns_all_of_itself_below_any_head(trunk, head):
    with torch.device("meta"):  # gradients without numbers
        body = build_trunk(trunk)
        network = (
            FCN32s(body, 5) if head == "fcn32s" else HypercolumnSegmenter(body, 5, width=8, fov=8 * (head == "fov"))
        )
        seen, points = torch.empty(2, 1, 64, 96), torch.empty(2, 40, 2)
        out = network(seen) if head == "fcn32s" else network(seen, points)
        out.square().mean().backward()
        assert out.shape == ((2, 5, 64, 96) if head == "fcn32s" else (2, 5, 40))
        assert network.eval()(seen).shape == (2, 5, 64, 96)
    assert [name for name, p in network.named_parameters() if p.requires_grad and p.grad is None] == []


def test_the_scores_of_an_fcn_start_at_zero():
    network = FCN32s(build_trunk("timm:test_efficientnet"), 5).eval()
    assert not network(picture(64, 64)).any()


def test_padding_is_refused_where_the_trunk_takes_multiples_only():
    with pytest.raises(ValueError, match="padding 100 is for trunks of unpadded layers, such as alexnet"):
        pad_first_layer(build_trunk("timm:test_efficientnet"), 100)


def test_filters_of_lab_are_the_grey_ones_and_zeros():
    weight = torch.randn(4, 1, 3, 3)
    found = lab_first_layer(weight)
    assert found[:, :1].equal(weight)
    assert found.shape == (4, 3, 3, 3)
    assert not found[:, 1:].any()
    with pytest.raises(ValueError, match="expected filters"):
        lab_first_layer(found)
