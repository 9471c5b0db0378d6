import numpy as np
import pytest
import torch

from tintype.objectives import Regression


def some_map(seed: int, scale: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 2, 3, 4, generator=generator, dtype=torch.float64) * scale


def slow_loss(ab: np.ndarray, target: np.ndarray) -> float:
    """½ Σ ‖Y - Ŷ‖² (Zhang16, eq. 1), divided by the number of places."""
    total = 0.0
    for b, y, x in np.ndindex(2, 3, 4):
        total += 0.5 * ((ab[b, 0, y, x] - target[b, 0, y, x]) ** 2 + (ab[b, 1, y, x] - target[b, 1, y, x]) ** 2)
    return total / (2 * 3 * 4)


def test_loss_is_half_the_squared_distance_of_the_decoded_colour_averaged_over_places():
    regression, prediction, ab = Regression(), some_map(0, 1.0), some_map(1, 40.0)
    loss = regression.loss(prediction, regression.target(ab))
    assert loss.shape == ()
    assert loss.item() == pytest.approx(slow_loss(regression.decode(prediction).numpy(), ab.numpy()), rel=1e-9)


def test_gradient_is_that_of_finite_differences():
    regression, ab, prediction = Regression(), some_map(1, 40.0), some_map(0, 1.0).requires_grad_()
    # Large steps do no harm to a parabola, and rise above float32, in which the loss is summed.
    assert torch.autograd.gradcheck(
        lambda x: regression.loss(x, regression.target(ab)), prediction, eps=0.5, atol=0.01, rtol=1e-3
    )


def test_gradient_is_the_error_times_the_outputs_scale_over_the_number_of_places():
    regression, ab = Regression(), some_map(1, 40.0)
    prediction = some_map(0, 1.0).requires_grad_()
    (gradient,) = torch.autograd.grad(regression.loss(prediction, regression.target(ab)), prediction)
    scale = regression.decode(torch.ones(1, 2, 1, 1, dtype=torch.float64)).flatten()[0]
    expected = (regression.decode(prediction) - ab) * scale / (2 * 3 * 4)
    torch.testing.assert_close(gradient, expected.detach())


def test_predicting_the_target_costs_nothing():
    regression, prediction = Regression(), some_map(0, 1.0)
    assert regression.loss(prediction, regression.target(regression.decode(prediction))).item() == 0


def test_numbers_near_one_reach_all_of_srgbs_colours():
    unit = Regression().decode(torch.ones(1, 2, 1, 1))
    assert 50 <= unit.min() == unit.max() <= 200
    assert Regression().decode(torch.zeros(1, 2, 1, 1)).eq(0).all()


def test_the_temperature_is_ignored():
    prediction = some_map(0, 1.0)
    assert Regression().decode(prediction, 0.1).equal(Regression().decode(prediction))


def test_larsson17s_form_is_the_squared_distance_in_lab_scaled_to_one():
    regression, prediction, ab = Regression("larsson17"), some_map(0, 1.0), some_map(1, 40.0)
    loss = regression.loss(prediction, regression.target(ab)).item()
    assert loss == pytest.approx(2 * slow_loss(prediction.numpy(), ab.numpy() / 110), rel=1e-6)
    assert regression.decode(prediction).equal(Regression().decode(prediction))


def test_points_count_as_places_do():
    regression, prediction, ab = Regression(), some_map(0, 1.0), some_map(1, 40.0)
    assert regression.loss(prediction.flatten(2), ab.flatten(2)) == regression.loss(prediction, ab)


def test_it_predicts_two_channels():
    assert Regression().channels == 2


def test_low_precision_predictions_are_summed_in_float32():
    regression, prediction, ab = Regression(), some_map(0, 1.0).bfloat16(), some_map(1, 40.0).float()
    loss = regression.loss(prediction, regression.target(ab))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(
        slow_loss(regression.decode(prediction.double()).numpy(), ab.double().numpy()), rel=1e-5
    )
