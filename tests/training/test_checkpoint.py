import pickle
import resource
import signal

import pytest
import torch

from tintype.training.checkpoint import list_checkpoints, load_checkpoint, save_checkpoint


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    state = {"step": 3, "network": {"w": torch.arange(4.0)}, "facts": {"photographs": "3"}, "betas": (0.9, 0.99)}
    path = save_checkpoint(tmp_path, 3, state, keep=2)
    back = load_checkpoint(path)
    assert torch.equal(back["network"]["w"], state["network"]["w"])
    assert {k: back[k] for k in ("step", "facts", "betas")} == {k: state[k] for k in ("step", "facts", "betas")}


def test_only_the_newest_are_kept_by_step_and_not_by_name(tmp_path):
    for step in (5, 9999999, 10000000):
        save_checkpoint(tmp_path, step, {}, keep=2)
    assert [p.name for p in list_checkpoints(tmp_path)] == ["step-9999999.pt", "step-10000000.pt"]


def test_a_half_written_checkpoint_does_not_count(tmp_path):
    save_checkpoint(tmp_path, 1, {}, keep=2)
    (tmp_path / ".step-0000002.pt.tmp").write_bytes(b"half")
    assert [p.name for p in list_checkpoints(tmp_path)] == ["step-0000001.pt"]


def test_a_full_disk_costs_no_earlier_checkpoint_and_leaves_nothing_behind(tmp_path):
    save_checkpoint(tmp_path, 1, {"w": torch.zeros(10)}, keep=1)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_checkpoint(tmp_path, 2, {"w": torch.zeros(100_000)}, keep=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert [p.name for p in tmp_path.iterdir()] == ["step-0000001.pt"]
    load_checkpoint(tmp_path / "step-0000001.pt")


class _Exploit:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_reading_a_checkpoint_runs_nothing_in_it(tmp_path):
    path, trace = tmp_path / "step-0000001.pt", tmp_path / "executed"
    torch.save({"step": _Exploit(trace)}, path)
    with pytest.raises(ValueError, match="damaged checkpoint"):
        load_checkpoint(path)
    path.write_bytes(pickle.dumps(_Exploit(trace), protocol=2))
    with pytest.raises(ValueError, match="damaged checkpoint"):
        load_checkpoint(path)
    assert not trace.exists()


def test_a_cut_off_checkpoint_is_named(tmp_path):
    path = save_checkpoint(tmp_path, 1, {"w": torch.zeros(1000)}, keep=1)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"step-0000001.pt: damaged checkpoint"):
        load_checkpoint(path)
