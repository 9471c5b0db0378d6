import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from torch.nn import functional as F

from pretrain.labelled import make_photographs, run
from pretrain.tiny import run as run_colorization
from tintype.data import DataError, open_photos
from tintype.data import photos as photos_module
from tintype.data.labels import labels_by_key, own_labels
from tintype.data.pack import Packing, pack
from tintype.data.studies import noise, random_buckets, subset
from tintype.data.study_file import write_study
from tintype.networks import load_weights, save_weights
from tintype.networks.trained import trained_trunk
from tintype.pretrain import ClassificationRecipe, RecipeError, classification, load_recipe
from tintype.pretrain.photographs import Photographs
from tintype.training import Compute, TrainingError

HERE = Path(__file__).parent
LAYER_NORM = ("trunk=timm:test_efficientnet_ln",)  # which does not mind how a batch is parted


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    return make_photographs(tmp_path_factory.mktemp("data") / "photographs")


@pytest.fixture(scope="module")
def whole(photographs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(folder, photographs)
    return folder


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("images_per_second", "waiting_for_data")} for line in lines]


def assert_same_weights(a, b, **tolerance):
    (a, _), (b, _) = load_weights(a / "weights.safetensors"), load_weights(b / "weights.safetensors")
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], **(tolerance or {"rtol": 0, "atol": 0}), msg=name)


def test_a_finished_run_says_what_it_learned(whole):
    weights, metadata = load_weights(whole / "weights.safetensors")
    assert metadata["classes"] == ["bright", "dark", "middling"]
    given = {key: metadata[key] for key in ("objective", "trunk", "head", "input", "in_chans", "steps")}
    assert given == {
        "objective": "classification",
        "trunk": "timm:test_efficientnet",
        "head": "pooled",
        "input": "lightness",
        "in_chans": 1,
        "steps": 8,
    }
    assert weights["head.predict.weight"].shape[0] == 3
    assert isinstance(load_recipe(whole / "recipe.yaml"), ClassificationRecipe)
    held_out = [line for line in metrics(whole) if "top1" in line]
    assert [line["step"] for line in held_out] == [4, 8]
    assert all(0 <= line["top1"] <= line["top5"] <= 100 for line in held_out)


def test_classes_that_grey_shows_are_learned(photographs, tmp_path):
    run(tmp_path / "run", photographs, "steps=60", "validate_every=60", "batch_size=8")
    last = metrics(tmp_path / "run")[-1]
    assert last["top1"] > 80
    assert last["val_loss"] < math.log(3) / 2


@pytest.mark.parametrize("kind", ["folder", "shards"])
def test_a_resumed_run_ends_as_one_never_stopped_and_shards_are_the_folder(whole, photographs, tmp_path, kind):
    source = photographs
    if kind == "shards":
        source = tmp_path / "shards"
        pack(open_photos([photographs]), source, Packing(20_000, labels="names"))
    run(tmp_path / "run", source, "steps=8", "schedule.name=cosine", "schedule.warmup=2")
    for checkpoint in (tmp_path / "run" / "checkpoints").glob("step-0000008.pt"):
        checkpoint.unlink()
    run(tmp_path / "run", source, resume=True)
    assert_same_weights(tmp_path / "run", whole)
    assert metrics(tmp_path / "run") == metrics(whole)


def test_two_processes_killed_in_an_epoch_of_shards_and_resumed_end_as_if_they_never_were(photographs, tmp_path):
    pack(open_photos([photographs]), tmp_path / "shards", Packing(20_000, labels="names"))
    path = os.pathsep.join([str(HERE.parent), *sys.path])
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    for which, clean in (("first", False), ("again", True)):
        command = [*launcher, HERE / "two_killed.py", tmp_path, tmp_path / "shards", which]
        env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, env=env, timeout=600, check=False, capture_output=True, text=True)
        assert (done.returncode == 0) is clean, done.stderr
    first, second = map(json.loads, (tmp_path / "killed" / "sessions.jsonl").read_text().splitlines())
    assert (first["step"], second["step"], second["processes"]) == (0, 3, 2)
    assert_same_weights(tmp_path / "killed", tmp_path / "whole")
    assert metrics(tmp_path / "killed") == metrics(tmp_path / "whole")


def test_a_batch_in_parts_makes_the_updates_of_the_whole_batch(photographs, tmp_path):
    sgd = ("optimizer.name=sgd", "optimizer.betas=[0.9,0.9]", "optimizer.lr=0.05")
    run(tmp_path / "whole", photographs, *LAYER_NORM, *sgd)
    run(tmp_path / "parts", photographs, *LAYER_NORM, *sgd, compute=Compute(accumulate=4))
    assert_same_weights(tmp_path / "parts", tmp_path / "whole", rtol=1e-4, atol=1e-6)


def test_what_the_network_sees_is_lightness_the_mean_or_colour():
    rgb = torch.randint(0, 256, (2, 3, 5, 4), dtype=torch.uint8)
    lab = rgb2lab(rgb.permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(classification.look(rgb, "lightness")[:, 0], lab[..., 0], atol=2e-3)
    np.testing.assert_allclose(classification.look(rgb, "mean")[:, 0], rgb.double().mean(dim=1) / 2.55, rtol=1e-5)
    np.testing.assert_allclose(classification.look(rgb, "colour"), rgb.double() / 2.55, rtol=1e-5)


def test_colour_input_is_trained_with_three_channels(photographs, tmp_path):
    weights, metadata = load_weights(run(tmp_path / "run", photographs, "input=colour", "steps=3"))
    assert metadata["in_chans"] == 3
    assert weights["trunk.body.conv_stem.weight"].shape[1] == 3


def test_ranks_are_counted_as_scikit_learn_counts_them():
    from sklearn.metrics import top_k_accuracy_score

    torch.manual_seed(0)
    logits, classes = torch.randn(200, 12), torch.randint(0, 12, (200,))
    loss, top1, top5 = (classification.sums(logits, classes) / 200).tolist()
    assert loss == pytest.approx(float(F.cross_entropy(logits.double(), classes)), rel=1e-5)
    expected = [100 * top_k_accuracy_score(classes, logits, k=k, labels=range(12)) for k in (1, 5)]
    assert [top1, top5] == pytest.approx(expected)
    assert classification.sums(torch.eye(3), torch.arange(3)).tolist()[1:] == [300, 300]  # of three classes, all are in


def test_photographs_are_parted_once(photographs, whole, monkeypatch):
    calls = []
    part = photos_module.is_held_out
    monkeypatch.setattr(photos_module, "is_held_out", lambda *asked: (calls.append(asked), part(*asked))[1])
    recipe = load_recipe(whole / "recipe.yaml")
    Photographs(recipe, [str(photographs)], label=lambda photos: own_labels(photos, 0.2))
    assert len(calls) == 60


def _study(tmp_path, photographs, make, *arguments, held_out=0.0, **options):
    path = tmp_path / "study.tsv"
    write_study(path, make(labels_by_key(open_photos([photographs]), None, held_out), *arguments, **options))
    return path


def test_a_study_decides_classes_and_photographs(photographs, tmp_path, capfd):
    few = _study(tmp_path, photographs, subset, 0, per_class=10)
    _, metadata = load_weights(run(tmp_path / "few", photographs, "steps=3", labels=few))
    assert metadata["labels"].startswith("30 (")
    assert metadata["data"].startswith("30 photographs of")  # all of them, whatever share the recipe holds out
    assert json.loads((tmp_path / "few" / "sessions.jsonl").read_text())["photographs"].startswith("30 (")
    assert "study.tsv holds out no photographs: nothing is measured on the way" in capfd.readouterr().err
    assert all("loss" in line for line in metrics(tmp_path / "few"))
    buckets = _study(tmp_path, photographs, random_buckets, 0, 2)
    weights, metadata = load_weights(run(tmp_path / "buckets", photographs, "steps=3", labels=buckets))
    assert metadata["classes"] == ["random-0", "random-1"]
    assert weights["head.predict.weight"].shape[0] == 2


def test_wrong_labels_are_trained_on_and_true_ones_measured(photographs, tmp_path):
    wrong = _study(tmp_path, photographs, noise, 0, 0.99, held_out=0.2)
    run(tmp_path / "run", photographs, "steps=60", "validate_every=60", "batch_size=8", labels=wrong)
    assert metrics(tmp_path / "run")[-1]["top1"] < 40  # it has learned the wrong ones, and is held to the true ones


def test_a_run_is_not_resumed_with_other_labels(whole, photographs, tmp_path):
    with pytest.raises(TrainingError, match=r"cannot resume: labels was 60 \("):
        run(whole, photographs, resume=True, labels=_study(tmp_path, photographs, noise, 0, 0.5, held_out=0.2))


def test_a_trunk_starts_from_a_colorizers(photographs, tmp_path):
    colorizer = run_colorization(tmp_path / "colorizer", photographs, "steps=3")
    before, _ = load_weights(colorizer)
    settings = ("steps=1", "optimizer.lr=1e-9", "schedule.name=constant")
    after, _ = load_weights(run(tmp_path / "run", photographs, *settings, f"pretrained={colorizer}"))
    for name, value in before.items():
        if name.startswith("trunk.") and "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(after[name], value, atol=1e-6, rtol=0)


def test_a_trunk_for_colour_starts_from_one_for_grey_and_the_other_way_round(photographs, tmp_path):
    settings, first = ("steps=1", "optimizer.lr=1e-9", "schedule.name=constant"), "trunk.body.conv_stem.weight"
    grey, _ = load_weights(run(tmp_path / "grey", photographs, *settings))
    colour, _ = load_weights(
        run(tmp_path / "c", photographs, *settings, "input=colour", f"pretrained={tmp_path}/grey/weights.safetensors")
    )
    torch.testing.assert_close(colour[first], grey[first].expand(-1, 3, -1, -1) / 3, atol=1e-6, rtol=0)
    again, _ = load_weights(run(tmp_path / "g", photographs, *settings, f"pretrained={tmp_path}/c/weights.safetensors"))
    torch.testing.assert_close(again[first], grey[first], atol=1e-6, rtol=0)


def test_a_trunk_of_which_the_top_was_not_kept_or_another_is_refused_in_one_line(whole, photographs, tmp_path):
    tensors, metadata = load_weights(whole / "weights.safetensors")
    lower = {name: value for name, value in tensors.items() if not name.startswith("trunk.body.blocks.4.")}
    save_weights(tmp_path / "lower.safetensors", lower, metadata)
    for setting, message in (
        (f"pretrained={tmp_path}/lower.safetensors", "holds the lower layers of timm:test_efficientnet only"),
        (f"trunk=resnet18 pretrained={whole}/weights.safetensors", "test_efficientnet, this recipe's is resnet18"),
    ):
        with pytest.raises(RecipeError, match=message) as refused:
            run(tmp_path / "run", photographs, *setting.split())
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("trunk=timm:no_such_net", "timm has no model 'no_such_net'"),
        ("freeze=stride5", "key 'freeze': this trunk has no feature map 'stride5'"),
        ("input=red", "key 'input' is 'red'; it must be lightness or mean or colour"),
        ("sampling=mean", "unknown key 'sampling'"),
        ("batch_size=0", "key 'batch_size' is 0; it must be at least 1"),
        ("data.scale=[1]", "key 'data.scale' is [1.0]; it must be [low, high]"),
        ("pretrained=nowhere.pth", "key 'pretrained' is nowhere.pth: there is no such file"),
    ],
)
def test_what_does_not_go_together_is_named(setting, message, photographs, tmp_path):
    with pytest.raises(RecipeError) as error:
        run(tmp_path / "run", photographs, setting)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_photographs_without_labels_are_refused(photographs, tmp_path):
    with pytest.raises(DataError, match=r"has no label"):
        run(tmp_path / "run", photographs / "dark")


def test_what_made_the_loss_infinite_is_named_by_its_files(photographs, tmp_path, monkeypatch):
    entropy, calls = F.cross_entropy, []

    def poison(*arguments, **options):
        calls.append(1)
        return entropy(*arguments, **options) * (math.nan if len(calls) == 3 else 1)

    monkeypatch.setattr(F, "cross_entropy", poison)
    with pytest.raises(TrainingError, match=r"the loss became nan at step 3; .*nan-batch.txt"):
        run(tmp_path / "run", photographs, "log_every=1")
    lines = (tmp_path / "run" / "nan-batch.txt").read_text().splitlines()
    assert lines[0] == "# step 3, process 0: loss nan"
    assert len(lines) == 2 * (1 + 4)
    assert all(line.startswith((str(photographs), "# step")) for line in lines)


def test_damaged_photographs_are_told_once_and_listed_in_the_runs_folder(tmp_path, caplog):
    folder = make_photographs(tmp_path / "photographs")
    damaged = sorted(folder.rglob("*.png"))[:3]
    for path in damaged:
        path.write_bytes(b"")
    run(tmp_path / "run", folder, "steps=16", "validate_every=4", max_damaged=0.1)
    assert sorted(record.args[0] for record in caplog.records) == [str(path) for path in damaged]  # once in all
    listed = [line.split("\t")[0] for line in (tmp_path / "run" / "damaged.tsv").read_text().splitlines()]
    assert sorted(listed) == [str(path) for path in damaged]
    with pytest.raises(DataError, match=r"photographs are damaged, more than 1.00% \(--max-damaged\)"):
        run(tmp_path / "other", folder, "steps=16", "validate_every=16", max_damaged=0.01)


def test_damaged_photographs_of_training_and_of_validation_are_counted_together(tmp_path):
    folder = make_photographs(tmp_path / "photographs")
    train, held_out = open_photos([folder]).split(0.2)
    for photo in (*train[:3], *held_out[:3]):
        Path(photo.path).write_bytes(b"")
    run(tmp_path / "run", folder, "steps=12", "validate_every=4", max_damaged=0.1)
    with pytest.raises(DataError, match=r"^6 of 60 photographs are damaged, more than 9.00%"):
        run(tmp_path / "other", folder, "steps=12", "validate_every=4", max_damaged=0.09)


def test_classes_may_be_told_by_a_lower_feature_map(photographs, tmp_path):
    run(tmp_path / "run", photographs, "trunk=alexnet_bn", "layer=conv3", "steps=4")
    weights, _ = load_weights(tmp_path / "run" / "weights.safetensors")
    assert weights["head.predict.weight"].shape == (3, 384)
    assert {name.split(".")[1] for name in weights if name.startswith("trunk.")} == {"conv1", "conv2", "conv3"}
    trunk, _ = trained_trunk(tmp_path / "run")
    assert list(trunk.strides) == ["data", "conv1", "conv2", "conv3"]
    again = tmp_path / "again"
    start = f"pretrained={tmp_path}/run/weights.safetensors"
    run(again, photographs, "trunk=alexnet_bn", "layer=conv2", start, "steps=4")
    with pytest.raises(RecipeError, match="has no feature map 'conv9'"):
        run(tmp_path / "none", photographs, "trunk=alexnet_bn", "layer=conv9")
