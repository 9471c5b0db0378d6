import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tintype.data import DataError
from tintype.transfer import session as module
from tintype.transfer.classes import open_classes, subset
from tintype.transfer.early_stopping import decide, factor
from tintype.transfer.recipe import EarlyStopping
from tintype.transfer.sources import Sources, parse_sources
from transfer.tiny import LOW_SHOT, run

EARLY = "schedule={name: early_stopping, held_out: 0.3, patience: 1, drops: 2}"


def test_exactly_so_many_of_each_class_are_trained_on(kinds):
    held = open_classes(Sources((str(kinds),), (str(kinds),)), 0.1)
    chosen = subset(held.train, 7, held.names, seed=3)
    assert np.bincount(chosen.classes).tolist() == [7, 7, 7]
    assert [photo.key for photo in chosen] == [photo.key for photo in subset(held.train, 7, held.names, seed=3)]
    assert {photo.key for photo in chosen} != {photo.key for photo in subset(held.train, 7, held.names, seed=4)}
    assert all(photo.key.startswith(held.names[number]) for photo, number in zip(chosen, chosen.classes, strict=True))


def test_a_class_with_too_few_photographs_is_named(kinds):
    held = open_classes(Sources((str(kinds),), (str(kinds),)), 0.1)
    with pytest.raises(DataError, match=r"class bright has 20 images, fewer than 30"):
        subset(held.train, 30, held.names, 0)


def test_without_a_test_set_a_share_is_held_out_and_never_trained_on(kinds):
    data = open_classes(parse_sources([str(kinds)]), 0.3)
    assert len(data.train) + len(data.test) == 60
    assert not {photo.key for photo in data.train} & {photo.key for photo in data.test}


def test_freezing_below_a_layer_leaves_exactly_its_parameters_unchanged(kinds, tmp_path):
    settings = ("trunk=alexnet_bn", "layer=conv5", "crop=64", "optimizer.lr=0.01")
    start = run(tmp_path / "none", LOW_SHOT, kinds, *settings, "steps=1", "optimizer.lr=1e-30")
    run(tmp_path / "run", LOW_SHOT, kinds, *settings, "surgery.freeze_below=conv3")
    before, after = (load_file(tmp_path / name / "weights.safetensors") for name in ("none", "run"))
    same = {name for name in before if torch.equal(before[name], after[name])}
    below = {name for name in before if name.startswith(("trunk.conv1", "trunk.conv2", "trunk.conv3"))}
    weights = {name for name in before if name.endswith("weight")}
    assert {name for name in weights if name in same} == {name for name in below if name in weights}
    assert start["trunk"]["trunk"] == "alexnet_bn"


def test_frozen_norms_keep_their_statistics(kinds, tmp_path):
    run(tmp_path / "run", LOW_SHOT, kinds, "trunk=alexnet_bn", "layer=conv5", "crop=64", "surgery.batch_norm=frozen")
    found = load_file(tmp_path / "run" / "weights.safetensors")
    assert torch.equal(found["trunk.conv4.norm.running_mean"], torch.zeros(384))


@pytest.mark.parametrize(
    ("scores", "drops", "stop"),
    [
        ([1, 2, 3, 4, 5], (), None),
        ([3, 2, 2], (3,), None),
        ([3, 2, 2, 4, 1, 1, 1, 1], (3, 6), 8),
        ([3, 3, 3, 3, 3, 3, 3], (3, 5), 7),
    ],
)
def test_the_rate_drops_where_the_score_stops_rising_twice_and_then_it_ends(scores, drops, stop):
    decided = decide(list(enumerate(scores, start=1)), EarlyStopping("early_stopping", patience=2))
    assert (decided.drops, decided.stop) == (drops, stop)


def test_the_rate_after_each_drop_is_a_tenth():
    schedule = EarlyStopping("early_stopping", patience=2)
    decided = decide(list(enumerate([3, 2, 2, 4, 1, 1, 1, 1], start=1)), schedule)
    rates = [factor(decided, schedule, step) for step in range(8)]
    np.testing.assert_allclose(rates, [1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01])


def test_what_was_decided_on_nine_tenths_is_replayed_on_all(kinds, tmp_path, monkeypatch):
    runs = []
    train = module.train

    def noted(accelerator, network, optimizer, folder, plan, **rest):
        rates = []
        rate = rest["learning_rate"]
        rest["learning_rate"] = lambda step: rates.append((step, rate(step))) or rate(step)
        runs.append((folder.name, plan.steps, rates))
        return train(accelerator, network, optimizer, folder, plan, **rest)

    monkeypatch.setattr(module, "train", noted)
    run(tmp_path / "run", LOW_SHOT, kinds, EARLY, "steps=40")
    (first, _, watched), (second, steps, replayed) = runs
    assert (first, second) == ("held-out", "run")
    decided = json.loads((tmp_path / "run" / "held-out" / "decided.json").read_text())
    lines = [json.loads(line) for line in (tmp_path / "run" / "held-out" / "decisions.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["decision"] == "drop"] == decided["drops"]
    assert steps == (decided["stop"] or 40)
    assert max(step for step, _ in replayed) == steps - 1  # and then it stopped
    again = dict(replayed)
    assert {step: rate for step, rate in watched if step < steps} == {
        step: again[step] for step, _ in watched if step < steps
    }


def test_colour_input_starts_from_the_grey_filters_divided_by_three(kinds, tmp_path):
    run(tmp_path / "grey", LOW_SHOT, kinds, "trunk=alexnet", "layer=conv5", "crop=64", "steps=1")
    settings = ("crop=64", "layer=conv5", "steps=1", "optimizer.lr=1e-30", "surgery.input=colour")
    record = run(tmp_path / "run", LOW_SHOT, kinds, *settings, "trunk=weights", weights=str(tmp_path / "grey"))
    grey, colour = (
        load_file(tmp_path / name / "weights.safetensors")["trunk.conv1.conv.weight"] for name in ("grey", "run")
    )
    torch.testing.assert_close(colour, grey.repeat(1, 3, 1, 1) / 3)
    assert record["trunk"]["input"] == "colour"
