import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from networks.synthetic import Averages, ramp
from reference import hypercolumn as reference
from tintype.networks import build_network, build_trunk, hypercolumn
from tintype.networks.geometry import Grid
from tintype.networks.hypercolumn import Hypercolumn
from tintype.networks.sampling import regrid, sample

GRIDS = [Grid(1, 0), Grid(2, 0.5), Grid(4, 1.5), Grid(8, -3), Grid(32, 16)]


def picture(*size: int) -> Tensor:
    return torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0)) * 100


def points(count: int, *size: int) -> Tensor:
    """Pixels, and places between them and beyond the edge, the same in no two pictures."""
    generator = torch.Generator().manual_seed(1)
    drawn = torch.rand(2, count, 2, generator=generator) * torch.tensor(size)
    drawn[:, ::2] = drawn[:, ::2].floor()
    drawn[:, 0] = -5
    drawn[:, 1] = 1000
    return drawn


def grid_of(height: int, width: int) -> Tensor:
    """The pixels 2, 6, 10 … of a dense prediction."""
    rows, columns = (torch.arange(-(-side // 4)) * 4 + 2 for side in (height, width))
    return torch.cartesian_prod(rows, columns)[None].expand(2, -1, -1)


@pytest.mark.parametrize("grid", GRIDS)
def test_a_map_is_read_bilinearly_where_its_cells_lie(grid):
    x = torch.randn(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    at = points(40, 9 * grid.stride, 7 * grid.stride)
    found = sample(x, grid, at)
    for b in range(2):
        expected = [reference.read(x[b], *grid, *place.tolist()) for place in at[b]]
        torch.testing.assert_close(found[b], torch.stack(expected), atol=1e-5, rtol=0)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_gradient_goes_to_the_four_cells_around_each_point_as_of_the_slow_twin(layout):
    x = torch.randn(2, 3, 9, 7, generator=torch.Generator().manual_seed(0)).to(memory_format=layout).requires_grad_()
    at, grid = points(10, 72, 56), Grid(8, 3.5)
    upstream = torch.randn(2, 10, 3, generator=torch.Generator().manual_seed(2))
    (gradient,) = torch.autograd.grad((sample(x, grid, at) * upstream).sum(), x)
    slow = torch.stack([torch.stack([reference.read(x[b], *grid, *p.tolist()) for p in at[b]]) for b in range(2)])
    (expected,) = torch.autograd.grad((slow * upstream).sum(), x)
    torch.testing.assert_close(gradient, expected)
    one = torch.autograd.grad(sample(x, grid, at[:, 5:6])[0].sum(), x)[0]
    assert one[0, 0].count_nonzero() <= 4
    assert one[1].count_nonzero() == 0
    assert one[0, 0].sum().item() == pytest.approx(1)


@pytest.mark.parametrize("grid", GRIDS)
def test_another_grid_is_read_as_its_points_are(grid):
    x = torch.randn(2, 3, 9, 7, generator=torch.Generator().manual_seed(0))
    rows, columns = torch.tensor([-3.0, 0.5, 2, 6, 31, 90]), torch.tensor([0.0, 2, 6, 10.25])
    at = torch.cartesian_prod(rows, columns)[None].expand(2, -1, -1)
    expected = sample(x, grid, at).view(2, 6, 4, 3).permute(0, 3, 1, 2)
    torch.testing.assert_close(regrid(x, grid, rows, columns), expected)


def test_a_grid_of_half_the_stride_is_torchs_own_bilinear_enlargement():
    x = torch.randn(1, 2, 6, 5, generator=torch.Generator().manual_seed(0))
    rows, columns = torch.arange(12.0), torch.arange(10.0)
    expected = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    torch.testing.assert_close(regrid(x, Grid(2, 0.5), rows, columns), expected)


@pytest.mark.parametrize("axis", [0, 1])
def test_layers_of_all_strides_and_paddings_are_read_at_the_same_place(axis):
    """Of a ramp, every layer says where it was read."""
    trunk = Averages()
    layers = ["data", *list(trunk.strides)[1:]]
    head = Hypercolumn(trunk, len(layers), layers, width=len(layers), dropout=0)
    with torch.no_grad():  # the hidden layer and the prediction pass the column on as it is
        for layer in (head.hidden, head.predict):
            layer.weight.copy_(torch.eye(len(layers))[..., None, None])
        features = trunk(ramp(170, 190, axis))
        at = torch.randint(60, 110, (1, 30, 2), generator=torch.Generator().manual_seed(0))
        sparse = head.at(features, at)
        dense = head(features, (170, 190))
    expected = at[..., axis].float().expand(len(layers), -1)
    torch.testing.assert_close(sparse[0], expected, atol=1e-3, rtol=0)
    places = torch.arange(dense.shape[2 + axis]) * 4 + 2.0
    inner = dense[0].movedim(1 + axis, 1)[:, 15:28, 20]
    torch.testing.assert_close(inner, places[15:28].expand(len(layers), -1), atol=1e-3, rtol=0)


TRUNKS = ["zhang16", "alexnet", "resnet18", "timm:tf_efficientnet_lite0", "timm:test_efficientnet"]


@pytest.mark.parametrize("trunk", TRUNKS)
def test_sparse_and_dense_predictions_agree_at_the_same_points(trunk, monkeypatch):
    torch.manual_seed(0)
    network = build_network(trunk, "hypercolumn", 16, width=24).eval()
    nn.init.normal_(network.head.hidden.weight, std=0.02)
    nn.init.normal_(network.head.hidden.bias, std=0.5)
    for size in [(64, 96)] if network.multiple > 1 else [(45, 61), (32, 50)]:
        seen = picture(*size)
        with torch.no_grad():
            dense = network(seen)
            at = grid_of(*size)
            sparse = network(seen, at).view(dense.shape)
            monkeypatch.setattr(hypercolumn, "BAND", 1)  # a row at a time
            banded = network(seen)
            monkeypatch.undo()
        assert dense.shape == (2, 16, -(-size[0] // 4), -(-size[1] // 4))
        scale = float(dense.abs().max())
        assert scale > 0.5
        torch.testing.assert_close(sparse, dense, atol=1e-5 * scale, rtol=1e-5)
        torch.testing.assert_close(banded, dense, atol=1e-5 * scale, rtol=1e-5)


def test_bands_bound_what_is_held_at_a_time(monkeypatch):
    network = build_network("timm:test_efficientnet", "hypercolumn", 4, width=8).eval()
    rows: list[int] = []
    network.head.predict.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].shape[2]))
    monkeypatch.setattr(hypercolumn, "BAND", 2 * 8 * 3 * 16)  # pictures, width, rows, columns
    with torch.no_grad():
        network(picture(64, 64))
    assert rows == [3, 3, 3, 3, 3, 1]


def test_every_parameter_learns_at_points_alone():
    torch.manual_seed(0)
    network = build_network("timm:mobilenetv3_small_050", "hypercolumn", 16, width=24)
    nn.init.normal_(network.head.hidden.weight, std=0.02)
    network(picture(64, 64), points(50, 64, 64)).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize(
    ("trunk", "layers"),
    [
        ("alexnet_bn", ["conv3", "data", "conv1"]),
        ("resnet18", ["res2b", "res4a"]),
        ("timm:resnet18", ["stride2", "stride8"]),
        ("timm:test_efficientnet", ["stride4", "stride16"]),
    ],
)
def test_a_trunk_ends_at_the_last_layer_that_is_read(trunk, layers):
    """What lies above would have no gradient, which DDP does not suffer."""
    torch.manual_seed(0)
    network = build_network(trunk, "hypercolumn", 4, layers=layers, width=8)
    nn.init.normal_(network.head.hidden.weight, std=0.02)
    whole = build_trunk(trunk)
    trained = sum(p.numel() for p in network.trunk.parameters() if p.requires_grad)
    assert trained < sum(p.numel() for p in whole.parameters())
    network(picture(64, 64), points(50, 64, 64)).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.requires_grad and p.grad is None] == []
    assert set(layers) <= set(network.trunk.strides)
    whole.load_state_dict(network.trunk.state_dict(), strict=False)
    with torch.no_grad():
        ours, theirs = network.trunk.eval()(picture(64, 64)), whole.eval()(picture(64, 64))
    assert all(ours[name].equal(theirs[name]) for name in layers)


def test_the_first_weights_are_the_papers():
    head = build_network("timm:test_efficientnet", "hypercolumn", 64).head
    assert (head.hidden.out_channels, head.dropout.p) == (1024, 0.5)
    assert head.hidden.weight.std().item() == pytest.approx(1e-4, rel=0.05)
    assert head.predict.weight.abs().max().item() == pytest.approx((3 / 1024) ** 0.5, rel=0.01)
    assert not head.hidden.bias.any()
    assert not head.predict.bias.any()


def test_the_column_of_vgg16_has_the_papers_12417_channels():
    trunk = build_trunk("vgg16")
    head = Hypercolumn(trunk, 64, width=8)
    assert head.hidden.in_channels == 12_417
    assert list(head.layers)[:3] == ["data", "conv1_1", "conv1_2"]


def test_a_layer_that_the_trunk_does_not_have_is_named():
    with pytest.raises(ValueError, match="the trunk has no layer 'conv9'; it has conv1, conv2") as refused:
        build_network("zhang16", "hypercolumn", 4, layers=["conv1", "conv9"])
    assert "\n" not in str(refused.value)


def test_low_precision_maps_are_interpolated_in_float32():
    x = torch.randn(1, 3, 5, 5, generator=torch.Generator().manual_seed(0)).bfloat16()
    at = torch.tensor([[[1.3, 2.7]]])
    found = sample(x, Grid(1, 0), at)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[0, 0], reference.read(x[0].float(), 1, 0, 1.3, 2.7), atol=1e-6, rtol=0)
