import hashlib

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tintype.networks import foreign


def _network(seed=0, width=4):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(width, 2))


def _save(tmp_path, tensors, name="weights.pth"):
    (save_file if name.endswith(".safetensors") else torch.save)(tensors, tmp_path / name)
    return tmp_path / name


def test_a_cached_file_is_found_where_torch_hub_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert foreign.cached("net.pth") is None
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "net.pth").touch()
    assert foreign.cached("net.pth") == folder / "net.pth"


def test_the_hash_is_that_of_the_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"weights" * 100_000)
    assert foreign.sha256_of(path) == hashlib.sha256(b"weights" * 100_000).hexdigest()


def _by_name(state):
    return dict(reversed(state.items()))


def _by_order(state):
    return {f"layer{i}": value for i, value in enumerate(state.values())}


def _without_counters(state):
    return {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}


@pytest.mark.parametrize(
    "given", [_by_name, _by_order, _without_counters, lambda state: _by_order(_without_counters(state))]
)
@pytest.mark.parametrize("name", ["weights.pth", "weights.safetensors"])
def test_weights_land_whatever_they_are_called(tmp_path, given, name):
    theirs, ours = _network(1), _network(2)
    foreign.fit(ours, _save(tmp_path, given(theirs.state_dict()), name), "this")
    for expected, found in zip(theirs.parameters(), ours.parameters(), strict=True):
        assert torch.equal(expected, found)


def _spoilt(state):
    return {**state, "0.weight": torch.full_like(state["0.weight"], float("nan"))}


@pytest.mark.parametrize(
    ("tensors", "word"),
    [
        (_network(1, width=5).state_dict(), "0.weight"),
        ({k: v for k, v in _network(1).state_dict().items() if k != "3.bias"}, "3.bias"),
        ({**_network(1).state_dict(), "4.bias": torch.zeros(2)}, "4.bias"),
        (_spoilt(_network(1).state_dict()), "finite"),
        ([1, 2], "state dict"),
    ],
)
def test_other_weights_are_refused_in_one_line_and_none_are_loaded(tmp_path, tensors, word):
    network = _network(2)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(ValueError, match=word) as refused:
        foreign.fit(network, _save(tmp_path, tensors), "this network")
    assert "weights.pth" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
