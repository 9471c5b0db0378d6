"""The network of Zhang16 against the table of PAPERS A6, layer by layer."""

import pytest
import torch
from torch import Tensor, nn

from reference import zhang16 as reference
from tintype.networks import build_network


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """With weights that carry the picture to the end, and batch-norm statistics that are not a fresh network's."""
    torch.manual_seed(0)
    network = build_network("zhang16", "dense", 313).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)  # with torch's own the biases soon drown the picture
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network


def executed(network: nn.Module, lightness: Tensor) -> list[tuple[nn.Module, tuple[int, ...]]]:
    """Every layer with its output's shape, in the order in which they run."""
    calls: list[tuple[nn.Module, tuple[int, ...]]] = []
    leaves = [module for module in network.modules() if not list(module.children())]
    hooks = [leaf.register_forward_hook(lambda m, _, out: calls.append((m, tuple(out.shape)))) for leaf in leaves]
    with torch.no_grad():
        network(lightness)
    for hook in hooks:
        hook.remove()
    return calls


def test_the_layers_run_in_the_order_of_the_papers_table(network):
    calls = iter(executed(network, torch.full((1, 1, 64, 48), 50.0)))
    stride = 1.0
    for row in reference.LAYERS:
        layer, shape = next(calls)
        stride *= 1 / row.stride if row.upsamples else row.stride
        assert isinstance(layer, nn.ConvTranspose2d if row.upsamples else nn.Conv2d), row.name
        found = (layer.in_channels, layer.out_channels, layer.kernel_size, layer.stride, layer.dilation, layer.padding)
        pairs = (2 * (n,) for n in (row.kernel, row.stride, row.dilation, row.padding))
        assert found == (row.inputs, row.outputs, *pairs), row.name
        assert (layer.groups, layer.bias is not None, layer.padding_mode) == (1, True, "zeros"), row.name
        assert shape == (1, row.outputs, 64 / stride, 48 / stride), row.name
        if row.relu:
            assert isinstance(next(calls)[0], nn.ReLU), row.name
        if row.batch_norm:
            norm, _ = next(calls)
            assert isinstance(norm, nn.BatchNorm2d), row.name
            assert (norm.num_features, norm.affine, norm.track_running_stats) == (row.outputs, False, True), row.name
    assert next(calls, None) is None
    assert stride == 4


def test_the_output_is_that_of_the_table_written_out(network):
    lightness = torch.rand(2, 1, 32, 40, generator=torch.Generator().manual_seed(0)) * 100
    with torch.no_grad():
        expected = reference.forward(network.state_dict(), lightness)
        torch.testing.assert_close(network(lightness), expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))
        assert (expected[0] - expected[1]).abs().max() > 0.1 * expected.abs().max()  # it depends on the picture


def test_the_parameters_are_as_many_as_the_table_gives(network):
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == reference.parameter_count(reference.LAYERS)
    assert round(count * 4 / 1e6) == 129  # MB, in Table 1 of the paper


def test_other_objectives_change_the_last_layer_only():
    table = [*reference.LAYERS[:-1], reference.LAYERS[-1]._replace(outputs=2)]
    network = build_network("zhang16", "dense", 2)
    assert sum(p.numel() for p in network.parameters()) == reference.parameter_count(table)
    assert network(torch.zeros(1, 1, 16, 16)).shape == (1, 2, 4, 4)


def rows_that_reach(network: nn.Module, output: Tensor, lightness: Tensor, place: int) -> tuple[int, int]:
    """First and last input row with a gradient from output row `place`."""
    (gradient,) = torch.autograd.grad(output[:, :, place].sum(), lightness)
    rows = gradient.abs().sum((0, 1, 3)).nonzero()
    return int(rows.min()), int(rows.max())


@pytest.fixture(scope="module")
def averaging_network() -> nn.Module:
    """All weights positive, so that nothing cancels and no ReLU closes."""
    network = build_network("zhang16", "dense", 313).double().eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            nn.init.zeros_(module.bias)
    return network


def test_the_trunks_receptive_field_is_that_of_the_table(averaging_network):
    upto_conv7 = reference.LAYERS[:19]
    first, last = reference.receptive_field(upto_conv7, 22)
    reach = 1  # the usual formula: each layer adds (kernel - 1) * dilation steps of the stride reached so far
    jump = 1
    for layer in upto_conv7:
        reach += (layer.kernel - 1) * layer.dilation * jump
        jump *= layer.stride
    assert last - first + 1 == reach == 325

    lightness = torch.full((1, 1, 360, 8), 100.0, dtype=torch.float64, requires_grad=True)
    conv7 = averaging_network.trunk(lightness)["conv7"]
    assert rows_that_reach(averaging_network, conv7, lightness, 22) == (first, last)


@pytest.mark.parametrize("place", [46, 47])
def test_the_networks_receptive_field_is_that_of_the_table(averaging_network, place):
    first, last = reference.receptive_field(reference.LAYERS, place)
    assert last - first + 1 == 349
    lightness = torch.full((1, 1, 376, 8), 100.0, dtype=torch.float64, requires_grad=True)
    found = rows_that_reach(averaging_network, averaging_network(lightness), lightness, place)
    assert found == (first, last)


@pytest.mark.parametrize("size", [(8, 8), (16, 24), (72, 8), (176, 176)])
def test_the_output_stride_is_four_for_every_multiple_of_eight(network, size):
    assert network.stride == 4
    with torch.no_grad():
        assert network(torch.rand(1, 1, *size) * 100).shape == (1, 313, size[0] // 4, size[1] // 4)


def test_every_block_is_a_feature_map_with_its_channels_and_stride(network):
    with torch.no_grad():
        features = network.trunk(torch.rand(1, 1, 32, 64) * 100)
    blocks = {"conv1": (64, 2), "conv2": (128, 4), "conv3": (256, 8)} | {f"conv{n}": (512, 8) for n in (4, 5, 6, 7)}
    assert {name: (x.shape[1], 32 // x.shape[2]) for name, x in features.items()} == blocks
    assert {n: (network.trunk.channels[n], network.trunk.strides[n]) for n in features} == blocks


def test_pictures_of_a_batch_do_not_meet_in_evaluation(network):
    lightness = torch.rand(3, 1, 16, 16) * 100
    with torch.no_grad():
        alone = torch.cat([network(one[None]) for one in lightness])
        torch.testing.assert_close(network(lightness), alone, rtol=1e-4, atol=1e-4)


def test_every_parameter_learns():
    network = build_network("zhang16", "dense", 313)
    network(torch.rand(2, 1, 16, 16) * 100).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []
