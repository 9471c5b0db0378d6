import math

import numpy as np
import pytest
import torch
from torch import nn

from tintype.data.voc import IGNORED
from tintype.networks import build_trunk
from tintype.networks.alexnet import block
from tintype.networks.trunk import Chain
from tintype.recipes import RecipeError
from tintype.transfer.voc_classifier import VocClassifier, crop_side, freeze_before, sigmoid_loss


class Small(Chain):
    """A chain with the layers' names of AlexNet."""

    def __init__(self, batch_norm=False, dropout=0.0):
        super().__init__(1)
        self.conv1 = block(nn.Conv2d(1, 6, 3, 2, 1), batch_norm)
        self.conv5 = block(nn.Conv2d(6, 8, 3, 2, 1), batch_norm)
        self.fc6 = block(nn.Conv2d(8, 32, 3, padding=1), batch_norm, dropout)
        self.fc7 = block(nn.Conv2d(32, 16, 1), batch_norm, dropout)
        self.chain([(name, [getattr(self, name)]) for name in ("conv1", "conv5", "fc6", "fc7")])


def _lightness(count=4, side=32, seed=0):
    return 100 * torch.rand(count, 1, side, side, generator=torch.Generator().manual_seed(seed))


def _labels(shape, seed=0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.choice(np.array([0, 1, IGNORED], np.uint8), size=shape, p=[0.6, 0.2, 0.2]))


def _caffe(scores, labels):
    """Loss and gradient as SigmoidCrossEntropyLoss of VOCC:src/python_layers.py has them, one number at a time."""
    loss, gradient = 0.0, np.zeros(scores.shape)
    for (n, c), f in np.ndenumerate(scores):
        t = int(labels[n, c])
        if t != 255:
            loss += math.log(1 + math.exp(-abs(f))) + ((f > 0) - t) * f
            gradient[n, c] = 1 / (1 + math.exp(-f)) - t
    return loss / len(scores), gradient / len(scores)


def test_loss_and_gradient_are_those_of_krahenbuhls_layer():
    scores = torch.randn(7, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 4
    scores.requires_grad_()
    labels = _labels((7, 20))
    loss = sigmoid_loss(scores, labels)
    loss.backward()
    expected, gradient = _caffe(scores.detach().numpy(), labels.numpy())
    assert loss.item() == pytest.approx(expected)
    np.testing.assert_allclose(scores.grad.numpy(), gradient, atol=1e-12)


def test_ignored_labels_have_no_loss_and_no_gradient_whatever_is_predicted():
    labels = _labels((6, 20), seed=2)
    found = []
    for extreme in (0.0, 1e4, -1e4, math.inf):
        scores = torch.randn(6, 20, generator=torch.Generator().manual_seed(3))
        scores[labels == IGNORED] = extreme
        scores.requires_grad_()
        loss = sigmoid_loss(scores, labels)
        loss.backward()
        found.append((loss.item(), scores.grad))
        assert (scores.grad[labels == IGNORED] == 0).all()
    assert len({loss for loss, _ in found}) == 1
    assert all(torch.equal(gradient, found[0][1]) for _, gradient in found)
    assert sigmoid_loss(torch.ones(2, 20), torch.full((2, 20), IGNORED, dtype=torch.uint8)) == 0


def test_scores_are_fc8_of_the_mean_of_the_last_map():
    torch.manual_seed(0)
    network = VocClassifier(Small(), 20).eval()
    x = _lightness()
    features = network.trunk(x)["fc7"].detach().numpy()
    weight, bias = network.fc8.weight.detach().numpy(), network.fc8.bias.detach().numpy()
    expected = [[sum(f[k].mean() * weight[c, k] for k in range(16)) + bias[c] for c in range(20)] for f in features]
    np.testing.assert_allclose(network(x).detach().numpy(), expected, rtol=1e-4, atol=1e-6)


def test_fc8_starts_as_in_train_cls():
    torch.manual_seed(0)
    fc8 = VocClassifier(build_trunk("resnet18"), 20).fc8
    assert fc8.weight.std().item() == pytest.approx(0.01, rel=0.03)
    assert abs(fc8.weight.mean().item()) < 3e-4
    assert (fc8.bias == 0.1).all()


@pytest.mark.parametrize("own", [0.0, 0.3])
def test_dropout_of_one_half_stands_behind_fc6_and_fc7_in_training_only_frozen_or_not(own):
    trunk = Small(dropout=own)
    freeze_before(trunk, "fc8")
    network = VocClassifier(trunk, 3).train()
    assert [module.p for module in network.modules() if isinstance(module, nn.Dropout)] == [0.5, 0.5]
    x = 100 * torch.ones(1, 1, 64, 64)
    silent = {name: network.trunk(x)[name] == 0 for name in ("fc6", "fc7")}
    whole = {name: network.eval().trunk(x)[name] == 0 for name in ("fc6", "fc7")}
    for name, zeros in silent.items():
        live = ~whole[name]
        assert zeros[live].float().mean() == pytest.approx(0.5, abs=0.1) or name == "fc7"
    network.train()
    assert not torch.equal(network(x), network(x))
    network.eval()
    assert torch.equal(network(x), network(x))


FROZEN = {
    ("small", "fc8"): ("trunk.",),
    ("small", "fc6"): ("trunk.conv1", "trunk.conv5"),
    ("small", "all"): (),
    ("resnet18", "fc6"): ("trunk.body.conv1", "trunk.body.bn1", *(f"trunk.body.layer{n}" for n in (1, 2, 3))),
}


@pytest.mark.parametrize(("name", "first"), FROZEN, ids=str)
def test_training_changes_every_layer_from_the_first_one_on_and_nothing_of_those_before(name, first):
    torch.manual_seed(0)
    trunk = Small(batch_norm=True) if name == "small" else build_trunk(name)
    freeze_before(trunk, first)
    network = VocClassifier(trunk, 20).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    chosen = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(chosen, 0.01, momentum=0.9, weight_decay=1e-3)
    for step in range(2):
        optimizer.zero_grad()
        sigmoid_loss(network(_lightness(4, 48, step)), _labels((4, 20), step)).backward()
        optimizer.step()
    after = network.state_dict()
    same = {key for key in before if torch.equal(before[key], after[key])}
    # Not even biases that batch-norm takes away again stay the same, for they decay. Zero ones do.
    changed = {key for key in before if not key.startswith(FROZEN[name, first] or ("no",))}
    still = {key for key in changed if not before[key].any() and key.endswith("bias")}
    assert same - still == set(before) - changed - still
    assert {"fc8.weight", "fc8.bias"} <= changed


@pytest.mark.parametrize(
    ("name", "trained"),
    [
        ("vgg16_bn", {"fc6", "fc7"}),
        ("alexnet_dilated_bn", {"fc6", "fc7"}),
        ("zhang16", {"conv7"}),
    ],
)
def test_what_is_trained_from_fc6_on_is_the_classifier_or_the_last_stage(name, trained):
    with torch.device("meta"):
        trunk = build_trunk(name)
    freeze_before(trunk, "fc6")
    names = [parameter for parameter, p in trunk.named_parameters() if p.requires_grad]
    assert all(any(parameter.startswith(f"{part}.") for part in trained) for parameter in names)
    rest = [parameter for parameter, p in trunk.named_parameters() if not p.requires_grad]
    assert not any(parameter.startswith(f"{part}.") for part in trained for parameter in rest)
    assert names


def test_timm_trunks_are_frozen_before_their_last_stage():
    trunk = build_trunk("timm:test_resnet")
    freeze_before(trunk, "fc6")
    trained = {name.split(".")[1] for name, p in trunk.named_parameters() if p.requires_grad}
    assert trained == {"layer4"}
    network = VocClassifier(trunk, 20).train()
    sigmoid_loss(network(_lightness(2, 64)), _labels((2, 20))).backward()
    assert all(p.grad is not None for p in trunk.parameters() if p.requires_grad)


def test_a_trunk_of_one_stage_has_nothing_before_it():
    class One(Chain):
        def __init__(self):
            super().__init__(1)
            self.conv1 = nn.Conv2d(1, 4, 3)
            self.chain([("conv1", [self.conv1])])

    with pytest.raises(RecipeError, match=r"^key 'train_from' is fc6, but this trunk has nothing before conv1$"):
        freeze_before(One(), "fc6")


def test_pictures_are_227_wide_for_alexnet_224_for_others_and_multiples_of_what_the_trunk_wants():
    with torch.device("meta"):
        alexnet, zhang16 = build_trunk("alexnet"), build_trunk("zhang16")
    assert [crop_side(trunk, 0) for trunk in (alexnet, zhang16)] == [227, 224]
    assert crop_side(zhang16, 96) == 96
    timm = build_trunk("timm:test_resnet")
    assert crop_side(timm, 0) == 224
    with pytest.raises(RecipeError, match=r"^key 'crop' is 100; this trunk takes multiples of 32$"):
        crop_side(timm, 100)
