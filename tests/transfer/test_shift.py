from copy import deepcopy
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from tables.told import check_told
from tintype.networks import build_trunk
from tintype.recipes import RecipeError
from tintype.transfer.shift import Correlation, correlations, summary
from transfer.tiny import LOW_SHOT, run

SHIFT = """
task: shift
name: tiny-shift
description: for tests
after: required
photographs: 12
crop: 64
workers: 0
steps: 1
batch_size: 4
optimizer: {name: sgd, lr: 0.01}
schedule: {name: constant}
"""


def test_correlation_is_pearsons_over_all_places_of_all_pictures():
    torch.manual_seed(0)
    before = 1e4 + torch.randn(7, 5, 3, 4)
    after = 0.3 * before + torch.randn(7, 5, 3, 4)
    before[:, 2] = 8
    ours = Correlation()
    for part in (slice(0, 3), slice(3, 7)):
        ours.add(before[part], after[part])
    flat = [x.double().transpose(0, 1).flatten(1).numpy() for x in (before, after)]
    expected = [np.nan if i == 2 else np.corrcoef(flat[0][i], flat[1][i])[0, 1] for i in range(5)]
    np.testing.assert_allclose(ours.value(), expected, rtol=1e-9)


def test_a_trunk_correlates_with_itself_by_one_and_with_its_negative_filters_less():
    torch.manual_seed(0)
    trunk = build_trunk("alexnet").eval()
    other = deepcopy(trunk)
    with torch.no_grad():
        other.conv3.conv.weight.normal_(std=0.05)
    pictures = [100 * torch.rand(2, 1, 64, 64) for _ in range(2)]
    found = {
        layer: summary(values)["median"]
        for layer, values in correlations(trunk, other, pictures, ["conv1", "conv2", "conv3"]).items()
    }
    assert found["conv1"] == found["conv2"] == pytest.approx(1)
    assert abs(found["conv3"]) < 0.5


def test_quartiles_are_over_units_that_vary():
    found = summary(np.array([0.1, np.nan, 0.2, 0.3, 0.4, 0.5]))
    assert found == {"median": 0.3, "lower_quartile": 0.2, "upper_quartile": 0.4, "units": 6, "constant_units": 1}


def test_layers_that_were_frozen_have_not_moved_and_the_plot_shows_it(kinds, tmp_path):
    settings = ("trunk=alexnet_bn", "layer=conv5", "crop=64", "optimizer.lr=0.1")
    start = ("optimizer.lr=1e-30", "steps=1", "surgery.batch_norm=frozen")
    run(tmp_path / "before", LOW_SHOT, kinds, *settings, *start)
    weights = str(tmp_path / "before")
    run(
        tmp_path / "after",
        LOW_SHOT,
        kinds,
        "layer=conv5",
        "crop=64",
        "optimizer.lr=0.1",
        "trunk=weights",
        "surgery.freeze_below=conv2",
        weights=weights,
    )
    record = run(tmp_path / "shift", SHIFT, kinds, f"after={tmp_path / 'after'}", weights=weights)
    found = record["results"]["layers"]
    check_told("shift", record["results"])
    assert list(found) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert found["conv2"]["median"] == pytest.approx(1)
    assert found["conv5"]["median"] < 0.999
    picture = ElementTree.parse(tmp_path / "shift" / "shift.svg").getroot()
    shown = [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert shown[-5:] == list(found)


def test_without_a_fine_tuned_run_it_says_what_is_missing(kinds, tmp_path):
    with pytest.raises(RecipeError, match="--set after=RUN"):
        run(tmp_path / "run", SHIFT, kinds, "trunk=alexnet")
    with pytest.raises(RecipeError, match="not a finished run of tintype transfer"):
        run(tmp_path / "other", SHIFT, kinds, "trunk=alexnet", f"after={tmp_path}")
