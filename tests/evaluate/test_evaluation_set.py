"""Grey on the evaluation photographs, against figures that another program counted on them."""

import os
from pathlib import Path

import numpy as np
import pytest

from tintype.color import rebalancing_weights
from tintype.evaluate import grey, read_photograph, read_prior
from tintype.evaluate.colour_error import count_errors, empty_counts, picture_ab, picture_bins


def _mean_over_thresholds(counts):
    """AuC as that program read it: the plain mean over the 151 thresholds, not the trapezoid."""
    return 100 * np.mean(np.cumsum(counts[:151]) / counts.sum())


def test_grey_scores_as_counted_elsewhere_with_the_published_prior():
    photos, reference = os.environ.get("TINTYPE_PHOTOS"), os.environ.get("TINTYPE_REFERENCE")
    if not photos or not reference:
        pytest.skip("TINTYPE_PHOTOS and TINTYPE_REFERENCE are not both set: photographs or prior are not at hand")
    weights = rebalancing_weights(read_prior(Path(reference) / "prior_probs.npy"), uniform=0.0)
    errors, rebalanced, per_image = empty_counts(), empty_counts(), []
    for path in sorted((Path(photos) / "eval").glob("*.jpg")):
        photo = read_photograph(path)
        true_ab, ab = picture_ab(photo.true), picture_ab(grey(photo))
        plain, one, _ = count_errors(true_ab, ab, weights[picture_bins(true_ab)])
        errors += plain
        rebalanced += one
        per_image.append(_mean_over_thresholds(one))
    assert _mean_over_thresholds(errors) == pytest.approx(87.60, abs=0.02)
    assert _mean_over_thresholds(rebalanced) == pytest.approx(50.85, abs=0.02)
    assert np.mean(per_image) == pytest.approx(76.72, abs=0.02)
