import pytest
import torch
from torch import nn

from tintype.training import WeightAverage


def test_average_follows_its_recurrence():
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    average = WeightAverage(network, decay=0.9)
    expected = 0.0
    for update in range(1, 200):
        with torch.no_grad():
            network.weight.fill_(float(update))
        average.update(update)
        decay = min(0.9, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * update
    assert float(average.network.weight) == pytest.approx(expected, rel=1e-5)


def test_running_statistics_are_averaged_and_counts_copied():
    network = nn.BatchNorm1d(1)
    average = WeightAverage(network, decay=0.999)
    network(torch.full((4, 1), 5.0))
    average.update(1)
    assert 0 < float(average.network.running_mean) < float(network.running_mean)
    assert int(average.network.num_batches_tracked) == 1


def test_the_averaged_network_is_ready_to_predict():
    average = WeightAverage(nn.Sequential(nn.Dropout()), decay=0.9)
    assert not average.network[0].training
