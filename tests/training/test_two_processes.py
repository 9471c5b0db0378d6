import os
import subprocess
import sys
from pathlib import Path

import torch

from training.runs import network, run


def test_two_processes_make_the_updates_of_one_with_the_joint_batch(tmp_path):
    """Plain SGD with a rate that does not forgive: a gradient off by the world size would show as such."""
    (tmp_path / "two").mkdir()
    here = Path(__file__)
    script = here.with_name("two_processes.py")
    subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", script, tmp_path / "two"],
        env={**os.environ, "PYTHONPATH": str(here.parents[1]), "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=300,
    )
    two = torch.load(tmp_path / "two" / "trained.pt", weights_only=True)
    one = run(tmp_path / "one", steps=4, dropout=0.0, optimizer=lambda m: torch.optim.SGD(m.parameters(), momentum=0.9))
    start = network().state_dict()
    for name, weights in one.state_dict().items():
        assert not torch.allclose(weights, start[name], atol=1e-4), f"{name} was not trained"
        torch.testing.assert_close(two[name], weights, rtol=1e-5, atol=1e-6)
    lines = [(tmp_path / which / "metrics.jsonl").read_text().split('"loss": ')[1][:7] for which in ("one", "two")]
    assert lines[0] == lines[1]
