import pytest
import torch

from export.weights import make_weights
from pretrain.tiny import RECIPE
from tintype.objectives import Bins, Histograms, Regression
from tintype.pretrain import load_recipe
from tintype.pretrain.build import learning_rate, make_network, make_objective, make_optimizer
from tintype.recipes import RecipeError


@pytest.fixture
def recipe(tmp_path):
    def load(*settings):
        path = tmp_path / "tiny.yaml"
        path.write_text(RECIPE)
        return load_recipe(path, settings)

    return load


def parameters_with(optimizer, **values):
    chosen = [g for g in optimizer.param_groups if all(g[key] == value for key, value in values.items())]
    return {id(parameter) for group in chosen for parameter in group["params"]}


def test_the_trunk_learns_at_its_own_rate(recipe):
    chosen = recipe("optimizer.trunk_lr=0.25")
    network = make_network(chosen)
    optimizer = make_optimizer(network, chosen.optimizer)
    assert parameters_with(optimizer, factor=0.25) == {id(p) for p in network.trunk.parameters()}
    assert parameters_with(optimizer, factor=1.0) == {id(p) for p in network.head.parameters()}


def test_adamw_decays_weights_but_not_biases_and_norms(recipe):
    chosen = recipe("optimizer.weight_decay=0.3")
    network = make_network(chosen)
    optimizer = make_optimizer(network, chosen.optimizer)
    assert isinstance(optimizer, torch.optim.AdamW)
    assert parameters_with(optimizer, weight_decay=0.3) == {id(p) for p in network.parameters() if p.ndim > 1}
    assert parameters_with(optimizer, weight_decay=0.0) == {id(p) for p in network.parameters() if p.ndim <= 1}


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_adam_and_sgd_decay_everything_as_caffe_does(recipe, name):
    chosen = recipe(
        f"optimizer.name={name}", "optimizer.lr=1", "optimizer.betas=[0.8, 0.95]", "optimizer.weight_decay=0.3"
    )
    optimizer = make_optimizer(make_network(chosen), chosen.optimizer)
    assert type(optimizer).__name__.lower() == name
    for group in optimizer.param_groups:
        assert group["weight_decay"] == 0.3
        assert group["betas"] == (0.8, 0.95) if name == "adam" else group["momentum"] == 0.8


def test_biases_can_learn_faster_and_without_decay_as_in_caffes_files(recipe):
    chosen = recipe("optimizer={name: sgd, lr: 1, trunk_lr: 0.5, weight_decay: 0.3, bias_lr: 2, bias_decay: false}")
    network = make_network(chosen)
    optimizer = make_optimizer(network, chosen.optimizer)
    biases = {id(p) for name, p in network.named_parameters() if name.endswith("bias")}
    assert parameters_with(optimizer, weight_decay=0.0) == biases
    assert parameters_with(optimizer, weight_decay=0.0, factor=1.0) == {
        id(p) for name, p in network.trunk.named_parameters() if name.endswith("bias")
    }
    assert parameters_with(optimizer, weight_decay=0.3) == {id(p) for p in network.parameters()} - biases


def test_frozen_parameters_are_not_the_optimizers_business(recipe):
    chosen = recipe("freeze=stride4")
    network = make_network(chosen)
    frozen = {id(p) for p in network.parameters() if not p.requires_grad}
    assert frozen
    assert not frozen & parameters_with(make_optimizer(network, chosen.optimizer))


def test_learning_rates_follow_their_schedules(recipe):
    settings = ("schedule.name=steps", "schedule.milestones=[2, 4]", "schedule.factors=[0.1, 0.01]", "optimizer.lr=5")
    rate = learning_rate(recipe(*settings))
    assert [rate(step) for step in range(5)] == pytest.approx([5, 5, 0.5, 0.5, 0.05])
    rate = learning_rate(recipe("schedule.name=constant", "optimizer.lr=5"))
    assert rate(0) == rate(10**6) == 5
    rate = learning_rate(recipe("steps=12", "schedule.floor=0.1", "optimizer.lr=5"))
    assert [rate(0), rate(1), rate(2), rate(7), rate(12)] == pytest.approx([2.5, 5, 5, 2.75, 0.5])


def test_objectives_get_the_recipes_values(recipe):
    prior = torch.linspace(1, 2, 313).double()
    prior /= prior.sum()
    settings = ("objective.k=7", "objective.sigma=4", "objective.uniform=0.3", "objective.drop_grey=false")
    objective = make_objective(recipe(*settings).objective, prior)
    assert isinstance(objective, Bins)
    assert (objective.k, objective.sigma, objective.drop_grey) == (7, 4.0, False)
    torch.testing.assert_close(objective.rarity, Bins(prior=prior, uniform=0.3).rarity)
    assert isinstance(make_objective(recipe("objective.name=regression").objective, None), Regression)
    settings = ("bins=16", "window=5", "hue_weight=2", "midtones=true", "decoding=mode")
    histograms = make_objective(
        recipe("objective.name=histograms", *(f"objective.{s}" for s in settings)).objective, None
    )
    assert isinstance(histograms, Histograms)
    given = [getattr(histograms, s.partition("=")[0]) for s in settings]
    assert given == [16, 5, 2.0, True, "mode"]


def test_training_may_start_from_weights_on_the_hub(recipe, tmp_path, hub):
    make_weights(tmp_path / "weights.safetensors", width=8)
    hub.add("me/mine", {"model.safetensors": (tmp_path / "weights.safetensors").read_bytes()})
    here, there = (make_network(recipe(f"pretrained={name}")) for name in (tmp_path / "weights.safetensors", "me/mine"))
    assert all(torch.equal(a, b) for a, b in zip(here.parameters(), there.parameters(), strict=True))
    with pytest.raises(RecipeError, match="key 'pretrained': me/other: there is no such file, and no such repository"):
        make_network(recipe("pretrained=me/other"))
