import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reference import metrics, rarity
from tintype.color import bin_centres
from tintype.evaluate import prior_of, read_prior


def test_the_photographs_own_prior_equals_the_slow_twin(photographs):
    paths = sorted(photographs.iterdir())
    counts = np.zeros(313)
    for path in paths:
        for pixel in metrics.pixels(np.asarray(Image.open(path))):
            counts[metrics.nearest_bin(metrics.ab_of(pixel))] += 1
    prior, left_out = prior_of(paths)
    assert left_out == {}
    np.testing.assert_allclose(prior, rarity.smoothed_prior(counts, bin_centres(), 5.0), rtol=1e-9)


def test_a_photograph_that_cannot_be_read_is_named_and_does_not_count(photographs):
    paths = sorted(photographs.iterdir())
    expected, _ = prior_of(paths)
    bad = photographs / "bad.png"
    bad.write_bytes(b"not a picture")
    prior, left_out = prior_of([*paths, bad])
    np.testing.assert_array_equal(prior, expected)
    assert list(left_out) == [bad]
    assert "bad.png" in left_out[bad]


def test_without_a_single_photograph_every_colour_is_as_common(tmp_path):
    prior, left_out = prior_of([tmp_path / "missing.png"])
    np.testing.assert_allclose(prior, 1 / 313)
    assert len(left_out) == 1


def test_a_prior_file_is_read_as_written(tmp_path):
    prior = np.random.default_rng(0).dirichlet(np.ones(313))
    np.save(tmp_path / "prior.npy", prior)
    np.testing.assert_array_equal(read_prior(tmp_path / "prior.npy"), prior)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (np.ones(312) / 312, "expected 313 numbers"),
        (np.array(["a"] * 313), "expected 313 numbers"),
        (np.ones(313), "sum 1"),
        (np.full(313, np.nan), "sum 1"),
        (np.array([2.0, -1.0] + [0.0] * 311), "none negative"),
        (b"nothing of the kind", "not a .npy file"),
        (b"", "not a .npy file"),
    ],
)
def test_a_file_that_is_no_prior_is_refused_by_name_in_one_line(tmp_path, content, complaint):
    path = tmp_path / "wrong.npy"
    path.write_bytes(content) if isinstance(content, bytes) else np.save(path, content)
    with pytest.raises(ValueError, match=complaint) as error:
        read_prior(path)
    assert "wrong.npy" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_published_prior_is_one():
    reference = os.environ.get("TINTYPE_REFERENCE")
    if not reference:
        pytest.skip("TINTYPE_REFERENCE is not set: the published prior is not at hand")
    assert read_prior(Path(reference) / "prior_probs.npy").shape == (313,)
