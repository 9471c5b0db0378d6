import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from reference import hue_chroma as reference
from tintype.objectives import Histograms


def photographs(seed: int = 0, side: int = 12) -> torch.Tensor:
    rgb = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(seed))
    rgb[0, :, :4] = rgb[0, :1, :4]  # greys; the others lie on no bin's edge, where rounding decides
    return rgb


def some_points(side: int = 12) -> torch.Tensor:
    return torch.randint(0, side, (2, 6, 2), generator=torch.Generator().manual_seed(1))


def some_logits(bins: int, seed: int = 2) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 2 * bins, 6, generator=generator, dtype=torch.float64) * 3


@pytest.mark.parametrize(("bins", "window", "midtones"), [(32, 7, False), (8, 3, True), (64, 7, True)])
def test_loss_is_the_papers_divergence_averaged_over_all_points(bins, window, midtones):
    histograms, rgb, points = Histograms(bins, window, midtones=midtones), photographs(), some_points()
    logits = some_logits(bins)
    loss = histograms.loss(logits, histograms.target(rgb, points))
    pictures = rgb.permute(0, 2, 3, 1).numpy()
    expected = reference.loss(logits.numpy(), pictures, points.numpy(), bins, window, 5.0, midtones)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_gradient_is_that_of_finite_differences_of_the_reference():
    histograms, rgb, points = Histograms(8, 3, midtones=True), photographs(), some_points()
    logits = some_logits(8).requires_grad_()
    (gradient,) = torch.autograd.grad(histograms.loss(logits, histograms.target(rgb, points)), logits)
    pictures, step = rgb.permute(0, 2, 3, 1).numpy(), 1e-4

    def slow(changed: torch.Tensor) -> float:
        return reference.loss(changed.detach().numpy(), pictures, points.numpy(), 8, 3, 5.0, True)

    for place in [(0, 0, 0), (0, 5, 3), (1, 7, 5), (0, 8, 1), (1, 12, 2), (1, 15, 5)]:
        up, down = logits.detach().clone(), logits.detach().clone()
        up[place] += step
        down[place] -= step
        assert gradient[place].item() == pytest.approx((slow(up) - slow(down)) / (2 * step), rel=1e-3, abs=1e-6)


def test_gradient_is_weight_times_softmax_minus_target_over_the_number_of_points():
    histograms, rgb, points = Histograms(), photographs(), some_points()
    logits = some_logits(32).requires_grad_()
    target = histograms.target(rgb, points)
    (gradient,) = torch.autograd.grad(histograms.loss(logits, target), logits)
    hue, chroma = logits.detach().split(32, dim=1)
    expected = torch.cat(
        [
            target.hue_weight[:, None] * (hue.softmax(1) - target.hue),
            target.chroma_weight[:, None] * (chroma.softmax(1) - target.chroma),
        ],
        dim=1,
    )
    torch.testing.assert_close(gradient, (expected / 12).double(), atol=1e-7, rtol=1e-4)


def test_hue_counts_by_the_chroma_of_the_pixel_in_the_middle_not_of_its_window():
    rgb = torch.rand(1, 3, 9, 9, generator=torch.Generator().manual_seed(0))
    rgb[:, :, 4, 4] = 0.4
    points = torch.tensor([[[4, 4], [4, 5]]])
    weight = Histograms(hue_weight=5).target(rgb, points).hue_weight[0]
    assert weight[0] == 0
    assert weight[1].item() == pytest.approx(5 * float(rgb[0, :, 4, 5].max() - rgb[0, :, 4, 5].min()))


def test_chroma_counts_less_towards_black_and_white_if_asked():
    rgb = torch.tensor([0, 0.1, 1 / 3, 0.5, 0.8, 1]).view(1, 1, 1, 6).repeat(1, 3, 1, 1)
    points = torch.tensor([[[0, i] for i in range(6)]])
    weights = [Histograms(midtones=m).target(rgb, points).chroma_weight[0].tolist() for m in (True, False)]
    assert weights[0] == pytest.approx([0, 0.3, 1, 1, 0.6, 0], abs=1e-6)
    assert weights[1] == [1] * 6


def test_predicting_the_targets_costs_nothing():
    histograms, rgb, points = Histograms(), photographs(), some_points()
    target = histograms.target(rgb, points)
    logits = torch.cat([target.hue, target.chroma], dim=1).clamp(min=1e-30).log()
    assert histograms.loss(logits, target).item() == pytest.approx(0, abs=1e-6)


def test_low_precision_predictions_are_summed_in_float32():
    histograms, rgb, points = Histograms(), photographs(), some_points()
    logits, target = some_logits(32).bfloat16(), histograms.target(rgb, points)
    loss = histograms.loss(logits, target)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(histograms.loss(logits.float(), target).item())


def peaked(hue: int, chroma: int, bins: int = 32) -> torch.Tensor:
    logits = torch.zeros(1, 2 * bins, 1, 1)
    logits[0, [hue, bins + chroma]] = 40
    return logits


@pytest.mark.parametrize(
    ("hue", "chroma", "grey"), [(0, 8, 0.5), (11, 16, 0.4), (21, 4, 0.7), (27, 30, 0.5), (5, 0, 0.2)]
)
def test_a_sure_prediction_is_decoded_to_its_colour_in_ab(hue, chroma, grey):
    expected = rgb2lab(np.array(reference.to_rgb((hue + 0.5) / 32, (chroma + 0.5) / 32, grey)))[1:]
    for decoding in ("median", "mode", "expectation", "sample"):
        ab = Histograms(decoding=decoding).decode(peaked(hue, chroma), grey=torch.full((1, 1, 1, 1), grey))
        np.testing.assert_allclose(ab[0, :, 0, 0], expected, atol=1e-2)


def test_the_default_decoding_is_median_chroma_and_mean_hue_with_fading():
    logits = torch.randn(1, 64, 5, 4, generator=torch.Generator().manual_seed(0)) * 2
    grey = torch.rand(1, 1, 5, 4, generator=torch.Generator().manual_seed(1))
    ab = Histograms().decode(logits, grey=grey)
    for y, x in np.ndindex(5, 4):
        p_hue, p_chroma = (reference.softmax(part[:, y, x].double().numpy()) for part in logits[0].split(32))
        hue, factor = reference.mean_hue(p_hue)
        rgb = reference.to_rgb(hue, factor * reference.median(p_chroma), float(grey[0, 0, y, x]))
        np.testing.assert_allclose(ab[0, :, y, x], rgb2lab(np.array(rgb))[1:], atol=1e-2)


def test_without_an_idea_of_the_hue_the_picture_stays_grey():
    grey = torch.full((1, 1, 1, 1), 0.5)
    unsure = torch.zeros(1, 64, 1, 1)
    assert Histograms().decode(unsure, grey=grey).abs().max() < 0.1
    assert Histograms(decoding="expectation").decode(unsure, grey=grey).abs().max() > 1


def test_a_low_temperature_tends_to_the_modes():
    logits = torch.randn(1, 64, 6, 6, generator=torch.Generator().manual_seed(0))
    grey = torch.full((1, 1, 6, 6), 0.5)
    sharp = Histograms().decode(logits, 1e-5, grey=grey)
    torch.testing.assert_close(sharp, Histograms(decoding="mode").decode(logits, grey=grey), atol=0.05, rtol=0)


def test_samples_follow_from_their_seed_and_vary_from_place_to_place():
    logits, grey = torch.zeros(1, 64, 8, 8), torch.full((1, 1, 8, 8), 0.5)
    first, again, other = (Histograms(decoding="sample", seed=s).decode(logits, grey=grey) for s in (1, 1, 2))
    assert first.equal(again)
    assert not first.equal(other)
    assert first.flatten(2).std(2).min() > 1


def test_sampling_leaves_the_global_random_state_alone():
    before = torch.random.get_rng_state()
    Histograms(decoding="sample").decode(torch.zeros(1, 64, 2, 2), grey=torch.ones(1, 1, 2, 2))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_there_are_two_numbers_for_each_bin():
    assert (Histograms().channels, Histograms(bins=8).channels) == (64, 16)


def test_what_it_cannot_work_with_is_named():
    with pytest.raises(ValueError, match="odd, got 6"):
        Histograms(window=6)
    with pytest.raises(ValueError, match="give `grey`"):
        Histograms().decode(peaked(0, 0))
