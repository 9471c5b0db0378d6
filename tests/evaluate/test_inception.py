import io
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from tintype.evaluate.inception import FILES, load_inception
from tintype.networks.foreign import sha256_of

PICTURES = [data.astronaut()[:120, :160], data.coffee()[:299, :299]]


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("tried to connect"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of random weights of the right shapes."""
    torch.manual_seed(0)
    buffer = io.BytesIO()
    torch.save({}, buffer)
    buffer.seek(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = FeatureExtractorInceptionV3("any", ["2048"], feature_extractor_weights_path=buffer)
    path = tmp_path_factory.mktemp("inception") / FILES[0]
    torch.save(network.state_dict(), path)
    return path


def test_features_are_those_of_torch_fidelity_for_pictures_of_any_size(weights):
    inception = load_inception(weights)
    found = inception(PICTURES)
    theirs = FeatureExtractorInceptionV3("any", ["2048"], feature_extractor_weights_path=str(weights))
    assert found.shape == (2, 2048)
    assert found.dtype == np.float32
    for features, picture in zip(found, PICTURES, strict=True):
        expected = theirs(torch.from_numpy(np.moveaxis(picture, -1, 0).copy())[None])[0][0]
        np.testing.assert_allclose(features, expected.numpy(), rtol=1e-4, atol=1e-6)
    assert not np.allclose(found[0], found[1], rtol=1e-3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        np.testing.assert_array_equal(inception(PICTURES), found)
    assert (inception.weights, inception.sha256) == (weights.name, sha256_of(weights))


@pytest.mark.parametrize("name", FILES)
def test_weights_are_found_in_torchs_cache_by_either_name(weights, tmp_path, name):
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / name).symlink_to(weights)
    assert load_inception().weights == name


def test_missing_weights_are_told_by_name_and_not_downloaded():
    with pytest.raises(ValueError, match=FILES[0]):
        load_inception()


class Runs:
    """Would make a file if it were unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_other_weights_are_refused_and_nothing_in_them_runs(tmp_path):
    path, witness = tmp_path / "other.pth", tmp_path / "witness"
    for content in ({"fc.bias": torch.zeros(3)}, {"fc.bias": Runs(witness)}):
        torch.save(content, path)
        with pytest.raises(ValueError, match=r"other\.pth") as refused:
            load_inception(path)
        assert "\n" not in str(refused.value)
    assert not witness.exists()
