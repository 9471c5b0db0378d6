import pytest
import torch
from torch.nn import functional as F

from tintype.networks import build_trunk
from tintype.networks.field_of_view import FieldOfView
from tintype.networks.hypercolumn import Hypercolumn


@pytest.fixture(scope="module")
def trunk():
    torch.manual_seed(0)
    return FieldOfView(build_trunk("resnet18"), 24).eval()


def picture(*size):
    return torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(0)) * 100


def test_two_blocks_go_on_where_the_trunk_ends(trunk):
    seen = picture(128, 192)
    with torch.no_grad():
        found, below = trunk(seen), trunk.trunk(seen)
    assert list(found) == list(trunk.strides) == list(trunk.channels) == [*below, "fov1", "fov2"]
    x = below["res5b"]
    for name, stride in (("fov1", 64), ("fov2", 128)):
        conv = trunk.get_submodule(f"{name}.1")
        x = F.conv2d(F.max_pool2d(x, 2, ceil_mode=True), conv.weight, conv.bias, padding=1).clamp(min=0)
        torch.testing.assert_close(found[name], x)
        assert (trunk.strides[name], trunk.channels[name]) == (stride, 24)
    assert {trunk.offsets[name] for name in ("fov1", "fov2")} == {16, 48}  # the middle of 2, and of 4, cells of 32 px


def test_they_are_1024_wide_as_in_the_paper():
    assert FieldOfView(build_trunk("resnet18")).channels["fov2"] == 1024


def test_both_join_the_hypercolumn_and_are_trained(trunk):
    assert trunk.columns == (*trunk.trunk.columns, "fov1", "fov2")
    head = Hypercolumn(trunk, 5, width=8)
    assert head.hidden.in_channels == sum(trunk.channels[name] for name in trunk.columns)
    torch.nn.init.normal_(head.hidden.weight, std=0.1)
    points = torch.tensor([[[2, 6], [62, 94]]])
    features = trunk(picture(64, 96))
    sparse, dense = head.eval().at(features, points), head(features, (64, 96))
    torch.testing.assert_close(sparse[0, :, 1], dense[0, :, 15, 23], rtol=1e-3, atol=1e-4)
    sparse.sum().backward()
    assert trunk.fov2[1].weight.grad.any()


@pytest.mark.parametrize("size", [(32, 32), (96, 160)])
def test_pictures_of_any_size_have_cells_left(trunk, size):
    with torch.no_grad():
        assert trunk(picture(*size))["fov2"].shape[2:] == tuple(-(-side // 128) for side in size)


def test_it_can_end_lower_down():
    trunk = FieldOfView(build_trunk("resnet18"), 8)
    trunk.end_at("fov1")
    assert list(trunk(picture(64, 64)))[-1] == list(trunk.strides)[-1] == "fov1"
    trunk.end_at("res3b")
    assert list(trunk(picture(64, 64)))[-1] == list(trunk.channels)[-1] == "res3b"
