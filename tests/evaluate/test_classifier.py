import json
import os
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn import functional as F
from torchvision import models
from torchvision.transforms import functional as transforms

from tintype.evaluate import grey, read_photograph
from tintype.evaluate.classifier import cached, file_hash, load_classifier
from tintype.evaluate.labels import read_labels


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """A small timm classifier with random weights, and their file."""
    torch.manual_seed(0)
    network = timm.create_model("resnet10t").eval()
    path = tmp_path_factory.mktemp("weights") / "resnet10t.safetensors"
    save_file(network.state_dict(), path)
    return network, path


def _pictures(count, height=256, width=256):
    return list(np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8))


def test_a_timm_classifier_sees_what_timm_by_hand_sees(resnet):
    network, path = resnet
    classifier = load_classifier("timm:resnet10t", path)
    pictures = _pictures(3, 200, 300)
    config = network.default_cfg
    short = int(config["input_size"][-1] / config["crop_pct"])
    batch = []
    for picture in pictures:
        image = transforms.resize(Image.fromarray(picture), short, transforms.InterpolationMode.BICUBIC)
        image = transforms.center_crop(image, config["input_size"][-1])
        batch.append(transforms.normalize(transforms.to_tensor(image), config["mean"], config["std"]))
    with torch.no_grad():
        expected = network(torch.stack(batch))
        pooled = network.forward_head(network.forward_features(torch.stack(batch)), pre_logits=True)
    logits, features = classifier(pictures)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(features, pooled, rtol=1e-4, atol=1e-5)


def test_what_it_is_stands_with_it(resnet):
    classifier = load_classifier("resnet10t", resnet[1])
    assert (classifier.name, classifier.weights) == ("timm:resnet10t", "resnet10t.safetensors")
    assert classifier.sha256 == file_hash(resnet[1])
    assert "bicubic" in classifier.preprocessing


def test_vgg_16_gives_the_4096_values_before_its_last_layer(tmp_path, monkeypatch):
    """As in the paper, with its weights where torch keeps those that were fetched; random ones here."""
    torch.manual_seed(0)
    network = models.vgg16(weights=None, init_weights=False).eval()
    for weight in network.parameters():
        weight.data.normal_(0, 0.02)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(network.state_dict(), folder / "vgg16-397923af.pth")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    classifier = load_classifier("torchvision:vgg16")
    picture = _pictures(1)[0]
    image = models.VGG16_Weights.DEFAULT.transforms()(Image.fromarray(picture))[None]
    with torch.no_grad():
        hidden = network.classifier[:-1](network.avgpool(network.features(image)).flatten(1))
        expected = F.linear(hidden, network.classifier[-1].weight, network.classifier[-1].bias)
    logits, features = classifier([picture])
    assert features.shape == (1, 4096)
    np.testing.assert_allclose(features, hidden, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-6)


def test_the_cache_is_torchs(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert cached("x.pth") is None
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "hub" / "checkpoints" / "x.pth").write_bytes(b"x")
    assert cached("x.pth").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("timm:no_such_net", "timm has no such model"),
        ("torchvision:no_such_net", "torchvision has no such classifier"),
        ("efficientnet-lite9", "timm has no such model"),
        ("resnet10t", "these are not the weights of timm:resnet10t"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(tmp_path, name, complaint):
    path = tmp_path / "other.safetensors"
    save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match=complaint) as error:
        load_classifier(name, path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["resnet10t", "torchvision:vgg16", "efficientnet-lite4"])
def test_missing_weights_are_told_and_nothing_is_fetched(tmp_path, monkeypatch, name):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", lambda *_: pytest.fail("fetched"))
    with pytest.raises(ValueError, match="needs its weights"):
        load_classifier(name)


def test_the_packaged_classifier_recognises_photographs_and_misses_their_colours():
    """Its file has other names than timm for its tensors; a slip in that, or in its input's scale, would show here."""
    photos = os.environ.get("TINTYPE_PHOTOS")
    if not photos:
        pytest.skip("TINTYPE_PHOTOS is not set: labelled photographs are not at hand")
    folder = Path(photos) / "eval"
    names = list(json.loads((Path(photos) / "eval-labels.json").read_text()))[::6]
    paths = [folder / name for name in names]
    labels = read_labels(paths, folder, Path(photos) / "eval-labels.json")
    assert set(labels) == set(paths)
    classifier = load_classifier()
    right = np.zeros(2)
    for path, label in labels.items():
        photo = read_photograph(path)
        right += classifier([photo.true, grey(photo)])[0].argmax(axis=1) == label
    share = right / len(paths)
    assert share[0] > 0.8
    assert share[1] < share[0]
