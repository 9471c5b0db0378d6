import pytest
import torch
from torch.nn import functional as F

from tintype.objectives import Autoencoder


def some_map(seed: int) -> torch.Tensor:
    return torch.rand(2, 1, 3, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_loss_is_the_mean_squared_error_of_lightness_between_minus_one_and_one():
    autoencoder, prediction, lightness = Autoencoder(), some_map(0), 100 * some_map(1)
    expected = F.mse_loss(prediction.float(), (lightness / 50 - 1).float())
    torch.testing.assert_close(autoencoder.loss(prediction, autoencoder.target(lightness)).float(), expected)
    assert autoencoder.loss(lightness / 50 - 1, lightness).item() == pytest.approx(0, abs=1e-12)


def test_gradient_is_twice_the_error_over_the_number_of_places():
    prediction, lightness = some_map(0).requires_grad_(), 100 * some_map(1)
    (gradient,) = torch.autograd.grad(Autoencoder().loss(prediction, lightness), prediction)
    torch.testing.assert_close(gradient, 2 * (prediction.detach() - (lightness / 50 - 1)) / 24, rtol=1e-5, atol=1e-7)


def test_points_count_as_places_do():
    prediction, lightness = some_map(0), 100 * some_map(1)
    assert Autoencoder().loss(prediction.flatten(2), lightness.flatten(2)) == Autoencoder().loss(prediction, lightness)


def test_it_knows_no_colours():
    decoded = Autoencoder().decode(some_map(0))
    assert decoded.shape == (2, 2, 3, 4)
    assert not decoded.any()
