import math
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from skimage.color import lab2rgb
from torch.nn import functional as F

from tintype.pretrain.recipe import Refine
from tintype.pretrain.refine import Refinement, colour_loss, feature_distance, neutral_loss

RNG = np.random.default_rng(0)


def some(*shape, scale=20.0):
    return torch.from_numpy(RNG.normal(0, scale, shape))


def places(ab):
    return ab.permute(0, 2, 3, 1).reshape(-1, 2).tolist()


def test_colour_loss_is_the_mean_error_in_steps_of_the_bins():
    given, target = some(2, 2, 3, 4), some(2, 2, 3, 4)
    errors = [math.sqrt(math.dist(p, t) ** 2 + 1) for p, t in zip(places(given), places(target), strict=True)]
    assert float(colour_loss(given, target)) == pytest.approx(sum(errors) / len(errors) / 10)


def test_neutral_loss_is_the_chroma_above_4_where_there_should_be_none():
    given, target = some(2, 2, 6, 4), some(2, 2, 6, 4, scale=3)
    excess = [
        max(math.hypot(*p, 1) - 4, 0) if math.hypot(*t) < 4 else 0.0
        for p, t in zip(places(given), places(target), strict=True)
    ]
    assert 0 < sum(value > 0 for value in excess) < len(excess)
    assert float(neutral_loss(given, target)) == pytest.approx(sum(excess) / len(excess) / 10)


@pytest.mark.parametrize("loss", [colour_loss, neutral_loss])
def test_gradients_are_right_and_finite_where_the_error_is_nought(loss):
    target = some(1, 2, 3, 3, scale=3)
    torch.autograd.gradcheck(lambda given: loss(given, target), some(1, 2, 3, 3).requires_grad_())
    exact = target.clone().requires_grad_()
    loss(exact, target).backward()
    assert exact.grad.isfinite().all()


def test_feature_distance_is_relative_to_each_maps_size():
    expected = [some(2, 3, 4, 4), some(2, 5, 2, 2, scale=900)]
    given = [1.1 * expected[0], 1.3 * expected[1]]
    assert float(feature_distance(given, expected)) == pytest.approx((0.1**2 + 0.3**2) / 2)
    assert float(feature_distance(expected, expected)) == 0


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A classifier for colour, and the file of its weights."""
    torch.manual_seed(0)
    model = timm.create_model("test_efficientnet").eval()
    path = tmp_path_factory.mktemp("classifier") / "classifier.safetensors"
    save_file(model.state_dict(), path)
    return model, path


def lab_picture(lightness, ab):
    """The picture as the classifier was trained on, from scikit-image's colour conversion."""
    lab = torch.cat([lightness, ab], dim=1).permute(0, 2, 3, 1).numpy()
    rgb = torch.from_numpy(lab2rgb(lab)).permute(0, 3, 1, 2).float()
    config = timm.get_pretrained_cfg("test_efficientnet")
    return (rgb - torch.tensor(config.mean)[:, None, None].mean()) / torch.tensor(config.std)[:, None, None].mean()


def test_features_are_the_classifiers_of_the_picture_that_comes_out(classifier):
    model, path = classifier
    lightness, ab = 30 + 40 * torch.rand(1, 1, 32, 32), 20 * torch.rand(1, 2, 32, 32)
    decoded = 20 * torch.rand(1, 2, 8, 8)
    refinement = Refinement(Refine(features=2.0, classifier="test_efficientnet"), path)
    with torch.no_grad():
        loss = refinement(decoded, decoded, lightness, ab)

    enlarged = F.interpolate(decoded, size=(32, 32), mode="bilinear", align_corners=False)
    with torch.no_grad():
        pictures = [lab_picture(lightness, x) for x in (enlarged, ab)]
        maps = [model.forward_intermediates(picture, intermediates_only=True) for picture in pictures]
    parts = [float((p - t).square().mean() / t.square().mean()) for p, t in zip(*maps, strict=True)]
    assert float(loss) == pytest.approx(2 * np.mean(parts), rel=1e-2)


def test_features_teach_the_colours_and_leave_the_classifier_alone(classifier):
    refinement = Refinement(Refine(features=1.0, classifier="test_efficientnet"), classifier[1])
    before = {name: value.clone() for name, value in refinement.state_dict().items()}
    lightness, ab = torch.full((1, 1, 32, 32), 60.0), torch.full((1, 2, 32, 32), 25.0)
    decoded = torch.zeros(1, 2, 8, 8, requires_grad=True)
    start = refinement(decoded, decoded, lightness, ab)
    for _ in range(30):
        (gradient,) = torch.autograd.grad(refinement(decoded, decoded, lightness, ab), decoded)
        decoded = (decoded - 2 * gradient.sign()).detach().requires_grad_()
    assert refinement(decoded, decoded, lightness, ab).item() < 0.1 * start.item()
    assert all(torch.equal(value, before[name]) for name, value in refinement.state_dict().items())


def test_the_sum_is_weighted(classifier):
    decoded, target = 20 * torch.rand(1, 2, 8, 8), 3 * torch.rand(1, 2, 8, 8)
    lightness, ab = torch.full((1, 1, 32, 32), 60.0), torch.zeros(1, 2, 32, 32)
    both = Refinement(Refine(colour=0.5, neutral=3.0), None)(decoded, target, lightness, ab)
    assert float(both) == pytest.approx(
        0.5 * float(colour_loss(decoded, target)) + 3 * float(neutral_loss(decoded, target))
    )


def test_strange_classifiers_are_named(tmp_path: Path):
    with pytest.raises(ValueError, match="no model 'nonesuch'"):
        Refinement(Refine(features=1.0, classifier="nonesuch"), None)
