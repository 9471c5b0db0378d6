"""Where predictions lie, as the metadata says, for every head, sampling and kind of objective."""

import pytest
import torch

from pretrain.tiny import RECIPE
from tintype.pretrain import load_recipe
from tintype.pretrain.build import make_network, make_objective
from tintype.pretrain.colorization import loss_of
from tintype.pretrain.metadata import describe

BINS, HISTOGRAMS = "{name: bins, uniform: 1}", "{name: histograms, bins: 8}"
HEADS = {
    "dense": ("trunk=zhang16", "head={name: dense}"),
    "linear": ("trunk=timm:test_efficientnet", "head={name: linear}"),
    "pyramid": ("trunk=timm:test_efficientnet", "head={name: pyramid, width: 8}"),
    "hypercolumn": ("head={name: hypercolumn, layers: [stride4, stride16], width: 8, dropout: 0, points: 4, edge: 4}",),
}


@pytest.fixture
def made(tmp_path):
    """A recipe's network and objective, and where its first prediction lies, from the first pixel's middle."""

    def make(head, sampling, objective):
        path = tmp_path / "tiny.yaml"
        path.write_text(RECIPE)
        recipe = load_recipe(path, (*HEADS[head], f"sampling={sampling}", f"objective={objective}"))
        torch.manual_seed(0)
        network, goal = make_network(recipe).eval(), make_objective(recipe.objective, None)
        metadata = describe(recipe, network, goal, 1, "none")
        assert metadata["stride"] == network.stride
        return network, goal, metadata["ab_origin"] - 0.5, metadata["head_options"]

    return make


@pytest.mark.parametrize("objective", [BINS, HISTOGRAMS])
@pytest.mark.parametrize("sampling", ["point", "mean"])
@pytest.mark.parametrize("head", ["dense", "linear", "pyramid"])
def test_predictions_lie_in_the_middle_of_the_pixels_that_they_are_trained_on(head, sampling, objective, made):
    network, goal, origin, _ = made(head, sampling, objective)
    stride, targets = network.stride, []
    rgb = (0.3 + 0.4 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))).requires_grad_()
    goal.target = lambda *given: targets.append(given)
    goal.loss = lambda prediction, target: None
    loss_of(goal, torch.zeros(1, 1, 1), rgb, None, sampling, stride)
    for row, column in ((1, 2), (3, 1)):  # of the grid
        if objective == HISTOGRAMS:
            _, points = targets[0]
            found = points.view(64 // stride, 64 // stride, 2)[row, column].float()
        else:
            (ab,) = targets[0]
            (gradient,) = torch.autograd.grad(ab[0, :, row, column].sum(), rgb, retain_graph=True)
            found = gradient.abs().sum((0, 1)).nonzero().float().mean(0)
        assert found.tolist() == [origin + stride * row, origin + stride * column]


@pytest.mark.parametrize("objective", [BINS, HISTOGRAMS])
@pytest.mark.parametrize("sampling", ["point", "mean"])
def test_the_linear_head_reads_its_trunk_at_the_very_places(sampling, objective, made):
    network, _, origin, options = made("linear", sampling, objective)
    assert options == ({} if sampling == "point" else {"origin": origin})
    head, trunk = network.head, network.trunk
    with torch.no_grad():
        head.predict.weight.zero_()
        head.predict.bias.zero_()
        head.predict.weight[0, 0] = 1
        cells = torch.arange(256 // 32) * 32.0 + trunk.offsets["stride32"]  # each holds its own place
        ramp = cells.expand(1, trunk.channels["stride32"], 8, 8)
        found = head({"stride32": ramp}, (256, 256))[0, 0, 5]
    expected = (torch.arange(32) * 8 + origin).clamp(max=float(cells[-1]))
    torch.testing.assert_close(found, expected.clamp(min=float(cells[0])))


@pytest.mark.parametrize("objective", [BINS, HISTOGRAMS])
@pytest.mark.parametrize("sampling", ["point", "mean"])
def test_a_hypercolumn_predicts_everywhere_what_it_predicts_at_those_points(sampling, objective, made):
    network, _, origin, _ = made("hypercolumn", sampling, objective)
    torch.nn.init.normal_(network.head.hidden.weight, std=0.3)
    seen = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)) * 100
    places = (torch.arange(16) * network.stride + origin).long()
    with torch.no_grad():
        sparse, dense = network(seen, torch.cartesian_prod(places, places)[None]), network(seen)
    torch.testing.assert_close(sparse.view_as(dense), dense, rtol=1e-3, atol=1e-4)
