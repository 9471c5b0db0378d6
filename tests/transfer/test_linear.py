import json
import os
import signal

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn import functional as F

from tintype.networks import build_trunk
from tintype.networks.alexnet import AlexNet
from tintype.recipes import RecipeError
from tintype.training import Interrupted
from tintype.transfer import linear
from tintype.transfer.accuracy import Accuracy, interval
from tintype.transfer.linear import Probes
from tintype.transfer.pooling import WINDOWS, cells, pool
from tintype.transfer.recipe_file import load_task
from tintype.transfer.sklearn_probes import _answers
from tintype.transfer.subject import pad_as_classifier
from transfer.tiny import LINEAR, run


@pytest.mark.parametrize(
    ("channels", "side"), [(96, 10), (256, 6), (384, 5), (64, 12), (512, 4), (1024, 3), (2048, 2), (9999, 1)]
)
def test_maps_are_pooled_to_the_sizes_of_the_papers(channels, side):
    assert cells(channels, 99) == side


@pytest.mark.parametrize(
    ("trunk", "layer", "channels", "size", "kernel", "stride", "padding", "dimensions"),
    [
        ("alexnet", "conv1", 96, 55, 19, 4, 0, 9600),
        ("alexnet_bn", "conv2", 256, 27, 12, 3, 0, 9216),
        ("alexnet", "conv5", 256, 13, 8, 1, 0, 9216),
        ("alexnet_dilated_bn", "conv1", 96, 55, 19, 4, 0, 9600),
        ("resnet50", "conv1", 64, 112, 10, 10, 4, 9216),
        ("resnet50", "res5c", 2048, 14, 12, 2, 0, 8192),
    ],
)
def test_average_pooling_has_the_benchmarks_windows(trunk, layer, channels, size, kernel, stride, padding, dimensions):
    x = torch.randn(2, channels, size, size)
    vectors = pool(x, "average", trunk, layer)
    assert vectors.shape == (2, dimensions)
    torch.testing.assert_close(vectors, nn.AvgPool2d(kernel, stride, padding)(x).flatten(1))


def test_maps_of_a_picture_as_the_benchmark_has_it_have_the_sizes_of_its_windows():
    trunk = AlexNet(batch_norm=True, dilated=True)
    trunk.end_at("conv5")
    pad_as_classifier(trunk)
    with torch.no_grad():
        maps = trunk.eval()(torch.zeros(1, 1, 227, 227))
    layers = [layer for network, layer in WINDOWS if network == "alexnet"]
    assert [tuple(maps[layer].shape[2:]) for layer in layers] == [2 * WINDOWS["alexnet", layer][:1] for layer in layers]


def test_resizing_interpolates_between_the_corners():
    x = torch.arange(25.0).view(1, 1, 5, 5)
    assert pool(x, "resize", dimensions=9).tolist() == [[0, 2, 4, 10, 12, 14, 20, 22, 24]]


def make_probes(trunk, layers=("conv1", "conv3"), classes=4, **settings):
    recipe = load_task("linear-mini", [f"{key}={value}" for key, value in settings.items()])
    return Probes(trunk, layers, classes, recipe, "alexnet_bn")


def test_probing_leaves_every_byte_of_the_trunk_unchanged_batch_norm_included(kinds, tmp_path, monkeypatch):
    seen = []
    build = linear.Probes

    def noted(trunk, *rest):
        seen.append((trunk, {name: value.clone() for name, value in trunk.state_dict().items()}))
        return build(trunk, *rest)

    monkeypatch.setattr(linear, "Probes", noted)
    record = run(tmp_path / "run", LINEAR, kinds, "trunk=alexnet_bn")
    ((trunk, before),) = seen
    assert any(name.endswith("running_mean") for name in before)
    for name, value in trunk.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert set(record["results"]["layers"]) == {"conv2", "conv5"}


def test_each_probe_learns_as_if_it_were_alone():
    torch.manual_seed(0)
    trunk = build_trunk("alexnet_bn")
    probes = make_probes(trunk).train()
    x, classes = 100 * torch.rand(5, 1, 64, 64), torch.tensor([0, 1, 2, 3, 0])
    logits = probes(x)
    (F.cross_entropy(logits.flatten(0, 1), classes.repeat(2)) * 2).backward()
    for i, layer in enumerate(probes.layers):
        with torch.no_grad():
            vector = pool(trunk.eval()(x)[layer], "average", "alexnet_bn", layer, 2304)
        normal = (vector - vector.mean(0)) / (vector.var(0, unbiased=False) + 1e-5).sqrt()
        weight = probes.probes[i].weight.detach().clone().requires_grad_()
        F.cross_entropy(normal @ weight.T, classes).backward()
        torch.testing.assert_close(probes.probes[i].weight.grad, weight.grad, rtol=1e-4, atol=1e-6)
    assert all(parameter.grad is None for parameter in trunk.parameters())


def test_probes_tell_bright_from_dark_and_their_table_has_intervals(kinds, tmp_path):
    record = run(
        tmp_path / "run", LINEAR, kinds, "steps=40", "trunk=timm:test_efficientnet", "layers=[stride4]", "crop=32"
    )
    found = record["results"]["layers"]["stride4"]
    assert found["top1"] > 80
    low, high = found["top1_interval"]
    assert low < found["top1"] <= high
    (line,) = (tmp_path / "run" / "results.json").read_text().splitlines()
    assert json.loads(line)["settings"]["steps"] == 40


@pytest.mark.parametrize("probe", ["logistic", "knn"])
def test_a_quick_look_needs_no_training(kinds, tmp_path, probe):
    record = run(tmp_path / "run", LINEAR, kinds, f"probe={probe}", "neighbours=5")
    assert min(found["top1"] for found in record["results"]["layers"].values()) > 60
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_quick_probes_answer_as_scikit_learn_does():
    random = np.random.default_rng(0)
    known, asked = (random.normal(size=(count, 6)).astype(np.float32) for count in (40, 9))
    classes = random.integers(0, 3, 40)
    recipe = load_task("linear-mini", ["probe=knn", "neighbours=7"])
    near = KNeighborsClassifier(7, metric="cosine", weights="distance").fit(known, classes)
    np.testing.assert_allclose(_answers(known, classes, asked, recipe), near.predict_proba(asked))
    scaler = StandardScaler().fit(known)
    model = LogisticRegression(C=1 / 6, max_iter=1000).fit(scaler.transform(known), classes)
    found = _answers(known, classes, asked, load_task("linear-mini", ["probe=logistic"]))
    np.testing.assert_allclose(found, model.predict_proba(scaler.transform(asked)), rtol=1e-6)


def test_a_run_that_was_stopped_goes_on_to_the_same_results(kinds, tmp_path, monkeypatch):
    whole = run(tmp_path / "whole", LINEAR, kinds)
    look = linear.Session.look
    calls = 0

    def stop(session, pixels):
        nonlocal calls
        calls += 1
        if calls == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return look(session, pixels)

    with monkeypatch.context() as patch:
        patch.setattr(linear.Session, "look", stop)
        with pytest.raises(Interrupted):
            run(tmp_path / "cut", LINEAR, kinds)
    again = run(tmp_path / "cut", LINEAR, kinds, resume=True)
    assert again["results"] == whole["results"]


def test_layers_that_are_not_there_are_named(kinds, tmp_path):
    with pytest.raises(RecipeError, match=r"conv9; this trunk has data, conv1"):
        run(tmp_path / "run", LINEAR, kinds, "layers=[conv9]")


def test_accuracy_counts_the_likeliest_and_the_five_likeliest():
    logits, classes = torch.randn(50, 9), torch.randint(9, (50,))
    count = Accuracy()
    count.add(logits[:20], classes[:20])
    count.add(logits[20:], classes[20:])
    ranks = [(logits[i] > logits[i, classes[i]]).sum().item() for i in range(50)]
    assert count.summary()["top1"] == 100 * sum(rank == 0 for rank in ranks) / 50
    assert count.summary()["top5"] == 100 * sum(rank < 5 for rank in ranks) / 50


def test_intervals_are_wilsons():
    share, z = 0.3, 1.959964
    middle = (share + z * z / 200) / (1 + z * z / 100)
    half = z * (share * (1 - share) / 100 + z * z / 40000) ** 0.5 / (1 + z * z / 100)
    np.testing.assert_allclose(interval(30, 100), [100 * (middle - half), 100 * (middle + half)], rtol=1e-6)
