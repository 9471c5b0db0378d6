import numpy as np
import pytest
import torch
from torch import Tensor

from reference import bins_loss as reference
from reference.bins import bin_centres
from reference.encoding import annealed_mean
from tintype.objectives import Bins

CENTRES = bin_centres().astype(float)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def some_prior() -> np.ndarray:
    """Falls from grey outward by a factor of a million, with some bins that are never seen."""
    prior = np.exp(-np.linalg.norm(CENTRES, axis=1) / 8)
    prior[::50] = 0
    return prior / prior.sum()


def some_ab() -> Tensor:
    """Three pictures: vivid, one that is grey but for a spot, and one all grey."""
    ab = torch.randn(3, 2, 4, 5, generator=generator()) * torch.tensor([40.0, 1.0, 1.5])[:, None, None, None]
    ab[1, 1, 2, 2] = -30
    ab[2].clamp_(-5, 5)
    return ab


def some_logits(dtype: torch.dtype = torch.float64) -> Tensor:
    return (torch.randn(3, 313, 4, 5, generator=generator(), dtype=torch.float64) * 3).to(dtype).requires_grad_()


SETTINGS = {
    "class": {},
    "full": {"prior": some_prior()},
    "as released": {"prior": some_prior(), "k": 10},
    "inverse prior": {"prior": some_prior(), "uniform": 0.0},
    "almost uniform": {"prior": some_prior(), "uniform": 0.9},
    "one-hot": {"k": 1},
    "wide": {"k": 10, "sigma": 15.0, "prior": some_prior()},
    "grey kept": {"drop_grey": False},
    "full, grey kept": {"prior": some_prior(), "drop_grey": False},
}


def objective(settings: dict) -> Bins:
    return Bins(**{k: torch.from_numpy(v) if k == "prior" else v for k, v in settings.items()})


def loss_and_gradient(loss: Tensor, logits: Tensor) -> tuple[float, Tensor]:
    (gradient,) = torch.autograd.grad(loss, logits)
    return loss.item(), gradient


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_loss_and_gradient_are_those_of_dense_soft_targets(settings, dtype):
    bins, ab, logits = objective(settings), some_ab(), some_logits(dtype)
    value, gradient = loss_and_gradient(bins.loss(logits, bins.target(ab)), logits)
    expected, expected_gradient = loss_and_gradient(reference.loss(logits, ab, **settings), logits)
    assert value == pytest.approx(expected, rel=1e-5)
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-4, atol=1e-5 * float(expected_gradient.abs().max()))


@pytest.mark.parametrize("settings", [SETTINGS["class"], SETTINGS["full"]], ids=["class", "full"])
def test_gradient_is_that_of_finite_differences(settings):
    bins = objective(settings)
    target = bins.target(torch.tensor([[[[12.0, -3]], [[40, 8]]]]))
    largest = target.rarity.max()  # brings every setting to one scale
    logits = torch.randn(1, 313, 1, 2, generator=generator(), dtype=torch.float64, requires_grad=True)
    # Steps far above float64's usual ones: the loss is summed in float32.
    assert torch.autograd.gradcheck(lambda x: bins.loss(x, target) / largest, logits, eps=0.02, atol=1e-4, rtol=1e-3)


def test_the_rebalanced_gradient_at_a_place_is_its_rarity_times_the_unweighted_one():
    """The released code weighs the gradient only. Here loss and gradient are both weighted, so both are tested."""
    ab, logits = some_ab(), some_logits()
    plain, full = objective(SETTINGS["class"]), objective(SETTINGS["full"])
    _, unweighted = loss_and_gradient(plain.loss(logits, plain.target(ab)), logits)
    _, weighted = loss_and_gradient(full.loss(logits, full.target(ab)), logits)
    rarity = reference.place_weights(ab, reference.dense_target(ab, 5, 5.0), some_prior(), 0.5, True)
    assert rarity[:2].max() > 3 * rarity[:2].min() > 0
    torch.testing.assert_close(weighted, unweighted * rarity[:, None], rtol=1e-4, atol=1e-9)


def test_lambda_one_rebalances_nothing():
    ab, logits = some_ab(), some_logits()
    plain, uniform = Bins(), Bins(prior=torch.from_numpy(some_prior()), uniform=1.0)
    assert uniform.loss(logits, uniform.target(ab)).item() == pytest.approx(
        plain.loss(logits, plain.target(ab)).item(), rel=1e-6
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("settings", [SETTINGS["class"], SETTINGS["full"]], ids=["class", "full"])
def test_low_precision_logits_lose_no_more_than_they_had_lost(settings, dtype):
    """The sums are made in float32: against the same rounded logits only the gradient's own rounding is left."""
    bins, ab, logits = objective(settings), some_ab(), some_logits(dtype)
    value, gradient = loss_and_gradient(bins.loss(logits, bins.target(ab)), logits)
    expected, expected_gradient = loss_and_gradient(
        reference.loss(logits, ab, **settings), logits
    )  # autograd casts the twin's float64 gradient to the logits' own type
    assert value == pytest.approx(expected, rel=1e-5)
    assert gradient.dtype == dtype
    torch.testing.assert_close(gradient, expected_gradient, rtol=0.02, atol=1e-6)


def test_loss_of_low_precision_logits_is_not_rounded_to_their_type():
    bins, logits = Bins(), some_logits(torch.bfloat16)
    assert bins.loss(logits, bins.target(some_ab())).dtype == torch.float32


def test_under_autocast_loss_and_gradient_are_the_same():
    bins, ab, logits = objective(SETTINGS["full"]), some_ab(), some_logits(torch.float32)
    expected = loss_and_gradient(bins.loss(logits, bins.target(ab)), logits)
    with torch.autocast("cpu", torch.bfloat16):
        found = loss_and_gradient(bins.loss(logits, bins.target(ab)), logits)
    assert found[0] == pytest.approx(expected[0], rel=1e-6)
    torch.testing.assert_close(found[1], expected[1])


@pytest.mark.parametrize("size", [1, 50, 80])
def test_large_logits_overflow_nowhere(size):
    bins, ab = Bins(), some_ab()
    logits = (some_logits().detach() * size).float().requires_grad_()
    value, gradient = loss_and_gradient(bins.loss(logits, bins.target(ab)), logits)
    expected, expected_gradient = loss_and_gradient(reference.loss(logits, ab), logits)
    assert value == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("settings", [SETTINGS["class"], SETTINGS["full"]], ids=["class", "full"])
def test_a_batch_without_colour_has_zero_loss_and_zero_gradient(settings):
    bins, logits = objective(settings), some_logits()
    value, gradient = loss_and_gradient(bins.loss(logits, bins.target(torch.zeros(3, 2, 4, 5))), logits)
    assert value == 0
    assert (gradient == 0).all()


@pytest.mark.parametrize(
    ("spot", "counts"),
    [((5.0, 5.0), False), ((5.01, 0), True), ((0, -5.01), True), ((-5.0, 0), False), ((4, 4), False)],
)
def test_a_picture_counts_as_soon_as_one_place_has_a_or_b_above_five(spot, counts):
    ab = torch.zeros(1, 2, 4, 5)
    ab[0, :, 3, 1] = torch.tensor(spot)
    bins, logits = Bins(), some_logits()[:1]
    assert bool(bins.loss(logits, bins.target(ab)) > 0) == counts


def test_grey_places_of_a_picture_with_colour_stay_in_the_loss():
    ab, logits = some_ab(), some_logits()
    bins = Bins()
    _, gradient = loss_and_gradient(bins.loss(logits, bins.target(ab)), logits)
    per_place = gradient.abs().sum(1)
    assert (per_place[1] > 0).all()
    assert (per_place[2] == 0).all()


def test_a_dropped_picture_still_counts_in_the_mean():
    """As the released code, which divides by the batch: otherwise the other pictures' steps would grow."""
    ab, logits = some_ab(), some_logits()
    bins = Bins()
    with_grey = bins.loss(logits, bins.target(ab))
    without = bins.loss(logits[:2], bins.target(ab[:2]))
    assert with_grey.item() == pytest.approx(without.item() * 2 / 3, rel=1e-6)


def test_the_gradient_scales_with_what_is_made_of_the_loss():
    bins, ab, logits = Bins(), some_ab(), some_logits()
    _, gradient = loss_and_gradient(bins.loss(logits, bins.target(ab)), logits)
    _, scaled = loss_and_gradient(bins.loss(logits, bins.target(ab)) * -3.0, logits)
    torch.testing.assert_close(scaled, gradient * -3.0)


def test_a_second_backward_pass_gives_the_same_gradient():
    """The gradient is made in place in one buffer: using it up must not spoil the next."""
    bins, ab, logits = Bins(), some_ab(), some_logits()
    loss = bins.loss(logits, bins.target(ab))
    (first,) = torch.autograd.grad(loss * 2, logits, retain_graph=True)
    kept = first.clone()
    first.zero_()
    try:
        (second,) = torch.autograd.grad(loss * 2, logits, retain_graph=True)
    except RuntimeError:  # refusing is as good
        return
    torch.testing.assert_close(second, kept)


def test_a_second_derivative_is_refused_rather_than_wrong():
    bins, ab, logits = Bins(), some_ab(), some_logits()
    (first,) = torch.autograd.grad(bins.loss(logits, bins.target(ab)), logits, create_graph=True)
    if not first.requires_grad:
        return
    with pytest.raises(RuntimeError):
        torch.autograd.grad(first.square().sum(), logits)


def test_loss_leaves_logits_and_target_as_they_were():
    bins, ab, logits = objective(SETTINGS["full"]), some_ab(), some_logits(torch.float32)
    target, before = bins.target(ab), logits.detach().clone()
    parts = [part.clone() for part in target]
    first = bins.loss(logits, target)
    first.backward()
    assert logits.detach().equal(before)
    for part, copy in zip(target, parts, strict=True):
        assert part.equal(copy)
    assert bins.loss(logits, target).item() == first.item()


def test_two_losses_on_the_same_logits_add_their_gradients():
    bins, ab, logits = Bins(), some_ab(), some_logits()
    one, other = bins.target(ab), bins.target(ab.flip(0))
    _, together = loss_and_gradient(bins.loss(logits, one) + bins.loss(logits, other), logits)
    apart = [loss_and_gradient(bins.loss(logits, target), logits)[1] for target in (one, other)]
    torch.testing.assert_close(together, apart[0] + apart[1])


def test_memory_layout_of_the_logits_does_not_matter():
    bins, ab, logits = objective(SETTINGS["full"]), some_ab(), some_logits(torch.float32)
    expected = loss_and_gradient(bins.loss(logits, bins.target(ab)), logits)
    for layout in (
        logits.detach().contiguous(memory_format=torch.channels_last),
        logits.detach().permute(0, 1, 3, 2).contiguous().permute(0, 1, 3, 2),
        logits.detach().repeat(1, 1, 1, 2)[..., :5],
    ):
        layout.requires_grad_()
        found = loss_and_gradient(bins.loss(layout, bins.target(ab)), layout)
        assert found[0] == pytest.approx(expected[0], rel=1e-6)
        torch.testing.assert_close(found[1], expected[1])


def test_loss_without_gradient_is_the_same():
    bins, ab, logits = Bins(), some_ab(), some_logits()
    expected = bins.loss(logits, bins.target(ab)).item()
    with torch.no_grad():
        assert bins.loss(logits, bins.target(ab)).item() == pytest.approx(expected, rel=1e-6)
    with torch.inference_mode():
        assert bins.loss(logits.detach(), bins.target(ab)).item() == pytest.approx(expected, rel=1e-6)


def test_target_stays_sparse():
    bins = Bins(k=10)
    ab = torch.zeros(2, 2, 8, 8)
    assert sum(part.numel() for part in bins.target(ab)) < 2 * 8 * 8 * 25


def test_a_perfect_prediction_leaves_the_entropy_of_the_target():
    ab = some_ab()[:2]
    dense = reference.dense_target(ab, 5, 5.0)
    logits = dense.clamp_min(1e-30).log()
    entropy = -(dense * dense.clamp_min(1e-300).log()).sum(1).mean().item()
    bins = Bins()
    assert bins.loss(logits, bins.target(ab)).item() == pytest.approx(entropy, rel=1e-4)


def test_decode_is_the_annealed_mean_at_the_papers_temperature_unless_told():
    bins, logits = Bins(), some_logits().detach()
    for given, temperature in ((None, 0.38), (1.0, 1.0), (torch.tensor(0.1), 0.1)):
        ab = bins.decode(logits, given)
        assert ab.shape == (3, 2, 4, 5)
        expected = annealed_mean(logits[2, :, 1, 3].numpy(), CENTRES, temperature)
        np.testing.assert_allclose(ab[2, :, 1, 3], expected, atol=1e-3)


def test_it_predicts_313_channels():
    assert Bins().channels == 313


@pytest.mark.parametrize("prior", [torch.ones(10) / 10, torch.ones(313), torch.full((313,), torch.nan)])
def test_a_prior_that_is_none_over_the_313_bins_is_refused(prior):
    with pytest.raises(ValueError, match="prior"):
        Bins(prior=prior)


def test_rebalancing_in_part_is_a_power_of_the_weights_that_leaves_their_mean_at_1():
    prior = torch.from_numpy(some_prior())
    whole, half, none = (Bins(prior=prior, uniform=0.5, rebalance=share).rarity for share in (1.0, 0.5, 0.0))
    torch.testing.assert_close(half / half[0], (whole / whole[0]).sqrt())
    torch.testing.assert_close(none, torch.ones(313))
    for weights in (whole, half):
        assert float(prior @ weights.double()) == pytest.approx(1, abs=1e-6)


def test_a_share_of_the_uniform_distribution_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="uniform"):
        Bins(prior=torch.ones(313) / 313, uniform=1.5)


def test_the_rebalancing_weights_move_with_the_module_and_are_no_parameters():
    bins = objective(SETTINGS["full"])
    assert list(bins.parameters()) == []
    assert all(buffer.device.type == "meta" for buffer in bins.to("meta").buffers())
