import json

import numpy as np
import pytest
from PIL import Image

from reference import metrics
from tintype.evaluate import Networks, Summary, Task, colour_error, grey, measure_all, prior_of, suite, true
from tintype.evaluate.photograph import read_photograph
from tintype.runtime.errors import PhotoError

UNIFORM = np.full(313, 1 / 313)


def _noisy(photograph):
    noise = np.random.default_rng(5).normal(0, 30, photograph.true.shape)
    return np.clip(photograph.true + noise, 0, 255).astype(np.uint8)


METHODS = {"grey": grey, "noisy": _noisy, "ground-truth": true}


def evaluate(paths, methods=METHODS, prior=UNIFORM, **more):
    """Figures by method, the photographs left out with the reason, and how many were measured."""
    methods = {**methods, "ground-truth": true}
    summary, left_out = Summary(list(methods)), {}
    for path, measured in measure_all(paths, Task(methods, prior, **more)):
        if isinstance(measured, PhotoError):
            left_out[path] = str(measured)
        else:
            record = json.loads(json.dumps({"photograph": path.name, **measured[0]}))
            summary.add(record)
    figures = {name: {key: value[0] for key, value in row.items()} for name, row in summary.figures().items()}
    return figures, left_out, summary.images


@pytest.mark.parametrize("method", METHODS)
def test_every_figure_equals_the_slow_twin(photographs, method):
    paths = sorted(photographs.iterdir())
    prior = np.random.default_rng(0).dirichlet(np.ones(313))
    pairs = [(photo.true, METHODS[method](photo)) for photo in map(read_photograph, paths)]
    figures, expected = evaluate(paths, prior=prior)[0][method], metrics.figures(pairs, prior)
    # A pixel whose chroma is the limit but for rounding counts on some processors, and not on others.
    assert figures.pop("neutral_chroma") == pytest.approx(expected.pop("neutral_chroma"), rel=1e-4, abs=1e-5)
    assert figures == pytest.approx(expected, abs=1e-5)


def test_the_truth_is_perfect(photographs):
    paths = sorted(photographs.iterdir())
    figures = evaluate(paths, prior=prior_of(paths)[0])[0]["ground-truth"]
    assert figures.pop("colourfulness") > 50
    assert figures == {
        "auc": 100,
        "auc_rebalanced": 100,
        "auc_rebalanced_per_image": 100,
        "rmse_ab": 0,
        "neutral_chroma": pytest.approx(2, abs=2),
        "psnr": np.inf,
        "ssim": 1,
        "colourfulness_difference_per_image": 0,
        "colourfulness_difference_of_means": 0,
    }


def test_grey_is_given_the_lightness_of_the_photograph_and_no_colour(photographs):
    photo = read_photograph(photographs / "0.png")
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
    figures = evaluate([two_colours], {"all grey": _all_grey}, prior)[0]["all grey"]
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
    figures = evaluate(sorted(tmp_path.iterdir()), {"all grey": _all_grey})[0]["all grey"]
    within = 45.5 / 150
    assert figures["auc_rebalanced"] == pytest.approx(100 * (0.75 + 0.25 * within), abs=1e-6)
    assert figures["auc_rebalanced_per_image"] == pytest.approx(100 * (0.5 + 0.5 * within), abs=1e-6)


def test_a_colour_that_the_prior_lacks_weighs_as_the_rarest_other(two_colours):
    neutral = metrics.nearest_bin((0.0, 0.0))
    prior = np.zeros(313)
    prior[neutral], prior[neutral + 1] = 0.9, 0.1
    figures = evaluate([two_colours], {"all grey": _all_grey}, prior)[0]["all grey"]
    grey_weight, red_weight = 0.75 / 0.9, 0.25 / 0.1
    expected = 100 * (grey_weight + red_weight * 45.5 / 150) / (grey_weight + red_weight)
    assert figures["auc_rebalanced"] == pytest.approx(expected, abs=1e-6)


def test_a_damaged_photograph_is_left_out_and_named(photographs):
    paths = sorted(photographs.iterdir())
    whole = (photographs / "0.png").read_bytes()
    (photographs / "cut.png").write_bytes(whole[: len(whole) // 2])
    (photographs / "empty.png").write_bytes(b"")
    figures, left_out, images = evaluate([*paths, photographs / "cut.png", photographs / "empty.png"])
    assert images == 4
    assert [path.name for path in left_out] == ["cut.png", "empty.png"]
    assert all(path.name in reason and "\n" not in reason for path, reason in left_out.items())
    assert figures == evaluate(paths)[0]


def test_a_photograph_too_small_for_a_window_of_ssim_is_left_out(photographs, random_picture):
    Image.fromarray(random_picture(9, 6, 50)).save(photographs / "strip.png")
    _, left_out, images = evaluate(sorted(photographs.iterdir()))
    assert images == 4
    assert "50 x 6 pixels are too few" in left_out[photographs / "strip.png"]


def test_a_photograph_that_one_method_fails_on_is_left_out_of_all(photographs):
    def picky(photograph):
        if photograph.path.name == "2.png":
            raise PhotoError("cannot be colorized")
        return photograph.true

    paths = sorted(photographs.iterdir())
    figures, left_out, images = evaluate(paths, {"grey": grey, "picky": picky})
    without, _, _ = evaluate([path for path in paths if path.name != "2.png"], {"grey": grey})
    assert images == 3
    assert left_out == {photographs / "2.png": f"{photographs / '2.png'}: cannot be colorized"}
    assert figures["grey"] == without["grey"]


def test_a_method_that_returns_another_size_is_an_error(photographs):
    with pytest.raises(ValueError, match="picture"):
        evaluate(sorted(photographs.iterdir()), {"cut": lambda photo: photo.true[1:]})


def test_a_second_evaluation_gives_identical_numbers(photographs):
    paths = sorted(photographs.iterdir())
    assert evaluate(paths) == evaluate(paths)


def test_photographs_of_many_strips_score_as_in_one_piece(photographs, monkeypatch):
    paths = sorted(photographs.iterdir())
    expected = evaluate(paths, prior=prior_of(paths)[0])[0]
    monkeypatch.setattr(colour_error, "STRIP", 9 * 4)
    monkeypatch.setattr(suite, "_KEPT", 0)
    assert len(list(colour_error.strips(10, 9))) == 3
    figures = evaluate(paths, prior=prior_of(paths)[0])[0]
    for name in METHODS:
        assert figures[name] == pytest.approx(expected[name], abs=1e-6)


def test_square_photographs_are_measured_at_256_by_256(photographs):
    path = photographs / "3.png"
    photo = read_photograph(path, square=True)
    expected = Image.open(path).resize((256, 256), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(photo.true, np.asarray(expected))
    assert (photo.grey.shape, photo.size) == ((256, 256), (13, 9))
    assert evaluate([path], square=True)[0]["noisy"] != evaluate([path])[0]["noisy"]


class _Sees:
    """A classifier of nine classes that tells pictures by their mean colour, so that a test can foretell it."""

    def __call__(self, pictures):
        means = np.stack([picture.reshape(-1, 3).mean(axis=0) for picture in pictures]).astype(np.float32)
        return np.concatenate([means, np.tile(np.arange(6, dtype=np.float32), (len(means), 1))], axis=1), means


@pytest.fixture
def plain_colours(tmp_path):
    """Ten photographs: five red (class 0), three green (1), two blue (2)."""
    folder = tmp_path / "plain"
    folder.mkdir()
    labels = {}
    for number, label in enumerate([0] * 5 + [1] * 3 + [2] * 2):
        picture = np.full((8, 8, 3), 20, np.uint8)
        picture[..., label] = 200
        path = folder / f"{number}.png"
        Image.fromarray(picture).save(path)
        labels[path] = label
    return labels


def _red(photograph):
    return np.broadcast_to(np.array([200, 20, 20], np.uint8), photograph.true.shape)


def _blue_but_two(photograph):
    return _red(photograph)[..., :: -1 if photograph.path.stem > "1" else 1]


def test_semantics_count_right_answers_and_the_share_of_the_gap_won_back(plain_colours):
    methods = {"grey": _red, "half": lambda photo: photo.true if photo.path.stem in "567" else _red(photo)}
    figures, _, _ = evaluate(list(plain_colours), methods, networks=Networks(classifier=_Sees()), labels=plain_colours)
    assert [figures[name]["top1"] for name in figures] == pytest.approx([50, 80, 100])
    assert [figures[name]["top1_won_back"] for name in figures] == pytest.approx([0, 60, 100])
    assert [figures[name]["agreement"] for name in figures] == pytest.approx([50, 80, 100])
    assert all(figures[name]["top5"] == 100 for name in figures)


def test_top_5_asks_for_fewer_than_five_better_answers(plain_colours):
    class Ranks:
        def __call__(self, pictures):
            return np.tile(np.arange(9, 0, -1, dtype=np.float32), (len(pictures), 1)), np.zeros((len(pictures), 2))

    for label, expected in ((0, 100), (4, 100), (5, 0), (8, 0)):
        figures, _, _ = evaluate(
            list(plain_colours), networks=Networks(classifier=Ranks()), labels=dict.fromkeys(plain_colours, label)
        )
        assert figures["grey"]["top5"] == expected, label


def test_without_labels_agreement_with_the_answer_on_the_truth_is_left(plain_colours):
    figures, _, _ = evaluate(list(plain_colours), {"blue": _blue_but_two}, networks=Networks(classifier=_Sees()))
    assert figures["blue"]["agreement"] == pytest.approx(40)  # the two reds left red, and the two blue ones
    assert "top1" not in figures["blue"]


def test_only_labelled_photographs_count_in_top_1(plain_colours):
    labels = {path: label for path, label in plain_colours.items() if label}
    figures, _, _ = evaluate(list(plain_colours), {"red": _red}, networks=Networks(classifier=_Sees()), labels=labels)
    assert (figures["red"]["top1"], figures["ground-truth"]["top1"]) == (0, 100)


def test_lpips_is_averaged_over_photographs(photographs):
    def distance(true, pictures):
        return [float(np.abs(true.astype(float) - picture).mean()) for picture in pictures]

    paths = sorted(photographs.iterdir())
    figures, _, _ = evaluate(paths, networks=Networks(lpips=distance))
    expected = np.mean([distance(p.true, [_noisy(p)])[0] for p in map(read_photograph, paths)])
    assert figures["noisy"]["lpips"] == pytest.approx(expected)
    assert figures["ground-truth"]["lpips"] == 0


def test_features_of_every_method_come_with_the_record(photographs):
    task = Task(METHODS, UNIFORM, networks=Networks(classifier=_Sees(), inception=lambda p: np.zeros((len(p), 4))))
    ((_, (_, features)),) = measure_all([photographs / "0.png"], task)
    assert set(features) == {f"{network}-{place}" for network in ("classifier", "inception") for place in range(3)}
    photo = read_photograph(photographs / "0.png")
    np.testing.assert_allclose(features["classifier-1"], _noisy(photo).reshape(-1, 3).mean(axis=0), rtol=1e-6)


def test_figures_of_no_photograph_are_nan():
    figures = Summary(["grey", "ground-truth"]).figures()
    assert all(np.isnan(value[0]) for row in figures.values() for value in row.values())


def test_a_photograph_too_small_for_lpips_is_left_out(photographs):
    def picky(true, pictures):
        if len(true) == 10:
            raise ValueError("LPIPS needs more pixels")
        return [0.0] * len(pictures)

    _, left_out, images = evaluate(sorted(photographs.iterdir()), networks=Networks(lpips=picky))
    assert images == 3
    assert left_out == {photographs / "0.png": f"{photographs / '0.png'}: LPIPS needs more pixels"}
