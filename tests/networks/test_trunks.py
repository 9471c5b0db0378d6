import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.networks import build_network, build_trunk
from tintype.networks.dense import Linear

ALEXNET = {
    "data": (1, 1),
    "conv1": (96, 4),
    "conv2": (256, 8),
    **{f"conv{n}": (w, 16) for n, w in ((3, 384), (4, 384), (5, 256))},
}
VGG16 = {
    "data": (1, 1),
    **{
        f"conv{stage}_{i}": (width, 2 ** (stage - 1))
        for stage, width, count in ((1, 64, 2), (2, 128, 2), (3, 256, 3), (4, 512, 3), (5, 512, 3))
        for i in range(1, count + 1)
    },
    "fc6": (4096, 32),
    "fc7": (4096, 32),
}
RESNET152 = {
    "conv1": (64, 2),
    **{f"res2{b}": (256, 4) for b in "abc"},
    **{f"res3{b}": (512, 8) for b in ("a", *(f"b{i}" for i in range(1, 8)))},
    **{f"res4{b}": (1024, 16) for b in ("a", *(f"b{i}" for i in range(1, 36)))},
    **{f"res5{b}": (2048, 32) for b in "abc"},
}
# PAPERS C2: the layers of the released hypercolumns
COLUMNS = {
    "alexnet": "data conv1 conv2 conv3 conv4 conv5 fc6 fc7",
    "vgg16": " ".join(VGG16),
    "resnet152": "conv1 res2a res2b res2c res3b1 res3b4 res3b7 "
    "res4b5 res4b10 res4b15 res4b20 res4b25 res4b30 res4b35 res5c",
}

RESNET18_HALF = {"conv1": (64, 2)} | {
    f"res{stage}{block}": (2**stage * 8, 2**stage) for stage in (2, 3, 4, 5) for block in "ab"
}
ZHANG16_QUARTER = [(1, 16, 2), (2, 32, 4), (3, 64, 8), (4, 128, 8), (5, 128, 8), (6, 128, 8), (7, 128, 8)]


def picture(*size: int) -> Tensor:
    return torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0)) * 100


@pytest.fixture(scope="module")
def trunks():
    """Made once: AlexNet and VGG-16 have a hundred million weights."""
    made: dict[str, nn.Module] = {}

    def get(name: str) -> nn.Module:
        if name not in made:
            torch.manual_seed(0)
            made[name] = build_trunk(name)
        return made[name].eval()

    return get


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("alexnet", {**ALEXNET, "fc6": (4096, 32), "fc7": (4096, 32)}),
        ("alexnet_dilated_bn", {**ALEXNET, "fc6": (4096, 16), "fc7": (4096, 16)}),
        ("vgg16_bn", VGG16),
        ("resnet152", RESNET152),
        ("vgg16_bn_quarter", {key: (max(1, c // 4), s) for key, (c, s) in VGG16.items()}),
        ("resnet18_half", RESNET18_HALF),
        ("zhang16_quarter", {f"conv{n}": (w, s) for n, w, s in ZHANG16_QUARTER}),
    ],
)
def test_the_papers_layers_are_there_with_their_channels_and_strides(name, layers, trunks):
    trunk = trunks(name)
    assert {key: (trunk.channels[key], trunk.strides[key]) for key in trunk.strides} == layers
    with torch.no_grad():
        features = trunk(picture(64, 96))
    for key, (channels, stride) in layers.items():
        assert features[key].shape == (2, channels, 64 // stride, 96 // stride), key


@pytest.mark.parametrize("name", COLUMNS)
def test_hypercolumns_read_the_layers_of_the_released_code(name, trunks):
    assert list(trunks(name).columns) == COLUMNS[name].split()


@pytest.mark.parametrize(
    ("name", "mean", "std"),
    [("alexnet", 44.766, 100), ("alexnet_dilated_bn", 50, 1), ("vgg16_bn", 44.88, 100), ("resnet152", 44.766, 100)],
)
def test_the_papers_grey_means_are_subtracted(name, mean, std, trunks):
    trunk = trunks(name)
    assert (trunk.mean, trunk.std) == (pytest.approx(mean, abs=1e-3), std)


def written_out(state: dict[str, Tensor], x: Tensor) -> dict[str, Tensor]:
    """Zhang16's AlexNet as PAPERS B1 tabulates it: batch-norm without scale before each ReLU."""
    features = {}

    def layer(name: str, x: Tensor, **how: int) -> Tensor:
        x = F.conv2d(x, state[f"{name}.conv.weight"], state[f"{name}.conv.bias"], **how)
        mean, variance = (state[f"{name}.norm.running_{s}"][:, None, None] for s in ("mean", "var"))
        features[name] = ((x - mean) / torch.sqrt(variance + 1e-5)).clamp(min=0)
        return features[name]

    x = F.max_pool2d(layer("conv1", x - 50, stride=4, padding=5), 3, 2, 1)
    x = F.max_pool2d(layer("conv2", x, padding=2, groups=2), 3, 2, 1)
    x = layer("conv3", x, padding=1)
    x = layer("conv4", x, padding=1, groups=2)
    x = F.max_pool2d(layer("conv5", x, padding=1, groups=2), 3, 1, 1)
    layer("fc7", layer("fc6", x, padding=5, dilation=2))
    return features


def test_zhang16s_alexnet_is_the_released_prototxt_written_out(trunks):
    trunk = trunks("alexnet_dilated_bn")
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert not module.affine
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    with torch.no_grad():
        found, expected = trunk(picture(52, 60)), written_out(trunk.state_dict(), picture(52, 60))
    for name, theirs in expected.items():
        torch.testing.assert_close(found[name], theirs, rtol=1e-3, atol=1e-4 * float(theirs.max()), msg=name)


def test_on_crops_of_180_it_predicts_at_every_eighth_pixel(trunks):
    trunk = trunks("alexnet_dilated_bn")
    head = Linear(trunk, 5)
    with torch.no_grad():
        features = trunk(picture(180, 180))
        prediction = head(features, (180, 180))
        fc8 = head.predict(features["fc7"])
    assert fc8.shape[2:] == (12, 12)
    assert prediction.shape == (2, 5, 23, 23)  # as many labels as pixels 0, 8 … 176
    torch.testing.assert_close(prediction[:, :, ::2, ::2], fc8)
    torch.testing.assert_close(prediction[:, :, 1::2, ::2], (fc8[:, :, 1:] + fc8[:, :, :-1]) / 2, atol=1e-5, rtol=1e-4)


def test_larsson17s_fully_connected_layers_drop_half_when_training_and_zhang16s_none(trunks):
    rates = {
        name: [m.p for m in trunks(name).modules() if isinstance(m, nn.Dropout)] for name in ("vgg16_bn", "alexnet")
    }
    assert rates == {"vgg16_bn": [0.5, 0.5], "alexnet": [0.5, 0.5]}
    assert not any(isinstance(m, nn.Dropout) for m in trunks("alexnet_dilated_bn").modules())


def test_batch_norm_has_no_scale_and_comes_before_every_relu(trunks):
    layers = [m for m in trunks("vgg16_bn").modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d | nn.ReLU)]
    kinds = [nn.Conv2d if isinstance(m, nn.Conv2d) else type(m) for m in layers]
    assert kinds == [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 15
    assert not any(m.affine for m in layers if isinstance(m, nn.BatchNorm2d))


def test_every_trunk_goes_with_every_head_that_its_strides_allow():
    for trunk, head, stride in (("resnet18", "linear", 8), ("resnet18", "pyramid", 4), ("zhang16", "linear", 8)):
        network = build_network(trunk, head, 7).eval()
        assert network.stride == stride
        with torch.no_grad():
            assert network(picture(64, 96)).shape == (2, 7, 64 // stride, 96 // stride)
