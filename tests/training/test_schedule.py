import math

import pytest
import torch

from tintype.training.schedule import cosine, piecewise


def test_each_factor_holds_from_its_milestone_on():
    factors = [piecewise(step, [3, 5], [0.1, 0.01]) for step in range(7)]
    assert factors == [1, 1, 1, 0.1, 0.1, 0.01, 0.01]


def test_cosine_agrees_with_torch():
    parameter = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([parameter], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20, eta_min=0.1)
    for step in range(20):
        assert cosine(step, 20, floor=0.1) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        theirs.step()


def test_warm_up_rises_evenly_from_above_zero_to_one():
    assert [cosine(step, 100, warmup=4) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_a_run_made_longer_never_gets_a_rate_below_the_floor():
    assert cosine(500, 100, warmup=5, floor=0.2) == pytest.approx(0.2)
    assert not math.isnan(cosine(0, 1))
