"""Sparse training by hypercolumns and histograms, end to end."""

from pathlib import Path

import pytest
import torch

from pretrain.test_colorization import (
    as_in_two_processes,
    assert_same_figures,
    assert_same_weights,
    metrics,
    subprocess_run,
)
from pretrain.tiny import RECIPE, make_photographs, run
from pretrain.two_processes import SETTINGS, SPARSE
from tintype.color import rgb_to_lab
from tintype.networks import load_weights
from tintype.objectives import Histograms, Regression
from tintype.pretrain import RecipeError, colorization, load_recipe

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def sparse(photographs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "sparse"
    run(folder, photographs, *SPARSE)
    return folder


def test_a_sparse_run_learns_at_points_and_shows_the_whole_picture(sparse):
    losses = [line["val_loss"] for line in metrics(sparse) if "val_loss" in line]
    assert len(losses) == 2
    assert all(0 < loss < 20 for loss in losses)
    assert (sparse / "previews" / "step-0000008.png").exists()
    assert not (sparse / "prior.npy").exists()


def test_its_weights_say_what_they_see_and_where_they_predict(sparse):
    _, metadata = load_weights(sparse / "weights.safetensors")
    assert metadata["input"] == "mean"
    assert "(R + G + B) / 3" in metadata["colour_space"]
    assert metadata["objective"] == "histograms"
    assert metadata["objective_options"]["bins"] == 8
    assert metadata["channels"] == 16
    assert metadata["head_options"] == {"layers": ["stride4", "stride16"], "width": 16, "dropout": 0.0}
    assert (metadata["stride"], metadata["ab_origin"]) == (4, 2.5)  # the middle of pixel 2


def test_validation_uses_the_same_points_every_time(sparse, photographs, tmp_path, monkeypatch):
    seen = []
    draw = colorization.draw_points

    def note(batch, side, count, edge, *seed, first):
        points = draw(batch, side, count, edge, *seed, first=first)
        seen.append((seed, points))
        return points

    monkeypatch.setattr(colorization, "draw_points", note)
    run(tmp_path / "again", photographs, *SPARSE)
    training = [points for (_, step), points in seen if step > 0]
    held_out = [points for (_, step), points in seen if step == 0]
    assert len(training) == 8
    assert not training[0].equal(training[1])
    assert held_out[0].equal(held_out[1])
    assert_same_weights(tmp_path / "again" / "weights.safetensors", sparse / "weights.safetensors")


def test_two_processes_make_the_updates_of_one_at_the_points_of_the_joint_batch(photographs, tmp_path, monkeypatch):
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    result = subprocess_run(*launcher, HERE / "two_processes.py", tmp_path / "two", photographs, "sparse")
    assert result.returncode == 0
    as_in_two_processes(monkeypatch)
    run(tmp_path / "one", photographs, *SETTINGS, *SPARSE[1:], "optimizer.lr=0.05")
    assert_same_weights(*(tmp_path / n / "weights.safetensors" for n in ("one", "two")), rtol=1e-4, atol=1e-6)
    assert_same_figures(tmp_path / "one", tmp_path / "two")


def test_the_input_is_cie_lightness_or_the_channel_mean():
    rgb = torch.rand(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(colorization.look(rgb, "lightness"), rgb_to_lab(rgb)[:, :1])
    torch.testing.assert_close(colorization.look(rgb, "mean"), 100 * rgb.mean(1, keepdim=True))
    grey = rgb[:, :1].expand(-1, 3, -1, -1)
    for how in ("lightness", "mean"):
        torch.testing.assert_close(
            colorization.grey_of(colorization.look(grey, how), how), rgb[:, :1], atol=1e-5, rtol=0
        )


def test_losses_at_points_on_grids_and_of_all_objectives_are_those_of_the_same_pixels():
    rgb = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    rows = torch.cartesian_prod(torch.arange(0, 16, 4), torch.arange(0, 16, 4))[None].expand(2, -1, -1)
    for objective in (Histograms(8), Regression("larsson17")):
        prediction = torch.randn(2, objective.channels, 4, 4, generator=torch.Generator().manual_seed(1))
        dense = colorization.loss_of(objective, prediction, rgb, None, "point", 4)
        sparse = colorization.loss_of(objective, prediction.flatten(2), rgb, rows, "point", 4)
        torch.testing.assert_close(dense, sparse)


ZHANG16 = (
    *SPARSE,
    "trunk=zhang16",
    "head.layers=[conv2]",
    "data.crop=16",
    "steps=1",
    "head.edge=2",
    "schedule={name: constant}",
)


def test_what_is_found_damaged_at_initialization_is_told_and_listed_once(tmp_path, caplog):
    folder = make_photographs(tmp_path / "photographs")
    damaged = sorted(folder.iterdir())[:20]
    for path in damaged:
        path.write_bytes(b"")
    run(tmp_path / "run", folder, *ZHANG16, "init=unit_variance", "steps=8")
    lines = (tmp_path / "run" / "damaged.tsv").read_text().splitlines()
    assert sorted(line.split("\t")[0] for line in lines) == sorted(record.args[0] for record in caplog.records)
    assert len(lines) == 20


@pytest.mark.parametrize("how", ["unit_variance", "kmeans"])
def test_trunks_can_start_from_what_they_see(how, photographs, tmp_path):
    run(tmp_path / how, photographs, *ZHANG16, f"init={how}", "optimizer.lr=1e-12", "optimizer.weight_decay=0")
    weights, _ = load_weights(tmp_path / how / "weights.safetensors")
    run(tmp_path / "random", photographs, *ZHANG16, "optimizer.lr=1e-12", "optimizer.weight_decay=0")
    others, _ = load_weights(tmp_path / "random" / "weights.safetensors")
    assert not weights["trunk.conv2.0.weight"].allclose(others["trunk.conv2.0.weight"], atol=1e-3)


@pytest.mark.parametrize("batch", [4, 64])
def test_first_weights_are_made_from_32_photographs_whatever_a_batch_holds(batch, photographs, tmp_path, monkeypatch):
    seen = []

    def stop(trunk, pictures, kmeans):
        seen.append(pictures.shape)
        raise ValueError("seen")

    monkeypatch.setattr(colorization, "initialize", stop)
    with pytest.raises(RecipeError, match="seen"):
        run(tmp_path / "run", photographs, *SPARSE, "init=unit_variance", f"batch_size={batch}")
    assert seen == [(32, 1, 32, 32)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["head.layers=[stride4, stride5]"], "the trunk has no layer 'stride5'; it has stride2"),
        (["head.edge=16"], "key 'head.edge' is 16; of crops of 32 it leaves nothing"),
        (["objective.window=4"], "key 'objective.window' is 4; it must be odd"),
        (["objective.bins=65"], "key 'objective.bins' is 65; it must be from 8 to 64"),
        (["objective.decoding=mean"], "key 'objective.decoding' is 'mean'; it must be median or mode or expectation"),
        (["input=colour"], "key 'input' is 'colour'; it must be lightness or mean"),
        (["init=kmeans"], "key 'init' is kmeans: only chains of convolutions with biases"),
        (["init=kmeans", "pretrained=x.pth"], "key 'init' is kmeans; with pretrained weights it must be random"),
        (["objective={name: regression, form: lab}"], "key 'objective.form' is 'lab'; it must be zhang16 or larsson17"),
    ],
)
def test_what_does_not_go_together_is_named(settings, message, photographs, tmp_path):
    with pytest.raises(RecipeError) as error:
        run(tmp_path / "run", photographs, *SPARSE, *settings)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_sparse_run_is_resumed_by_its_own_recipe(sparse):
    assert load_recipe(sparse / "recipe.yaml").head.points == 20
    assert "hypercolumn" in (sparse / "recipe.yaml").read_text()
    assert "hypercolumn" not in RECIPE
