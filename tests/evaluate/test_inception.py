import numpy as np
import pytest
import torch
from torch_fidelity import feature_extractor_inceptionv3 as fidelity

from tintype.evaluate.inception import WEIGHTS, load_inception


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of the right shape with random weights, and the network that they are of."""
    with pytest.MonkeyPatch.context() as patch:
        torch.manual_seed(0)
        patch.setattr(fidelity, "load_state_dict_from_url", lambda *_, **__: {})
        patch.setattr(fidelity.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        network = fidelity.FeatureExtractorInceptionV3("by hand", ["2048"])
    path = tmp_path_factory.mktemp("weights") / WEIGHTS
    torch.save(network.state_dict(), path)
    return path, network


def test_features_are_those_of_torch_fidelity(weights):
    path, network = weights
    pictures = np.random.default_rng(0).integers(0, 256, (2, 64, 80, 3), dtype=np.uint8)
    with torch.no_grad():
        (expected,) = network(torch.from_numpy(pictures).permute(0, 3, 1, 2))
    inception = load_inception(path)
    features = inception(list(pictures))
    assert features.shape == (2, 2048)
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-5)
    assert (inception.weights, len(inception.sha256)) == (WEIGHTS, 64)


def test_missing_weights_are_told_and_never_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(fidelity, "load_state_dict_from_url", lambda *_, **__: pytest.fail("fetched"))
    with pytest.raises(ValueError, match=f"give {WEIGHTS}"):
        load_inception()


def test_other_weights_are_refused_in_one_line(tmp_path):
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other\.pth: these are not torch-fidelity's weights") as error:
        load_inception(tmp_path / "other.pth")
    assert "\n" not in str(error.value)
