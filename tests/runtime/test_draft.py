"""Colours that are still being chosen: the distribution, hints, alternatives."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF

from tintype.color import bin_centres
from tintype.runtime import ModelError
from tintype.runtime.affinity import affinity
from tintype.runtime.alternatives import STRENGTH, tilts
from tintype.runtime.distribution import Distribution
from tintype.runtime.draft import Draft
from tintype.runtime.hints import NOISE, Hint, with_hints
from tintype.runtime.model import load_model
from tintype.runtime.photo import photo_from_array


def picture():
    """A bright upper half, a dark lower one, with some texture."""
    random = np.random.default_rng(0)
    grey = np.where(np.arange(120)[:, None] < 60, 190, 70) + random.normal(0, 6, (120, 160))
    return grey.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    return load_model("bundled", 1)


@pytest.fixture(scope="module")
def draft(model):
    return Draft(model, photo_from_array(picture()), model.input_size)


def some_distribution(seed=0, scale=3.0):
    return Distribution(np.random.default_rng(seed).normal(0, scale, (5, 7, 313)).astype(np.float32))


def slow_mean(logits, temperature, tilt):
    out = np.zeros((2, *logits.shape[:2]))
    for row, column in np.ndindex(logits.shape[:2]):
        weights = [
            np.exp((z + centre @ tilt[row, column]) / temperature)
            for z, centre in zip(logits[row, column].astype(float), bin_centres().astype(float), strict=True)
        ]
        out[:, row, column] = np.array(weights) @ bin_centres() / sum(weights)
    return out


@pytest.mark.parametrize("temperature", [0.38, 1.0])
def test_the_mean_is_the_papers_with_and_without_a_tilt(temperature):
    distribution, tilt = some_distribution(), np.random.default_rng(1).normal(0, 0.02, (5, 7, 2)).astype(np.float32)
    plain = slow_mean(distribution.logits, temperature, 0 * tilt)
    np.testing.assert_allclose(distribution.mean(temperature), plain, atol=1e-3)
    tilted = slow_mean(distribution.logits, temperature, tilt)
    np.testing.assert_allclose(distribution.mean(temperature, tilt), tilted, atol=1e-3)
    assert np.abs(tilted - plain).max() > 5


def test_a_certain_cell_is_not_tilted():
    logits = np.full((1, 1, 313), -40, np.float32)
    logits[0, 0, 100] = 40
    certain, tilt = Distribution(logits), np.full((1, 1, 2), 0.05, np.float32)
    np.testing.assert_allclose(certain.mean(0.38, tilt)[:, 0, 0], bin_centres()[100], atol=1e-3)
    assert certain.entropy.item() == pytest.approx(0, abs=1e-5)
    assert certain.spread.item() == pytest.approx(0, abs=0.1)


def test_spread_is_the_root_of_the_variance():
    distribution = some_distribution()
    p = np.exp(distribution.logits.astype(float))
    p /= p.sum(-1, keepdims=True)
    away = np.square(bin_centres()[None, None] - (p @ bin_centres())[:, :, None]).sum(-1)
    np.testing.assert_allclose(distribution.spread, np.sqrt((p * away).sum(-1)), rtol=1e-4)


def test_likely_colours_are_the_peaks_each_with_what_lies_around_it():
    centres = bin_centres()
    p = np.full(313, 1e-6)
    red, green = (np.square(centres - colour).sum(1).argmin() for colour in ((60, 40), (-50, 40)))
    p[red], p[green] = 0.25, 0.6
    p[np.square(centres - (60, 50)).sum(1).argmin()] = 0.1
    found = Distribution(np.log(p / p.sum()).astype(np.float32)[None, None]).likeliest(0, 0, 2)
    assert [round(colour[2], 2) for colour in found] == [0.63, 0.37]
    np.testing.assert_allclose(found[0][:2], (-50, 40), atol=0.5)
    np.testing.assert_allclose(found[1][:2], (60, 40 + 10 * 0.1 / 0.35), atol=0.5)


def test_what_brings_colours_to_the_edges_is_linear_in_them(draft):
    (one,), (other,) = draft.ab(0.2), draft.ab(1.0)
    both = draft.coefficients([0.3 * one + 0.7 * other])
    for mixed, a, b in zip(both, draft.coefficients([one]), draft.coefficients([other]), strict=True):
        np.testing.assert_allclose(mixed, 0.3 * a + 0.7 * b, atol=2e-2)


def some_affinity(count=48, seed=0):
    random = np.random.default_rng(seed)
    places, lightness, ab = (
        random.uniform(0, 1, (count, 2)),
        random.uniform(20, 80, count),
        random.normal(0, 10, (count, 2)),
    )
    near = affinity(places, lightness, ab, random.uniform(1, 20, count), near=0.4, light=25, colour=12)
    return near, ab.astype(np.float32)


def test_hints_spread_as_scikit_learns_gaussian_process_has_it():
    near, ab = some_affinity()
    cells, known = [1, 46, 28], np.array([(30, -10), (-20, 40), (5, 5)], np.float32)
    spread = near.spread[cells]
    process = GaussianProcessRegressor(RBF(1.0), alpha=(NOISE / spread) ** 2, optimizer=None)
    process.fit(near.points[cells], (known - ab[cells]) / spread[:, None])
    reached = process.predict(near.points) * near.spread[:, None]
    np.testing.assert_allclose(with_hints(ab, near, cells, known) - ab, reached, atol=2e-2)
    backwards = with_hints(ab, near, cells[::-1], known[::-1])
    np.testing.assert_allclose(backwards, with_hints(ab, near, cells, known), atol=1e-2)


def test_a_hint_holds_where_it_stands_spreads_over_what_is_like_it_and_no_further(draft):
    hint = Hint(0.2, 0.5, 40.0, 30.0)
    height, width = draft.distribution.shape
    (before,), (after,) = draft.ab(), draft.ab(hints=[hint])
    there = after[:, int(0.2 * height), width // 2]
    np.testing.assert_allclose(there, (40, 30), atol=3)
    moved = np.linalg.norm(after - before, axis=0)
    assert moved[: height // 2 - 2].mean() > 3 * moved[height // 2 + 2 :].mean()


def test_a_hint_at_the_very_edge_is_in_the_picture(draft):
    (ab,) = draft.ab(hints=[Hint(1.0, 1.0, 10, 10), Hint(0.0, 0.0, -10, 10)])
    np.testing.assert_allclose(ab[:, -1, -1], (10, 10), atol=3)
    np.testing.assert_allclose(ab[:, 0, 0], (-10, 10), atol=3)
    assert draft.suggestions(1.0, 1.0)
    assert sum(probability for *_, probability in draft.suggestions(0.0, 0.0)) <= 1 + 1e-6


def test_alternatives_are_the_same_each_time_unlike_each_other_and_of_a_piece(draft):
    found = draft.alternatives()
    assert len(found) == 5
    for (one,), (again,) in zip(found, draft.alternatives(), strict=True):
        assert np.array_equal(one, again)
    differences = [one - draft.ab()[0] for (one,) in found]
    for i, one in enumerate(differences):
        assert all(np.sqrt(np.square(one - other).mean()) > 1 for other in differences[:i])
        shared = (one[:, 1:] * one[:, :-1]).mean() / np.square(one).mean()
        assert shared > 0.7  # of colours drawn for each cell by itself it is 0
    assert np.array_equal(draft.ab(alternative=2)[0], found[2][0])


def test_an_alternative_is_the_same_one_at_every_temperature(draft):
    def moved(temperature):
        return [one[0] - draft.ab(temperature)[0] for one in draft.alternatives(temperature)]

    for number, (usual, warmer) in enumerate(zip(moved(None), moved(0.6), strict=True)):
        alike = [np.corrcoef(usual.ravel(), other.ravel())[0, 1] for other in moved(0.6)]
        assert np.argmax(alike) == number
        assert np.corrcoef(usual.ravel(), warmer.ravel())[0, 1] > 0.7


def test_preferences_vary_as_much_as_they_are_said_to():
    near, _ = some_affinity(600)
    drawn = tilts(near, 50, 0)
    assert drawn.shape == (50, 600, 2)
    assert np.sqrt(np.square(drawn).mean()) == pytest.approx(STRENGTH)


def test_a_model_without_a_distribution_is_refused(bundle):
    small = load_model(bundle, 1)
    assert not small.has_distribution
    with pytest.raises(ModelError, match="tells no distribution over colours"):
        Draft(small, photo_from_array(picture()), small.input_size)
