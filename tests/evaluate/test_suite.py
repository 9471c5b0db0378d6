import numpy as np
import pytest
from PIL import Image

from reference import metrics
from tintype.evaluate import FIGURES, colour_error, evaluate, grey, prior_of, suite, true
from tintype.runtime.errors import PhotoError

UNIFORM = np.full(313, 1 / 313)


def _noisy(photograph):
    noise = np.random.default_rng(5).normal(0, 30, photograph.true.shape)
    return np.clip(photograph.true + noise, 0, 255).astype(np.uint8)


METHODS = {"grey": grey, "noisy": _noisy, "true": true}


@pytest.mark.parametrize("method", METHODS)
def test_every_figure_equals_the_slow_twin(photographs, method):
    paths = sorted(photographs.iterdir())
    prior = np.random.default_rng(0).dirichlet(np.ones(313))
    pairs = [(photo.true, METHODS[method](photo)) for photo in map(suite.read_photograph, paths)]
    assert evaluate(paths, METHODS, prior).methods[method] == pytest.approx(metrics.figures(pairs, prior), abs=1e-5)


def test_the_truth_is_perfect(photographs):
    paths = sorted(photographs.iterdir())
    figures = evaluate(paths, METHODS, prior_of(paths)[0]).methods["true"]
    assert {name: figures[name] for name in FIGURES[:5]} == {
        "auc": 100,
        "auc_rebalanced": 100,
        "auc_rebalanced_per_image": 100,
        "psnr": np.inf,
        "ssim": 1,
    }
    assert figures["colourfulness"] > 50


def test_every_method_has_every_figure(photographs):
    result = evaluate(sorted(photographs.iterdir()), METHODS, UNIFORM)
    assert {name: tuple(figures) for name, figures in result.methods.items()} == dict.fromkeys(METHODS, FIGURES)


def test_grey_is_given_the_lightness_of_the_photograph_and_no_colour(photographs):
    photo = suite.read_photograph(photographs / "0.png")
    picture = grey(photo)
    assert (picture == picture[..., :1]).all()
    lightness = [metrics.rgb_to_lab(*(v / 255 for v in pixel))[0] for pixel in metrics.pixels(photo.true)]
    grey_lightness = [metrics.rgb_to_lab(*(v / 255 for v in pixel))[0] for pixel in metrics.pixels(picture)]
    np.testing.assert_allclose(grey_lightness, lightness, atol=0.3)  # half a step of 8 bits


@pytest.fixture
def two_colours(tmp_path):
    """Three quarters grey, one quarter red; a method that paints all of it grey errs on the red alone."""
    picture = np.full((8, 8, 3), 128, np.uint8)
    picture[:2] = 255, 0, 0
    Image.fromarray(picture).save(tmp_path / "two.png")
    return tmp_path / "two.png"


def _all_grey(photograph):
    return np.full_like(photograph.true, 128)


def test_rebalancing_weighs_each_colour_by_one_over_its_prior(two_colours):
    red, neutral = (metrics.nearest_bin(metrics.ab_of(c)) for c in ((255, 0, 0), (128, 128, 128)))
    prior = np.zeros(313)
    prior[red], prior[neutral] = 0.1, 0.9
    figures = evaluate([two_colours], {"all grey": _all_grey}, prior).methods["all grey"]
    # Red lies 104.55 from grey: within t from 105 on, that is 45.5 of 150.
    within = 45.5 / 150
    assert figures["auc"] == pytest.approx(100 * (0.75 + 0.25 * within), abs=1e-6)
    grey_weight, red_weight = 0.75 / 0.9, 0.25 / 0.1
    expected = 100 * (grey_weight + red_weight * within) / (grey_weight + red_weight)
    assert figures["auc_rebalanced"] == pytest.approx(expected, abs=1e-6)
    assert figures["auc_rebalanced_per_image"] == pytest.approx(expected, abs=1e-6)


def test_pooling_weighs_pixels_and_per_image_weighs_photographs(tmp_path):
    red, neutral = np.zeros((8, 8, 3), np.uint8), np.full((8, 24, 3), 128, np.uint8)
    red[...] = 255, 0, 0
    Image.fromarray(red).save(tmp_path / "red.png")
    Image.fromarray(neutral).save(tmp_path / "neutral.png")
    figures = evaluate(sorted(tmp_path.iterdir()), {"all grey": _all_grey}, UNIFORM).methods["all grey"]
    within = 45.5 / 150
    assert figures["auc_rebalanced"] == pytest.approx(100 * (0.75 + 0.25 * within), abs=1e-6)
    assert figures["auc_rebalanced_per_image"] == pytest.approx(100 * (0.5 + 0.5 * within), abs=1e-6)


def test_a_colour_that_the_prior_lacks_weighs_as_the_rarest_other(two_colours):
    neutral = metrics.nearest_bin((0.0, 0.0))
    prior = np.zeros(313)
    prior[neutral], prior[neutral + 1] = 0.9, 0.1
    figures = evaluate([two_colours], {"all grey": _all_grey}, prior).methods["all grey"]
    grey_weight, red_weight = 0.75 / 0.9, 0.25 / 0.1
    expected = 100 * (grey_weight + red_weight * 45.5 / 150) / (grey_weight + red_weight)
    assert figures["auc_rebalanced"] == pytest.approx(expected, abs=1e-6)


def test_a_damaged_photograph_is_left_out_and_named(photographs):
    paths = sorted(photographs.iterdir())
    whole = (photographs / "0.png").read_bytes()
    (photographs / "cut.png").write_bytes(whole[: len(whole) // 2])
    (photographs / "empty.png").write_bytes(b"")
    result = evaluate([*paths, photographs / "cut.png", photographs / "empty.png"], METHODS, UNIFORM)
    assert result.images == 4
    assert [path.name for path in result.left_out] == ["cut.png", "empty.png"]
    assert all(path.name in reason and "\n" not in reason for path, reason in result.left_out.items())
    assert result.methods == evaluate(paths, METHODS, UNIFORM).methods


def test_a_photograph_too_small_for_a_window_of_ssim_is_left_out(photographs, random_picture):
    Image.fromarray(random_picture(9, 6, 50)).save(photographs / "strip.png")
    result = evaluate(sorted(photographs.iterdir()), METHODS, UNIFORM)
    assert result.images == 4
    assert "50 x 6 pixels are too few" in result.left_out[photographs / "strip.png"]


def test_a_photograph_that_one_method_fails_on_is_left_out_of_all(photographs):
    def picky(photograph):
        if photograph.path.name == "2.png":
            raise PhotoError("cannot be colorized")
        return photograph.true

    paths = sorted(photographs.iterdir())
    result = evaluate(paths, {"grey": grey, "picky": picky}, UNIFORM)
    without = evaluate([path for path in paths if path.name != "2.png"], {"grey": grey}, UNIFORM)
    assert result.images == 3
    assert result.left_out == {photographs / "2.png": f"{photographs / '2.png'}: cannot be colorized"}
    assert result.methods["grey"] == without.methods["grey"]


def test_a_method_that_returns_another_size_is_an_error(photographs):
    with pytest.raises(ValueError, match="picture"):
        evaluate(sorted(photographs.iterdir()), {"cut": lambda photo: photo.true[1:]}, UNIFORM)


def test_a_second_evaluation_gives_identical_numbers(photographs):
    paths = sorted(photographs.iterdir())
    assert evaluate(paths, METHODS, UNIFORM) == evaluate(paths, METHODS, UNIFORM)


def test_photographs_of_many_strips_score_as_in_one_piece(photographs, monkeypatch):
    paths = sorted(photographs.iterdir())
    expected = evaluate(paths, METHODS, prior_of(paths)[0]).methods
    monkeypatch.setattr(colour_error, "STRIP", 9 * 4)
    monkeypatch.setattr(suite, "_KEPT", 0)
    assert len(list(colour_error.strips(10, 9))) == 3
    result = evaluate(paths, METHODS, prior_of(paths)[0]).methods
    for name in METHODS:
        assert result[name] == pytest.approx(expected[name], abs=1e-6)


def test_sums_of_two_halves_add_up_to_the_whole(photographs):
    photos = [suite.read_photograph(path) for path in sorted(photographs.iterdir())]
    weights = np.random.default_rng(1).uniform(1, 9, 313)
    one, two, three, four = (suite.measure(p.true, grey(p), suite.true_colours(p.true, weights)) for p in photos)
    halves = suite.add(suite.add(one, two), suite.add(three, four))
    in_order = suite.add(suite.add(suite.add(suite.add(suite.empty(), one), two), three), four)
    assert suite.compute(halves) == pytest.approx(suite.compute(in_order), rel=1e-12)


def test_figures_of_no_photograph_are_nan():
    assert all(np.isnan(value) for value in suite.compute(suite.empty()).values())
