import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from reference import encoding as reference
from reference.bins import bin_centres
from tintype.color import encoding
from tintype.color.encoding import annealed_mean, entropy, soft_encode

CENTRES = bin_centres().astype(float)
Q = len(CENTRES)


def as_map(ab: np.ndarray) -> torch.Tensor:
    """(N, 2) colours as a (1, 2, 1, N) float32 map."""
    return torch.from_numpy(np.ascontiguousarray(ab.T, dtype=np.float32))[None, :, None]


def dense(numbers: torch.Tensor, weights: torch.Tensor) -> np.ndarray:
    """(N, Q) of a sparse (1, k, 1, N) encoding."""
    out = torch.zeros(1, Q, 1, numbers.shape[-1], dtype=weights.dtype).scatter_add_(1, numbers, weights)
    return out[0, :, 0].T.numpy()


def by_scikit_learn(ab: np.ndarray, k: int, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """(N, Q) soft encoding from its k-d tree, and by how much the next bin is farther than the last one used."""
    search = NearestNeighbors(n_neighbors=k + 1, algorithm="kd_tree").fit(CENTRES)
    distance, number = search.kneighbors(ab.astype(float))
    exponent = -(distance[:, :k] ** 2) / (2 * sigma**2)
    weight = np.exp(exponent - exponent.max(1, keepdims=True))
    out = np.zeros((len(ab), Q))
    np.put_along_axis(out, number[:, :k], weight / weight.sum(1, keepdims=True), 1)
    return out, distance[:, k] - distance[:, k - 1]


def in_gamut(n: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return CENTRES[rng.integers(0, Q, n)] + rng.uniform(-5, 5, (n, 2))


def anywhere(n: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-135, 135, (n, 2))


def near_grey(n: int) -> np.ndarray:
    return np.random.default_rng(2).normal(0, 4, (n, 2))


def ties() -> np.ndarray:
    """Grid points, and sides, corners, centres and diagonals of the grid's cells, out to beyond the gamut."""
    step = np.arange(-130, 131, 2.5)
    return np.stack(np.meshgrid(step, step), -1).reshape(-1, 2)


@pytest.mark.parametrize("colours", [in_gamut, anywhere, near_grey])
@pytest.mark.parametrize("k", range(1, 12))
@pytest.mark.parametrize("sigma", [5.0, 2.0])
def test_soft_encoding_agrees_with_scikit_learn(colours, k, sigma):
    ab = colours(5_000).astype(np.float32)
    expected, lead = by_scikit_learn(ab, k, sigma)
    clear = lead > 1e-4  # closer than that, float32 may take the one bin for the other
    assert clear.mean() > 0.99
    # Far from all bins, where no sRGB colour is, float32 has fewer digits left for the difference of two distances.
    tolerance = 1e-4 if colours is anywhere else 1e-5
    np.testing.assert_allclose(dense(*soft_encode(as_map(ab), k, sigma))[clear], expected[clear], atol=tolerance)


@pytest.mark.parametrize("k", [2, 5, 10, 16, 17, 100, 313])
def test_soft_encoding_agrees_with_the_slow_twin(k):
    ab = np.concatenate([in_gamut(20), anywhere(20)]).astype(np.float32)
    np.testing.assert_allclose(
        dense(*soft_encode(as_map(ab), k)), reference.soft_encode(ab, CENTRES, k, 5.0), atol=1e-5
    )


@pytest.mark.parametrize("k", range(1, 12))
def test_on_ties_every_bin_used_is_as_near_as_the_k_nearest_and_weighed_by_its_own_distance(k):
    """Which of several bins at one distance comes k-th is nobody's business: scikit-learn and a sort differ too.

    What must hold is that the distances of the bins used are the k smallest there are, that no bin is used twice,
    and that each weight follows from its own bin's distance.
    """
    ab = ties()
    numbers, weights = (x[0, :, 0].T.numpy() for x in soft_encode(as_map(ab), k))
    squared = ((ab[:, None] - CENTRES) ** 2).sum(-1)
    used = np.take_along_axis(squared, numbers, 1)
    np.testing.assert_allclose(np.sort(used, 1), np.sort(squared, 1)[:, :k], rtol=0, atol=1e-3)
    assert (np.diff(np.sort(numbers, 1), axis=1) > 0).all()
    expected = np.exp((used.min(1, keepdims=True) - used) / 50)
    np.testing.assert_allclose(weights, expected / expected.sum(1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("k", range(1, 12))
def test_a_hair_beside_a_tie_the_nearer_bins_are_used(k):
    """Where a fast path decides by cells of the plane, their borders are the places to be wrong at."""
    rng = np.random.default_rng(3)
    ab = (ties() + rng.choice([-0.02, 0.02], (len(ties()), 2))).astype(np.float32)
    expected, lead = by_scikit_learn(ab, k, 5.0)
    clear = lead > 1e-3
    assert clear.mean() > 0.8
    np.testing.assert_allclose(dense(*soft_encode(as_map(ab), k))[clear], expected[clear], atol=1e-5)


@pytest.mark.parametrize("k", [1, 5, 10])
def test_weights_are_positive_and_sum_to_one_everywhere(k):
    far = np.array([[128, 128], [-128, -128], [-128, 127], [400, -400], [2000, 0]])
    _, weights = soft_encode(as_map(np.concatenate([in_gamut(5000), anywhere(5000), ties(), far])), k)
    assert weights.isfinite().all()
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-5)


def test_far_out_of_gamut_the_encoding_is_that_of_the_slow_twin():
    ab = np.array([[128, 127], [-128, -120], [-128, 120], [170, -65], [5, 300]], np.float32)
    np.testing.assert_allclose(
        dense(*soft_encode(as_map(ab), 10)), reference.soft_encode(ab, CENTRES, 10, 5.0), atol=1e-5
    )


def test_with_one_neighbour_all_weight_is_on_the_nearest_bin():
    numbers, weights = soft_encode(as_map(CENTRES), 1)
    assert numbers.flatten().tolist() == list(range(Q))
    assert (weights == 1).all()


@pytest.mark.parametrize("k", [1, 5, 10])
def test_a_batch_of_maps_is_encoded_place_by_place(k):
    ab = torch.from_numpy(anywhere(3 * 4 * 5).astype(np.float32)).reshape(3, 4, 5, 2).permute(0, 3, 1, 2)
    numbers, weights = soft_encode(ab, k)
    assert numbers.shape == weights.shape == (3, k, 4, 5)
    assert numbers.dtype == torch.int64
    assert weights.dtype == torch.float32
    for b in range(3):
        for y in range(4):
            for x in range(5):
                one = dense(*soft_encode(ab[b, :, y, x].reshape(1, 2, 1, 1), k))
                here = dense(numbers[b, :, y, x].reshape(1, k, 1, 1), weights[b, :, y, x].reshape(1, k, 1, 1))
                np.testing.assert_allclose(here, one, atol=1e-6)


@pytest.mark.parametrize("k", [5, 17])
def test_more_colours_than_are_encoded_at_once_are_encoded_like_each_part(k):
    ab = torch.from_numpy(anywhere(3 * 150 * 160).astype(np.float32)).reshape(3, 150, 160, 2).permute(0, 3, 1, 2)
    assert ab[:, 0].numel() > encoding._CHUNK
    for whole, parts in zip(
        soft_encode(ab, k), zip(*(soft_encode(one[None], k) for one in ab), strict=True), strict=True
    ):
        assert whole.equal(torch.cat(parts))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_floats_are_encoded_as_float32(dtype):
    ab = as_map(in_gamut(500)).to(dtype)
    for ours, expected in zip(soft_encode(ab), soft_encode(ab.float()), strict=True):
        assert ours.equal(expected)


@pytest.mark.parametrize("k", [5, 17])
def test_no_gradient_flows_to_the_colours(k):
    _, weights = soft_encode(as_map(in_gamut(10)).requires_grad_(), k)
    assert not weights.requires_grad


@pytest.mark.parametrize("sigma", [0, -1, math.nan])
def test_a_width_that_is_not_above_zero_is_refused(sigma):
    with pytest.raises(ValueError, match="sigma"):
        soft_encode(as_map(in_gamut(3)), sigma=sigma)


def test_annealed_mean_keeps_its_precision_under_autocast():
    logits = torch.from_numpy(np.random.default_rng(0).normal(0, 5, (1, Q, 4, 4)).astype(np.float32))
    with torch.autocast("cpu", torch.bfloat16):
        mean = annealed_mean(logits)
    assert mean.dtype == torch.float32
    assert mean.equal(annealed_mean(logits))


def test_point_sampled_and_transposed_maps_are_encoded_like_their_copies():
    whole = torch.from_numpy(anywhere(2 * 16 * 24).astype(np.float32)).reshape(2, 16, 24, 2)
    for ab in (whole.permute(0, 3, 1, 2), whole.permute(0, 3, 2, 1)[:, :, ::4, ::4], whole.permute(0, 3, 1, 2).flip(1)):
        assert not ab.is_contiguous() or ab.numel() == whole.numel()
        for strided, copied in zip(
            soft_encode(ab), soft_encode(ab.clone(memory_format=torch.contiguous_format)), strict=True
        ):
            assert strided.equal(copied)


@pytest.mark.parametrize("shape", [(0, 2, 4, 4), (2, 2, 0, 4), (1, 2, 1, 1)])
def test_empty_and_single_maps_keep_their_shape(shape):
    numbers, weights = soft_encode(torch.zeros(shape))
    assert numbers.shape == weights.shape == (shape[0], 5, *shape[2:])


def test_encoding_does_not_depend_on_what_was_encoded_before():
    ab = as_map(anywhere(500))
    before = soft_encode(ab, 5, 5.0)
    for k, sigma in ((10, 5.0), (5, 1.0), (1, 5.0)):
        soft_encode(ab, k, sigma)
    for one, other in zip(before, soft_encode(ab, 5, 5.0), strict=True):
        assert one.equal(other)


def test_defaults_are_the_papers_five_neighbours_and_sigma_five():
    ab = as_map(in_gamut(100))
    np.testing.assert_allclose(dense(*soft_encode(ab)), dense(*soft_encode(ab, 5, 5.0)))


@pytest.mark.parametrize("shape", [(2, 4, 4), (1, 3, 4, 4), (4, 2), (1, 4, 4, 2)])
def test_anything_but_a_batch_of_ab_maps_is_refused(shape):
    with pytest.raises(ValueError, match=r"\(B, 2, h, w\)"):
        soft_encode(torch.zeros(shape))


@pytest.mark.parametrize("k", [0, -1, 314])
def test_more_or_fewer_neighbours_than_there_are_bins_are_refused(k):
    with pytest.raises(ValueError, match="k"):
        soft_encode(torch.zeros(1, 2, 4, 4), k)


def some_logits(dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(2, Q, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64).mul(3).to(dtype)


@pytest.mark.parametrize("temperature", [0.1, 0.38, 1.0, 3.0])
def test_annealed_mean_agrees_with_the_slow_twin(temperature):
    logits = some_logits()
    found = annealed_mean(logits, temperature)
    assert found.shape == (2, 2, 3, 4)
    for b, y, x in np.ndindex(2, 3, 4):
        expected = reference.annealed_mean(logits[b, :, y, x].numpy(), CENTRES, temperature)
        np.testing.assert_allclose(found[b, :, y, x], expected, atol=1e-4)


def test_annealed_mean_at_temperature_one_is_the_mean():
    logits = some_logits()
    mean = torch.einsum("bqyx,qc->bcyx", logits.softmax(1), torch.from_numpy(CENTRES))
    torch.testing.assert_close(annealed_mean(logits, 1.0).double(), mean, atol=1e-4, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_annealed_mean_tends_to_the_mode_as_temperature_falls(dtype):
    logits = some_logits(dtype)
    mode = torch.from_numpy(CENTRES)[logits.argmax(1)].permute(0, 3, 1, 2)
    distance = [float((annealed_mean(logits, t) - mode).norm(dim=1).max()) for t in (1, 0.1, 0.01, 1e-3, 1e-4)]
    assert distance == sorted(distance, reverse=True)
    assert distance[-1] < 1e-3


def test_annealed_mean_of_a_uniform_distribution_is_the_centre_of_the_bins_at_any_temperature():
    for temperature in (0.01, 0.38, 1.0):
        ab = annealed_mean(torch.zeros(1, Q, 1, 1), temperature).flatten()
        np.testing.assert_allclose(ab, CENTRES.mean(0), atol=1e-3)


def test_annealed_mean_uses_the_papers_temperature_unless_told():
    assert annealed_mean(some_logits()).equal(annealed_mean(some_logits(), 0.38))


def test_annealed_mean_takes_a_tensor_for_its_temperature():
    torch.testing.assert_close(annealed_mean(some_logits(), torch.tensor(0.2)), annealed_mean(some_logits(), 0.2))


def test_annealed_mean_undoes_soft_encoding_on_the_whole():
    """The logarithm of the encoding, decoded at temperature 1, is the mean of the bins used: near the colour."""
    ab = in_gamut(2000)
    inside = np.abs(ab).max(1) < 40
    logits = torch.from_numpy(dense(*soft_encode(as_map(ab[inside]), 10))).log().clamp(min=-1e4)
    back = annealed_mean(logits.T[None, :, None].double(), 1.0)[0, :, 0].T
    np.testing.assert_allclose(back, ab[inside], atol=2.5)


@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_annealed_mean_and_entropy_do_not_overflow(shift):
    logits = some_logits() + shift
    torch.testing.assert_close(annealed_mean(logits, 0.01), annealed_mean(some_logits(), 0.01), atol=1e-3, rtol=0)
    torch.testing.assert_close(entropy(logits), entropy(some_logits()), atol=1e-6, rtol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_annealed_mean_and_entropy_of_low_precision_logits_are_as_good_as_the_logits(dtype):
    low = some_logits().to(dtype)
    torch.testing.assert_close(annealed_mean(low).double(), annealed_mean(low.double()).double(), atol=0.5, rtol=0.01)
    torch.testing.assert_close(entropy(low).double(), entropy(low.double()), atol=0.05, rtol=0.01)


@pytest.mark.parametrize("temperature", [0.38, 1.0])
def test_gradients_of_annealed_mean_are_those_of_finite_differences(temperature):
    logits = some_logits()[:1, :, :1, :1].requires_grad_()
    assert torch.autograd.gradcheck(lambda x: annealed_mean(x, temperature), logits)


def test_gradients_of_entropy_are_those_of_finite_differences():
    assert torch.autograd.gradcheck(entropy, some_logits()[:1, :, :1, :1].requires_grad_())


@pytest.mark.parametrize("temperature", [0, -0.38, 0.0])
def test_a_temperature_of_zero_or_below_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature"):
        annealed_mean(some_logits(), temperature)


def test_entropy_of_the_uniform_distribution_is_log_313():
    torch.testing.assert_close(entropy(torch.zeros(2, Q, 3, 4)), torch.full((2, 1, 3, 4), math.log(313)))


@pytest.mark.parametrize("low", [-1e3, -1e30])
def test_entropy_of_certainty_is_zero_with_a_finite_gradient(low):
    logits = torch.full((1, Q, 1, 1), low)
    logits[:, 7] = 0
    logits.requires_grad_()
    found = entropy(logits)
    assert found.item() == 0
    (gradient,) = torch.autograd.grad(found.sum(), logits)
    assert gradient.isfinite().all()


def test_entropy_agrees_with_the_slow_twin():
    logits = some_logits()
    found = entropy(logits)
    for b, y, x in np.ndindex(2, 3, 4):
        assert found[b, 0, y, x].item() == pytest.approx(reference.entropy(logits[b, :, y, x].numpy()), abs=1e-6)
