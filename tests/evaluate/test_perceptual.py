from functools import cache

import lpips
import numpy as np
import pytest
import torch
import torchvision
from safetensors.torch import save_file
from skimage import data

from tintype.evaluate.perceptual import NETWORKS, load_lpips
from tintype.networks.foreign import sha256_of

BACKBONES = {"alex": "alexnet", "vgg": "vgg16", "squeeze": "squeezenet1_1"}
TRUE = data.astronaut()[100:164, 180:260]
OTHERS = [data.coffee()[100:164, 200:280], np.repeat(TRUE.mean(axis=-1, keepdims=True), 3, -1).astype(np.uint8), TRUE]


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("tried to connect"))


@cache
def _backbone(net):
    torch.manual_seed(0)
    return torchvision.models.get_model(BACKBONES[net])


def _features(net):
    """torchvision's convolutions of the network, random: what LPIPS uses of its file, and small."""
    return {key: value for key, value in _backbone(net).state_dict().items() if key.startswith("features.")}


def _saved(net, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    (save_file if path.suffix == ".safetensors" else torch.save)(_features(net), path)
    return path


def _by_hand(net, monkeypatch):
    """The lpips package as its authors drive it, but with the weights of the file for the trained ones."""
    monkeypatch.setattr(f"torchvision.models.{BACKBONES[net]}", lambda pretrained: _backbone(net))
    metric = lpips.LPIPS(net=net, verbose=False)

    @torch.no_grad()
    def distance(true, picture):
        return float(metric(lpips.im2tensor(true), lpips.im2tensor(picture)))

    return distance


@pytest.mark.parametrize("net", NETWORKS)
def test_lpips_is_what_its_package_finds_by_hand(net, tmp_path, monkeypatch, capsys):
    path = _saved(net, tmp_path / "own.pth")
    metric = load_lpips(net, path)
    found = metric(TRUE, OTHERS)
    by_hand = _by_hand(net, monkeypatch)
    assert found == pytest.approx([by_hand(TRUE, picture) for picture in OTHERS], rel=1e-4, abs=1e-9)
    assert found[0] > 1e-4
    assert found[2] < 1e-9
    assert (metric.net, metric.weights, metric.sha256) == (net, "own.pth", sha256_of(path))
    assert capsys.readouterr().out == ""


def test_weights_are_found_in_torchs_cache_under_their_own_name(tmp_path):
    _saved("squeeze", tmp_path / "torch" / "hub" / "checkpoints" / NETWORKS["squeeze"])
    assert load_lpips("squeeze").weights == NETWORKS["squeeze"]


@pytest.mark.parametrize("net", NETWORKS)
def test_the_file_looked_for_is_the_one_that_torchvision_would_download(net):
    first = next(iter(torchvision.models.get_model_weights(BACKBONES[net])))
    assert first.url.endswith(f"/{NETWORKS[net]}")


@pytest.mark.parametrize("net", NETWORKS)
def test_missing_weights_are_told_by_name_and_not_downloaded(net):
    with pytest.raises(ValueError, match=NETWORKS[net]):
        load_lpips(net)


def test_other_weights_and_other_networks_are_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"squeeze\.safetensors.*alex"):
        load_lpips("alex", _saved("squeeze", tmp_path / "squeeze.safetensors"))
    with pytest.raises(ValueError, match="resnet"):
        load_lpips("resnet")


def test_autocast_does_not_change_the_distance(tmp_path):
    metric = load_lpips("squeeze", _saved("squeeze", tmp_path / "own.pth"))
    expected = metric(TRUE, OTHERS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert metric(TRUE, OTHERS) == expected


@pytest.mark.parametrize("net", NETWORKS)
def test_the_least_size_is_enough_and_a_pixel_less_is_refused(net, tmp_path):
    metric = load_lpips(net, _saved(net, tmp_path / "own.pth"))
    assert metric(TRUE[:32, :32], [OTHERS[0][:32, :32]])[0] > 0
    with pytest.raises(ValueError, match="31"):
        metric(TRUE[:32, :31], [OTHERS[0][:32, :31]])
    with pytest.raises(ValueError, match="expected"):
        metric(TRUE, [OTHERS[0][:40]])
