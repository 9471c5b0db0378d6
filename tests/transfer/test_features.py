import numpy as np
import pytest
import torch
from torch import nn

from tintype.networks.alexnet import block
from tintype.networks.trunk import Chain
from tintype.transfer.features import layer_features, unit_length
from tintype.transfer.subject import Subject


class Normed(Chain):
    def __init__(self):
        super().__init__(1)
        self.conv1 = block(nn.Conv2d(1, 6, 3, 2, 1), True)
        self.conv2 = block(nn.Conv2d(6, 10, 3, 2, 1), True, 0.5)
        self.chain([("conv1", [self.conv1]), ("conv2", [self.conv2])])


@pytest.fixture
def subject():
    torch.manual_seed(0)
    trunk = Normed()
    with torch.no_grad():
        for norm in (trunk.conv1.norm, trunk.conv2.norm):
            norm.running_mean.normal_(10, 5)
            norm.running_var.uniform_(1, 30)
    return Subject(trunk.train(), "mean", {"trunk": "normed"})


def _pictures(count=7, side=36):
    return torch.randint(256, (count, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


def _slowly(subject, picture, layer, dimensions):
    """One picture's features: what the layers compute with their statistics, averaged cell by cell."""
    x = (100 * picture.double().mean(dim=0, keepdim=True)[None] / 255 - 50).float()
    for name in ("conv1", "conv2"):
        step = getattr(subject.trunk, name)
        x = step.conv(x)
        mean, var = step.norm.running_mean[:, None, None], step.norm.running_var[:, None, None]
        x = ((x - mean) / (var + 1e-5).sqrt()).clamp(min=0)
        if name == layer:
            break
    values = x[0].detach().numpy()
    side = values.shape[1]
    cells = round((dimensions / len(values)) ** 0.5)
    ends = [(i * side // cells, -(-(i + 1) * side // cells)) for i in range(cells)]
    return [plane[a:b, c:d].mean() for plane in values for a, b in ends for c, d in ends]


@pytest.mark.parametrize(("layer", "dimensions"), [("conv1", 100), ("conv2", 160)])
def test_features_are_the_layers_outputs_in_evaluation_mode_averaged_cell_by_cell(subject, layer, dimensions):
    pictures = _pictures()
    found = layer_features(subject, [layer], [pictures], dimensions=dimensions)[layer]
    assert found.dtype == np.float32
    expected = [_slowly(subject, picture, layer, dimensions) for picture in pictures]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_not_a_byte_of_the_trunk_changes_nor_the_mode_it_is_in(subject):
    before = {key: value.clone() for key, value in subject.trunk.state_dict().items()}
    layer_features(subject, ["conv1", "conv2"], [_pictures(), _pictures(3)])
    assert subject.trunk.training
    assert all(module.training for module in subject.trunk.modules())
    for key, value in subject.trunk.state_dict().items():
        assert value.numpy().tobytes() == before[key].numpy().tobytes(), key
    assert any(key.endswith("running_mean") for key in before)
    subject.trunk(subject.look(_pictures()))  # in training mode they would
    assert not torch.equal(subject.trunk.conv1.norm.running_mean, before["conv1.norm.running_mean"])


def test_a_pictures_features_do_not_depend_on_those_beside_it(subject):
    pictures = _pictures()
    whole = layer_features(subject, ["conv2"], [pictures])["conv2"]
    parts = layer_features(subject, ["conv2"], [pictures[:1], pictures[1:3], pictures[3:]])["conv2"]
    np.testing.assert_allclose(whole, parts, rtol=1e-5, atol=1e-6)


def test_vectors_of_unit_length_point_where_they_did():
    features = np.random.default_rng(0).normal(size=(4, 50)).astype(np.float32)
    features[2] = 0
    unit = unit_length(features)
    assert np.linalg.norm(unit, axis=1) == pytest.approx([1, 1, 0, 1], abs=1e-5)
    np.testing.assert_allclose(unit[0] * np.linalg.norm(features[0]), features[0], rtol=1e-4)
