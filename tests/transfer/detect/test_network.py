import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from reference.detection import pooled_region
from tintype.networks import build_trunk
from tintype.networks.alexnet import xavier
from tintype.networks.geometry import Grid
from tintype.networks.trunk import Chain
from tintype.transfer.detect.network import FastRCNN, roi_cells

_BUILT = {}
ROIS = torch.tensor([[0.0, 0, 96, 64], [0, 0, 16, 16], [17, 5, 50, 60.5], [90, 60, 96, 64], [40.3, 2.2, 70.7, 33]])


class Small(Chain):
    """Two 2x2 poolings, so that cells lie between the pixels: offset 1.5 at stride 4."""

    mean, std = 40.0, 30.0

    def __init__(self):
        super().__init__(1)
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 4, 3, padding=1)
        pool = [nn.MaxPool2d(2), nn.MaxPool2d(2)]
        self.pool1, self.pool2 = pool
        self.chain([("conv1", [self.conv1, self.pool1]), ("conv2", [self.conv2, self.pool2])])


def _trunk(name):
    """A trunk of its own; drawing AlexNet's weights takes seconds."""
    if name not in _BUILT:
        _BUILT[name] = build_trunk(name)
    return copy.deepcopy(_BUILT[name])


@pytest.mark.parametrize("name", ["small", "alexnet", "timm:mobilenetv3_small_050"])
def test_regions_are_pooled_from_the_cells_nearest_to_their_pixels(name):
    torch.manual_seed(0)
    network = FastRCNN(Small() if name == "small" else _trunk(name), 3).eval()
    picture = 100 * torch.rand(1, 64, 96)
    with torch.no_grad():
        features = network.trunk(picture[None])[network.layer][0]
        pooled = network.pool(network.features(picture), ROIS)
    stride, offset = network.grid
    assert (stride, offset) == ((4, 1.5) if name == "small" else (16, 0))
    for box, mine in zip(ROIS.tolist(), pooled, strict=True):
        torch.testing.assert_close(mine, pooled_region(features, box, stride, offset, network.head.pooled))


def test_a_region_of_the_pixels_of_one_cell_of_vgg16_is_that_cell():
    """Cell 1 of conv5_3 lies at pixel 23.5, amid pixels 16 to 31; dividing by 16 takes pixel 31 for the next."""
    with torch.device("meta"):
        trunk = build_trunk("vgg16")
    grid = Grid(trunk.strides["conv5_3"], trunk.offsets["conv5_3"])
    cells = roi_cells(torch.tensor([[16.0, 32, 32, 48]]), grid, (14, 14))
    assert cells.round().tolist() == [[1, 2, 1, 2]]


def test_regions_beyond_the_last_cell_have_that_cell():
    cells = roi_cells(torch.tensor([[0.0, 0, 600, 375]]), Grid(16, 7.5), (23, 37))
    assert cells.tolist() == [[0, 0, 36, 22]]


def _narrow(name):
    """A trunk whose fc6 and fc7 have 64 units instead of 4096."""
    with torch.device("meta"):
        trunk = build_trunk(name)
        for block, inputs in ((trunk.fc6, trunk.fc6[0].in_channels), (trunk.fc7, 64)):
            conv = block.get_submodule("conv")
            block.conv = nn.Conv2d(inputs, 64, conv.kernel_size, padding=conv.padding, dilation=conv.dilation)
            if hasattr(block, "norm"):
                block.norm = nn.BatchNorm2d(64, affine=False)
    trunk.to_empty(device="cpu")
    for norm in (layer for layer in trunk.modules() if isinstance(layer, nn.BatchNorm2d)):
        norm.reset_running_stats()
    xavier(trunk)
    trunk.measure()
    return trunk


@pytest.mark.parametrize(("name", "side"), [("alexnet", 96), ("alexnet_bn", 96), ("vgg16", 224)])
def test_fc6_and_fc7_of_the_whole_map_are_the_trunks_own(name, side):
    """VGG-16's whole map is pooled as its own pool5 pools it; AlexNet's conv5 of 6x6 cells as it is."""
    torch.manual_seed(0)
    trunk = _narrow(name).eval()
    conv = trunk.fc6.get_submodule("conv")
    picture = 100 * torch.rand(1, trunk.in_chans, side, side)
    with torch.no_grad():
        if name == "vgg16":
            expected = trunk(picture)["fc7"][0, :, 3, 3]
        else:
            conv5 = trunk(picture)["conv5"]
            assert conv5.shape[2:] == (6, 6)
            x = F.conv2d(conv5, conv.weight, conv.bias)
            for layer in trunk.fc6[1:]:
                x = layer(x)
            expected = trunk.fc7(x)[0, :, 0, 0]
        network = FastRCNN(trunk, 20).eval()
        found = network.head(network.pool(network.features(picture[0]), torch.tensor([[0.0, 0, side, side]])))[0]
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_res5_and_its_mean_are_the_residual_networks_own():
    torch.manual_seed(0)
    trunk = _trunk("resnet18").eval()
    picture = 100 * torch.rand(1, 1, 224, 224)
    with torch.no_grad():
        expected = trunk(picture)["res5b"].mean((2, 3))
        network = FastRCNN(trunk, 20).eval()
        assert (network.layer, network.head.pooled) == ("res4b", 14)
        found = network.head(network.pool(network.features(picture[0]), torch.tensor([[0.0, 0, 224, 224]])))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["alexnet", "resnet18", "timm:mobilenetv3_small_050"])
def test_gradients_reach_every_parameter_down_to_the_first_convolution(name):
    torch.manual_seed(0)
    network = FastRCNN(_trunk(name), 3, pooled=None if name == "alexnet" else 2).train()
    scores, offsets = network([100 * torch.rand(1, 64, 96), 100 * torch.rand(1, 50, 70)], [ROIS, ROIS[1:3] / 2])
    assert (scores.shape, offsets.shape) == ((7, 4), (7, 4, 4))
    (scores.square().sum() + offsets.square().sum()).backward()
    without = [key for key, p in network.named_parameters() if p.requires_grad and (p.grad is None or not p.grad.any())]
    assert [key for key in without if not key.endswith("bias")] == []


def test_the_gradient_of_pooling_is_that_of_differences():
    torch.manual_seed(1)
    network = FastRCNN(Small(), 3).double()
    picture, rois = (100 * torch.rand(1, 24, 32)).double(), torch.tensor([[1.0, 2, 20, 19]]).double()
    weight = network.trunk.conv1.weight

    def value():
        features = network.trunk(picture[None])["conv2"]
        return pooled_region(features[0].detach(), rois[0].tolist(), 4, 1.5, 7).double().square().sum()

    network.float()
    network.pool(network.features(picture.float()), rois.float()).square().sum().backward()
    found = weight.grad[2, 0, 1, 1].double()
    network.double()
    differences = []
    with torch.no_grad():
        for step in (1e-4, -1e-4):
            network.trunk.conv1.weight[2, 0, 1, 1] += step
            differences.append(value())
            network.trunk.conv1.weight[2, 0, 1, 1] -= step
    torch.testing.assert_close(found, (differences[0] - differences[1]) / 2e-4, rtol=2e-2, atol=1e-4)


def test_scores_and_boxes_start_nearly_at_nothing():
    torch.manual_seed(0)
    network = FastRCNN(_trunk("alexnet"), 20)
    assert network.scores.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert network.offsets.weight.std().item() == pytest.approx(0.001, rel=0.02)
    assert (network.scores.out_features, network.offsets.out_features) == (21, 84)
    assert not network.scores.bias.any()
    assert not network.offsets.bias.any()


def test_what_was_frozen_in_the_trunk_stays_frozen_in_the_head():
    trunk = _trunk("resnet18")
    trunk.freeze("res5a")
    network = FastRCNN(trunk, 3).train()
    trained = {key for key, p in network.named_parameters() if p.requires_grad}
    assert not any(key.startswith(("trunk", "head.layers.0")) for key in trained)
    assert any(key.startswith("head.layers.1") for key in trained)
    assert not network.head.layers[0].bn1.training
    assert network.head.layers[1].bn1.training

    trunk = _trunk("resnet18")
    trunk.fix_statistics(trained=False)
    network = FastRCNN(trunk, 3).train()
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert len(norms) == 20
    assert not any(layer.training or layer.weight.requires_grad for layer in norms)
    assert network.head.layers[0].conv1.weight.requires_grad

    trunk = build_trunk("alexnet_bn")
    trunk.freeze("fc6")
    network = FastRCNN(trunk, 3).train()
    fc6, fc7 = network.head.layers[1], network.head.layers[2]
    assert not any(layer.training or any(p.requires_grad for p in layer.parameters()) for layer in fc6)
    assert all(layer.training and all(p.requires_grad for p in layer.parameters()) for layer in fc7)


def test_predicting_in_parts_changes_nothing_and_pictures_do_not_touch():
    torch.manual_seed(0)
    network = FastRCNN(Small(), 3).eval()
    picture, rois = 100 * torch.rand(1, 64, 96), ROIS.repeat(60, 1)
    with torch.no_grad():
        scores, _ = network([picture], [rois])
        torch.testing.assert_close(scores, network.predict(network.pool(network.features(picture), rois))[0])
        both, _ = network([picture, torch.zeros(1, 33, 47)], [ROIS, ROIS[1:2]])
    torch.testing.assert_close(both[:5], scores[:5])


def test_pictures_of_any_size_are_filled_up_with_the_mean_where_the_trunk_wants_multiples():
    torch.manual_seed(0)
    network = FastRCNN(_trunk("timm:mobilenetv3_small_050"), 3).eval()
    picture = 100 * torch.rand(1, 50, 70)
    filled = torch.full((1, 64, 96), network.trunk.mean)
    filled[:, :50, :70] = picture
    roi = torch.tensor([[0.0, 0, 40, 40]])
    with torch.no_grad():
        torch.testing.assert_close(
            network.pool(network.features(picture), roi), network.pool(network.features(filled), roi)
        )


def test_other_maps_and_sizes_than_the_trunks_own_are_taken_or_refused():
    network = FastRCNN(_trunk("alexnet"), 3, layer="conv3", pooled=3)
    assert network([100 * torch.rand(1, 64, 64)], [ROIS[1:2]])[0].shape == (1, 4)
    assert not network.head.pretrained
    with pytest.raises(ValueError, match="no feature map 'conv9'"):
        FastRCNN(_trunk("alexnet"), 3, layer="conv9")
    with pytest.raises(ValueError, match="takes regions of 6x6 cells, not 7x7"):
        FastRCNN(_trunk("alexnet"), 3, pooled=7)
