import math

import numpy as np
import pytest
import torch
from skimage.color import rgb2hsv, rgb2lab

from reference import hue_chroma as reference
from tintype.color import lightness_to_grey
from tintype.color.hue_chroma import (
    bicone_to_rgb,
    draw,
    expectation,
    fade,
    hue_chroma,
    match_lightness,
    mean_hue,
    mode,
    quantile,
    window_histograms,
)


def colours(*shape: int) -> torch.Tensor:
    """Random ones, with greys, primaries, black and white among them, (B, 3, ...) of 8-bit levels."""
    rgb = torch.randint(0, 256, (shape[0], 3, *shape[1:]), generator=torch.Generator().manual_seed(0)).float() / 255
    flat = rgb.flatten(2)
    special = torch.tensor(
        [[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 0]]
    )
    flat[:, :, : len(special)] = special.T
    return flat.view(rgb.shape)


def distributions(bins: int, places: int = 60) -> torch.Tensor:
    """(1, K, N) float64: spread, peaked, one-hot and with empty bins."""
    generator = torch.Generator().manual_seed(bins)
    logits = torch.randn(1, bins, places, generator=generator, dtype=torch.float64)
    p = (logits * torch.linspace(0, 12, places)).softmax(1)
    p[:, : bins // 2, ::5] = 0
    p[:, :, -1] = torch.eye(bins)[bins // 3]
    return p / p.sum(1, keepdim=True)


def test_hue_is_that_of_hsv_and_chroma_its_value_times_its_saturation():
    rgb = colours(2, 40, 30)
    hue, chroma = hue_chroma(rgb)
    hsv = rgb2hsv(rgb.double().numpy(), channel_axis=1)
    np.testing.assert_allclose(chroma, hsv[:, 1] * hsv[:, 2], atol=1e-6)
    apart = np.abs(hue.numpy() - hsv[:, 0])
    assert np.minimum(apart, 1 - apart).max() < 1e-6
    assert hue[0, 0, :3].eq(0).all()  # greys


@pytest.mark.parametrize(("bins", "window"), [(32, 7), (8, 7), (64, 3), (16, 1), (32, 15)])
def test_histograms_count_each_pixel_of_the_window_that_is_in_the_picture(bins, window):
    rgb = torch.rand(2, 3, 17, 23, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rgb[0, :, :5] = rgb[0, :1, :5]  # greys; the others lie on no bin's edge, where rounding decides
    edges = [(0, 0), (0, 22), (16, 0), (16, 22), (1, 11), (8, 2), (8, 11), (14, 20)]
    points = torch.tensor([edges, edges[::-1]])
    found = window_histograms(rgb, points, bins, window)
    for b, n in np.ndindex(2, len(edges)):
        expected = reference.histograms(rgb[b].permute(1, 2, 0).numpy(), *points[b, n].tolist(), bins, window)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(ours[b, :, n], theirs, atol=1e-6)


def test_histograms_at_points_are_those_of_the_integral_images_of_all_pixels():
    rgb = colours(1, 40, 50)
    hue, chroma = hue_chroma(rgb)
    points = torch.cartesian_prod(torch.arange(40), torch.arange(50))[None]
    found = window_histograms(rgb, points)
    for ours, full in zip(found, reference.full_histograms(hue[0], chroma[0], 32, 7), strict=True):
        torch.testing.assert_close(ours[0].view(32, 40, 50), full)


@pytest.mark.parametrize("bins", [8, 32, 64])
def test_the_median_is_the_half_of_the_cumulative_sum_interpolated_linearly(bins):
    p = distributions(bins)
    expected = [reference.median(q) for q in p[0].T.numpy()]
    np.testing.assert_allclose(quantile(p)[0], expected, atol=1e-12)
    centre = (p.cumsum(1) < 0.5).sum(1).add(0.5) / bins  # the released code's median
    assert (quantile(p) - centre).abs().max() <= 0.5 / bins + 1e-12


def test_the_median_of_one_bin_is_its_centre_and_moves_with_its_neighbours():
    p = torch.zeros(1, 8, 1)
    p[0, 3] = 1
    assert quantile(p).item() == pytest.approx(3.5 / 8)
    p[0, 3], p[0, 4] = 0.75, 0.25
    assert quantile(p).item() == pytest.approx((3 + 0.5 / 0.75) / 8)


@pytest.mark.parametrize("bins", [8, 32, 64])
def test_the_mean_hue_is_the_angle_of_the_complex_mean(bins):
    p = distributions(bins)
    hue, length = mean_hue(p)
    faded = fade(torch.ones(1, p.shape[2], dtype=p.dtype), length)
    for n, q in enumerate(p[0].T.numpy()):
        angle, factor = reference.mean_hue(q)
        if factor > 1e-9:
            assert math.cos(2 * math.pi * (hue[0, n].item() - angle)) == pytest.approx(1)
        assert faded[0, n].item() == pytest.approx(factor)


@pytest.mark.parametrize("bins", [8, 16, 32, 64])
def test_an_even_hue_fades_to_grey_and_a_sure_one_not_at_all_whatever_the_bins(bins):
    even, sure = torch.full((1, bins, 1), 1 / bins), torch.eye(bins)[None, :, :1]
    assert fade(torch.ones(1, 1), mean_hue(even)[1]).item() == pytest.approx(0, abs=1e-6)
    assert fade(torch.ones(1, 1), mean_hue(sure)[1]).item() == 1


def test_hues_on_both_sides_of_red_have_red_as_their_mean():
    p = torch.zeros(1, 32, 1)
    p[0, [0, 31]] = 0.5
    assert math.cos(2 * math.pi * mean_hue(p)[0].item()) == pytest.approx(1)
    assert expectation(p).item() == pytest.approx(0.5)  # cyan, as a mean along a line would have it


def test_mode_and_expectation_are_those_of_the_bins_centres():
    p = torch.tensor([0.1, 0.2, 0.6, 0.1]).view(1, 4, 1)
    assert mode(p).item() == pytest.approx(2.5 / 4)
    assert expectation(p).item() == pytest.approx((0.1 * 0.5 + 0.2 * 1.5 + 0.6 * 2.5 + 0.1 * 3.5) / 4)


def test_drawn_bins_come_as_often_as_their_share():
    p = torch.tensor([0.1, 0.0, 0.6, 0.3]).view(1, 4, 1).expand(-1, -1, 40_000)
    drawn = draw(p, torch.rand(1, 40_000, generator=torch.Generator().manual_seed(0)))
    share = [(drawn == (k + 0.5) / 4).float().mean().item() for k in range(4)]
    assert share == pytest.approx([0.1, 0, 0.6, 0.3], abs=0.01)
    assert share[1] == 0


def test_colour_is_laid_upon_a_grey_as_the_paper_does():
    generator = torch.Generator().manual_seed(0)
    hue, chroma, grey = torch.rand(3, 1, 500, generator=generator)
    chroma[0, :5], grey[0, 3:8] = 0, torch.tensor([0, 1, 0, 1, 0.5])
    rgb = match_lightness(bicone_to_rgb(hue, chroma, grey), grey)
    for n in range(500):
        expected = reference.to_rgb(*(float(v[0, n]) for v in (hue, chroma, grey)))
        assert rgb[0, :, n].tolist() == pytest.approx(expected, abs=1e-5)


def test_colours_come_back_from_their_hue_chroma_and_the_middle_of_their_channels():
    """The bicone's own lightness is (max + min) / 2: there V = L + C/2 is exact."""
    rgb = colours(1, 30, 30)
    hue, chroma = hue_chroma(rgb)
    middle = (rgb.amax(1) + rgb.amin(1)) / 2
    back = bicone_to_rgb(hue, chroma, middle)
    torch.testing.assert_close(back, rgb, atol=1e-5, rtol=0)
    torch.testing.assert_close(match_lightness(back, rgb.mean(1)), rgb, atol=1e-5, rtol=0)


def test_matching_lightness_leaves_the_grey_as_the_mean_where_nothing_is_clipped():
    rgb, grey = colours(1, 20, 20) * 0.2 + 0.3, torch.full((1, 20, 20), 0.5)
    matched = match_lightness(rgb, grey)
    torch.testing.assert_close(matched.mean(1), grey)
    torch.testing.assert_close(matched - matched.mean(1, keepdim=True), rgb - rgb.mean(1, keepdim=True))
    assert match_lightness(colours(1, 20, 20), torch.ones(1, 20, 20)).max() == 1


def test_a_greys_value_follows_from_its_lightness():
    levels = np.linspace(0, 1, 256)
    light = rgb2lab(np.repeat(levels[:, None], 3, axis=1))[:, 0]
    np.testing.assert_allclose(lightness_to_grey(light), levels, atol=1e-5)
