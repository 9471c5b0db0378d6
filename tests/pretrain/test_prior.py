from pathlib import Path

import numpy as np
import pytest
import torch

from pretrain.test_colorization import subprocess_run
from pretrain.two_priors import colours
from tintype.color import smoothed_prior
from tintype.pretrain import RecipeError
from tintype.pretrain.prior import count_bins, counted_prior
from tintype.training import launch

LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def test_two_processes_have_one_prior_though_only_the_first_can_read_the_file(tmp_path):
    assert subprocess_run(*LAUNCHER, Path(__file__).parent / "two_priors.py", tmp_path).returncode == 0
    expected = smoothed_prior(sum(count_bins(colours(number)) for number in range(4)).numpy())
    for rank in range(2):
        for prior in torch.load(tmp_path / str(rank) / "priors.pt"):
            np.testing.assert_array_equal(prior.numpy(), expected)
    assert (tmp_path / "0" / "prior.npy").exists()
    assert not (tmp_path / "1" / "prior.npy").exists()


def test_a_prior_that_is_none_is_told_on_the_way(tmp_path):
    np.save(tmp_path / "prior.npy", np.ones(313))
    with pytest.raises(RecipeError, match=r"prior.npy holds no distribution over the 313 bins"):
        counted_prior(launch(), tmp_path / "prior.npy", list)
