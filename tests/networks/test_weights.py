import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tintype.networks import build_network, load_weights, save_weights

METADATA = {
    "trunk": "zhang16",
    "head": "dense",
    "channels": 313,
    "recipe": {"steps": 10, "lr": 3e-5, "set": ["a", None, True]},
    "data": "photographs of ñandúes, 写真",
}


def test_tensors_and_metadata_come_back_as_they_were(tmp_path):
    tensors = {
        "float": torch.randn(3, 4),
        "half": torch.randn(5).bfloat16(),
        "count": torch.tensor(7),
        "transposed": torch.randn(3, 4).T,
        "empty": torch.zeros(0, 2),
    }
    save_weights(tmp_path / "w.safetensors", tensors, METADATA)
    found, metadata = load_weights(tmp_path / "w.safetensors")
    assert metadata == METADATA
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].equal(tensor), name


def test_a_network_comes_back_with_the_same_predictions(tmp_path):
    network = build_network("timm:mobilenetv3_small_050", "pyramid", 313, width=16)
    lightness = torch.rand(2, 1, 32, 32) * 100
    network(lightness)  # moves the batch-norm statistics
    save_weights(tmp_path / "w.safetensors", network.state_dict(), {})
    other = build_network("timm:mobilenetv3_small_050", "pyramid", 313, width=16)
    other.load_state_dict(load_weights(tmp_path / "w.safetensors")[0])
    with torch.no_grad():
        assert other.eval()(lightness).equal(network.eval()(lightness))


def test_other_programs_can_read_the_file(tmp_path):
    save_weights(tmp_path / "w.safetensors", {"x": torch.ones(2)}, METADATA)
    with safe_open(tmp_path / "w.safetensors", "pt") as file:
        assert file.get_tensor("x").tolist() == [1, 1]
        held = [json.loads(value) for value in file.metadata().values()]
    assert METADATA in held


def test_saving_replaces_the_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "w.safetensors"
    for value in (1, 2):
        save_weights(path, {"x": torch.tensor(value)}, {"value": value})
    assert load_weights(path)[1] == {"value": 2}
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_a_save_that_fails_keeps_the_old_file_and_leaves_no_other(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, {"x": torch.tensor(1)}, {})
    with pytest.raises((TypeError, ValueError)):
        save_weights(path, {"x": torch.tensor(2)}, {"not": object()})
    assert load_weights(path)[0]["x"] == 1
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_a_save_that_cannot_take_its_name_leaves_no_other_file(tmp_path):
    (tmp_path / "w.safetensors").mkdir()
    with pytest.raises(OSError, match=r"w\.safetensors"):
        save_weights(tmp_path / "w.safetensors", {"x": torch.tensor(2)}, {})
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


class Runs:
    """Would write a file if it were unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("save", [torch.save, lambda thing, path: path.write_bytes(pickle.dumps(thing))])
def test_a_pickle_is_refused_and_runs_nothing(tmp_path, save):
    path, witness = tmp_path / "w.safetensors", tmp_path / "witness"
    save({"x": Runs(witness)}, path)
    with pytest.raises(ValueError, match=r"w\.safetensors"):
        load_weights(path)
    assert not witness.exists()


def broken(path: Path) -> None:
    save_weights(path, {"x": torch.ones(100)}, {})
    path.write_bytes(path.read_bytes()[:-50])


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        lambda path: path.mkdir(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("no weights"),
        lambda path: save_file({"x": torch.ones(2)}, path),
        lambda path: save_file({"x": torch.ones(2)}, path, {"format": "pt"}),
        broken,
    ],
    ids=["missing", "a folder", "empty", "text", "of another program", "of another with metadata", "truncated"],
)
def test_what_tintype_did_not_write_is_refused_in_one_line_that_names_the_file(tmp_path, make):
    path = tmp_path / "w.safetensors"
    make(path)
    with pytest.raises(ValueError, match=r"w\.safetensors") as refused:
        load_weights(path)
    assert "\n" not in str(refused.value)
