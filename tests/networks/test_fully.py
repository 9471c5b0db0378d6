import pytest
import torch
from torch import nn

from tintype.networks.fully import FullyConv2d


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (6, 7), (9, 11)])
@pytest.mark.parametrize(("kernel", "padding", "dilation"), [(7, 3, 1), (6, 3, 1), (6, 5, 2), (1, 0, 1), (3, 1, 1)])
def test_it_computes_what_a_convolution_computes_with_its_gradients(kernel, padding, dilation, size):
    torch.manual_seed(0)
    ours = FullyConv2d(3, 5, kernel, padding=padding, dilation=dilation).double()
    other = nn.Conv2d(3, 5, kernel, padding=padding, dilation=dilation).double()
    other.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    if min(size) + 2 * padding - dilation * (kernel - 1) < 1:
        pytest.skip("the map is too small for this kernel")
    found = []
    for layer in (ours, other):
        given = x.clone().requires_grad_()
        y = layer(given)
        y.sin().sum().backward()
        found.append((y.detach(), given.grad, layer.weight.grad, layer.bias.grad))
    for one, twin in zip(*found, strict=True):
        torch.testing.assert_close(one, twin)
