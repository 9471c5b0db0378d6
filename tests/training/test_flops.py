import pytest
import torch
from torch import nn

from tintype.training.flops import matrix_peak, training_flops


def test_a_linear_layer_computes_two_operations_for_each_weight_and_row_forward_and_back():
    network = nn.Sequential(nn.Linear(30, 20), nn.Linear(20, 10))
    x = torch.randn(7, 30)
    forward = 2 * 7 * (30 * 20 + 20 * 10)
    # Back: the gradient of both weights, and of the input of the second layer.
    assert training_flops(network, lambda twin: twin(x).sum()) == forward + forward + 2 * 7 * 20 * 10
    assert all(parameter.grad is None for parameter in network.parameters())


def test_statistics_of_the_network_do_not_change():
    network = nn.BatchNorm1d(4)
    training_flops(network, lambda twin: twin(torch.randn(8, 4)).square().sum())
    assert int(network.num_batches_tracked) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_peak_is_a_speed_that_a_product_reaches(dtype):
    before = torch.get_float32_matmul_precision()
    peak = matrix_peak(torch.device("cpu"), dtype, size=256)
    assert 1e7 < peak < 1e16
    assert torch.get_float32_matmul_precision() == before
