import warnings

import lpips
import numpy as np
import pytest
import torch
from torchvision import models

from tintype.evaluate.perceptual import BACKBONES, load_lpips

NETS = {"alex": models.alexnet, "squeeze": models.squeezenet1_1}


@pytest.fixture(scope="module", params=NETS)
def backbone(request, tmp_path_factory):
    """A backbone with random weights in a file, and the lpips package driven by hand with the same."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = NETS[request.param](weights=None)
        by_hand = lpips.LPIPS(net=request.param, pnet_rand=True, verbose=False)
    path = tmp_path_factory.mktemp("weights") / BACKBONES[request.param]
    torch.save(network.state_dict(), path)
    features = dict(network.features.named_parameters())
    for name, weight in by_hand.net.named_parameters():
        weight.data = features[name.partition(".")[2]].data
    return request.param, path, by_hand.eval()


def _tensor(picture):
    return torch.from_numpy(picture / 255.0).float().permute(2, 0, 1)[None]


def test_it_is_the_package_driven_by_hand(backbone):
    net, path, by_hand = backbone
    true, *pictures = np.random.default_rng(0).integers(0, 256, (4, 64, 80, 3), dtype=np.uint8)
    with torch.no_grad():
        expected = [float(by_hand(_tensor(true), _tensor(picture), normalize=True)) for picture in pictures]
    assert min(expected) > 0.001
    assert load_lpips(net, path)(true, pictures) == pytest.approx(expected, rel=1e-4)


def test_equal_pictures_are_no_distance_apart_and_the_weights_are_told(backbone):
    net, path, _ = backbone
    distance = load_lpips(net, path)
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert distance(picture, [picture]) == [0]
    assert (distance.net, distance.weights, len(distance.sha256)) == (net, path.name, 64)


def test_weights_are_taken_from_torchs_cache_and_never_fetched(backbone, tmp_path, monkeypatch):
    net, path, _ = backbone
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", lambda *_: pytest.fail("fetched"))
    with pytest.raises(ValueError, match=f"give {path.name}"):
        load_lpips(net)
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / path.name).write_bytes(path.read_bytes())
    assert load_lpips(net).weights == path.name


def test_other_weights_are_refused_in_one_line(tmp_path):
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other\.pth: these are not torchvision's weights") as error:
        load_lpips("alex", tmp_path / "other.pth")
    assert "\n" not in str(error.value)
