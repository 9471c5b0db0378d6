import copy
import json
import os

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from torchvision.transforms.v2 import Resize

from export.metadata import METADATA
from export.weights import make_weights
from tintype.color import lightness_to_grey, rgb_to_lab
from tintype.color.encoding import annealed_mean, entropy
from tintype.export import ExportError, export
from tintype.export import bundle as module
from tintype.export.graphs import BinsBundle
from tintype.export.weights import undo_rebalancing
from tintype.networks import build_network, load_weights, save_weights, zhang16
from tintype.objectives import Histograms
from tintype.runtime.model import load_model


def infer(path, lightness, temperature=0.38):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(["ab", "entropy"], {"lightness": lightness, "temperature": np.array(temperature, np.float32)})


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """A network and its bundle, in the folder of its weights."""
    folder = tmp_path_factory.mktemp("export")
    network = make_weights(folder / "weights.safetensors", width=8)
    export(folder, folder / "tiny.onnx", half_weights=False)
    return network, folder / "tiny.onnx"


@pytest.fixture
def graph(bundle, monkeypatch):
    """The bundle's graph, which `export` is given in place of another trace of 10 seconds."""
    model = onnx.load(bundle[1])
    monkeypatch.setattr(module, "to_onnx", lambda network, multiple, outputs: model)
    return model


@pytest.mark.parametrize("size", [(32, 32), (96, 160), (256, 64)])
@pytest.mark.parametrize("temperature", [0.05, 0.38, 1.0])
def test_the_bundle_gives_the_annealed_mean_and_the_entropy_of_torch_at_any_size(bundle, size, temperature):
    network, path = bundle
    lightness = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(1)) * 100
    ab, spread = infer(path, lightness.numpy(), temperature)
    with torch.no_grad():
        logits = network(lightness)
    assert ab.shape == (1, 2, size[0] // 4, size[1] // 4)
    np.testing.assert_allclose(ab, annealed_mean(logits.double(), temperature).numpy(), atol=5e-2)
    np.testing.assert_allclose(spread, entropy(logits.double()).numpy(), atol=1e-3)


def test_two_views_are_the_picture_and_its_mirror_image_at_half_the_size(tmp_path):
    network = make_weights(tmp_path / "weights.safetensors", width=8)
    export(tmp_path, tmp_path / "two.onnx", half_weights=False, two_views=True)
    assert load_model(tmp_path / "two.onnx", 1).multiple == 64
    for size in ((64, 64), (128, 192)):
        lightness = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(1)) * 100
        mirrored = lightness.numpy().reshape(size[0] // 2, 2, size[1] // 2, 2).mean(axis=(1, 3))[:, ::-1].copy()
        with torch.no_grad():
            large, small = network(lightness)[0], network(torch.from_numpy(mirrored)[None, None])[0]
        enlarged = Resize([size[0] // 4, size[1] // 4], antialias=False)(small.flip(2))
        logits = (large + enlarged)[None].double() / 2
        ab, spread = infer(tmp_path / "two.onnx", lightness.numpy())
        np.testing.assert_allclose(ab, annealed_mean(logits, 0.38).numpy(), atol=5e-2)
        np.testing.assert_allclose(spread, entropy(logits).numpy(), atol=1e-3)


def test_two_views_want_predictions_in_the_middle_of_their_pixels(bundle, tmp_path):
    tensors, metadata = load_weights(bundle[1].with_name("weights.safetensors"))
    save_weights(tmp_path / "weights.safetensors", tensors, {**metadata, "ab_origin": 0.5})
    with pytest.raises(ExportError, match="only after `sampling: mean`"):
        export(tmp_path, tmp_path / "two.onnx", two_views=True)


def test_entropy_is_sound_for_certain_and_for_clueless_predictions():
    network = build_network(METADATA["trunk"], "pyramid", 313, width=8).eval()
    with torch.no_grad():
        network.head.predict.weight.zero_()
        network.head.predict.bias.zero_()
    bundle = BinsBundle(network)
    lightness, temperature = torch.rand(1, 1, 32, 32), torch.tensor(0.38)
    assert bundle(lightness, temperature)[1].detach().numpy() == pytest.approx(np.log(313), abs=1e-4)
    with torch.no_grad():
        bundle.bias[7] = 1e4
    ab, spread, _ = bundle(lightness, temperature)
    assert spread.detach().numpy() == pytest.approx(0, abs=1e-4)
    assert torch.isfinite(ab).all()


def test_the_graph_is_plain(bundle):
    model = onnx.load(bundle[1])
    onnx.checker.check_model(model, full_check=True)
    operators = {node.op_type for node in model.graph.node}
    assert not operators & {"If", "Loop", "Shape", "Gather", "BatchNormalization", "LogSoftmax", "ConstantOfShape"}
    assert model.opset_import[0].version >= 17
    assert [(i.name, len(i.type.tensor_type.shape.dim)) for i in model.graph.input] == [
        ("lightness", 4),
        ("temperature", 0),
    ]
    assert [o.name for o in model.graph.output] == ["ab", "entropy", "logits"]


def test_a_bundle_carries_its_metadata_and_no_path(bundle):
    model = onnx.load(bundle[1])
    metadata = json.loads({p.key: p.value for p in model.metadata_props}["tintype"])
    keys = "format name trunk head head_options objective input_size stride ab_origin temperature recipe data steps"
    assert set(metadata) == {*keys.split(), "license", "figures", "previous", "versions", "multiple"}
    assert metadata["trunk"] == "timm:test_efficientnet"
    assert os.path.dirname(module.__file__).encode() not in bundle[1].read_bytes()


def test_half_weights_take_half_the_room_and_are_computed_with_in_float32(bundle, graph, tmp_path):
    _, path = bundle
    report = export(
        path.parent, tmp_path / "half.onnx", half_weights=True, overrides={"name": "half", "license": "CC0-1.0"}
    )
    assert report["bytes"] < 0.65 * path.stat().st_size
    model = onnx.load(tmp_path / "half.onnx")
    metadata = json.loads(model.metadata_props[0].value)
    assert (metadata["name"], metadata["license"]) == ("half", "CC0-1.0")
    lightness = np.full((1, 1, 64, 64), 50, np.float32)
    difference = np.abs(infer(tmp_path / "half.onnx", lightness)[0] - infer(path, lightness)[0]).max()
    assert 0 < difference <= report["half"] * 10


def test_a_regression_on_zhang16_ignores_the_temperature_and_is_always_certain(tmp_path, monkeypatch):
    thin = {name: ((8,) * len(widths), *rest) for name, (widths, *rest) in zhang16.LAYERS.items()}
    monkeypatch.setattr(zhang16, "LAYERS", thin)
    network = make_weights(tmp_path / "weights.safetensors", "regression", "zhang16", "dense")
    export(tmp_path / "weights.safetensors", tmp_path / "l2.onnx", half_weights=False)
    lightness = torch.rand(1, 1, 64, 96) * 100
    ab, spread = infer(tmp_path / "l2.onnx", lightness.numpy(), 0.1)
    with torch.no_grad():
        np.testing.assert_allclose(ab, 110 * network(lightness).numpy(), atol=1e-2)
    assert not spread.any()
    assert spread.shape == (1, 1, 16, 24)


@pytest.fixture(scope="module")
def larsson(tmp_path_factory):
    """A sparsely trained network on the channel mean, its objective, and its bundle."""
    folder = tmp_path_factory.mktemp("larsson")
    options = {"bins": 8, "window": 7, "hue_weight": 5.0, "midtones": False, "decoding": "median"}
    extra = {"input": "mean", "objective_options": options, "temperature": 1.0, "ab_origin": 2.5}
    network = make_weights(
        folder / "weights.safetensors",
        "histograms",
        head="hypercolumn",
        extra=extra,
        layers=["stride2", "stride16"],
        width=8,
    )
    torch.nn.init.normal_(network.head.hidden.weight, std=0.3)
    save_weights(folder / "weights.safetensors", network.state_dict(), load_weights(folder / "weights.safetensors")[1])
    export(folder, folder / "h.onnx", half_weights=False)
    return network, Histograms(**options), folder / "h.onnx"


@pytest.mark.parametrize("size", [(32, 64), (96, 128)])
@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_histograms_are_decoded_in_the_bundle_upon_the_grey_that_the_lightness_says(larsson, size, temperature):
    network, objective, path = larsson
    level = torch.rand(1, 1, *size, generator=torch.Generator().manual_seed(1))
    light = rgb_to_lab(level.expand(-1, 3, -1, -1))[:, :1]
    ab, spread = infer(path, light.numpy(), temperature)
    with torch.no_grad():
        prediction = network(100 * level)  # the mean of a grey photograph's channels is its grey
        grey = torch.nn.functional.avg_pool2d(level, 4)
        expected = objective.decode(prediction, temperature, grey=grey)
    assert ab.shape == (1, 2, size[0] // 4, size[1] // 4)
    assert float(expected.abs().max()) > 3
    np.testing.assert_allclose(ab, expected.numpy(), atol=5e-2)
    hue, chroma = prediction.double().chunk(2, dim=1)
    np.testing.assert_allclose(spread, (entropy(hue) + entropy(chroma)).numpy(), atol=1e-3)


def test_a_bundle_fed_lightness_shows_a_network_of_channel_means_their_greys(larsson):
    """Of a colour photograph, it is not the channel mean but the grey of the same lightness."""
    rgb = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1)
    grey = lightness_to_grey(rgb_to_lab(rgb)[:, :1])
    assert rgb.mean().item() == pytest.approx(1 / 3)
    assert grey.item() == pytest.approx(0.30, abs=0.01)


def test_colours_cannot_be_drawn_in_a_bundle(larsson, tmp_path):
    tensors, metadata = load_weights(larsson[2].parent / "weights.safetensors")
    options = {**metadata["objective_options"], "decoding": "sample"}
    save_weights(tmp_path / "weights.safetensors", tensors, {**metadata, "objective_options": options})
    with pytest.raises(ExportError, match=r"choose another objective\.decoding than sample"):
        export(tmp_path, tmp_path / "a.onnx")


def test_rebalancing_can_be_undone_in_part(bundle):
    rarity = torch.rand(313, generator=torch.Generator().manual_seed(2)) + 0.1
    lightness = torch.rand(1, 1, 64, 64) * 100
    network = copy.deepcopy(bundle[0])
    with torch.no_grad():
        before = torch.softmax(network(lightness), dim=1)
        undo_rebalancing(network, {"rarity": rarity.tolist()}, 0.25)
        after = torch.softmax(network(lightness), dim=1)
    expected = before / rarity.reshape(1, -1, 1, 1) ** 0.25
    torch.testing.assert_close(after, expected / expected.sum(dim=1, keepdim=True))


def test_two_runs_are_blended_by_the_average_of_their_weights(bundle, tmp_path, monkeypatch):
    path = bundle[1].with_name("weights.safetensors")
    own, metadata = load_weights(path)
    theirs = {name: value + 1 if value.is_floating_point() else value for name, value in own.items()}
    save_weights(tmp_path / "other.safetensors", theirs, metadata)
    blended = {}

    def stop(network, *_):
        blended.update({name: value.clone() for name, value in network.state_dict().items()})
        raise ValueError("seen")

    monkeypatch.setattr(module, "undo_rebalancing", stop)
    with pytest.raises(ExportError, match="seen"):
        export(path, tmp_path / "tiny.onnx", blend=tmp_path / "other.safetensors", share=0.75, rebalance=0.5)
    for name, value in own.items():
        torch.testing.assert_close(blended[name], value + 0.25 if value.is_floating_point() else value)


def test_other_networks_are_not_blended_with(bundle, tmp_path):
    make_weights(tmp_path / "wide.safetensors", width=16)
    with pytest.raises(ExportError, match=r"wide\.safetensors: another network's weights"):
        export(bundle[1].parent, tmp_path / "tiny.onnx", blend=tmp_path / "wide.safetensors")


def test_rebalancing_that_was_not_kept_cannot_be_undone(bundle, graph, tmp_path):
    with pytest.raises(ExportError, match="trained without rebalancing"):
        export(bundle[1].parent, tmp_path / "a.onnx", rebalance=0.5)


def test_a_bundle_that_differs_from_torch_is_never_written(bundle, graph, tmp_path):
    centres = next(t for t in graph.graph.initializer if list(t.dims) == [313, 2])
    centres.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(centres) + np.float32(0.5), centres.name))
    with pytest.raises(ExportError, match=r"ONNX Runtime and torch differ by 0.5 in ab; nothing was written"):
        export(bundle[1].parent, tmp_path / "wrong.onnx")
    assert not list(tmp_path.iterdir())


def test_an_unfinished_run_and_strange_files_are_named(tmp_path):
    with pytest.raises(ExportError, match="there is no folder"):
        export(tmp_path, tmp_path / "nowhere" / "a.onnx")
    with pytest.raises(ExportError, match=r"has the run finished\?"):
        export(tmp_path, tmp_path / "a.onnx")
    (tmp_path / "weights.safetensors").write_bytes(b"not weights")
    with pytest.raises(ExportError, match=r"weights.safetensors: not a readable .safetensors file"):
        export(tmp_path, tmp_path / "a.onnx")
    network = make_weights(tmp_path / "weights.safetensors", width=8)
    _, metadata = load_weights(tmp_path / "weights.safetensors")
    save_weights(tmp_path / "weights.safetensors", network.state_dict(), {**metadata, "head_options": {"width": 9}})
    with pytest.raises(ExportError, match="cannot be rebuilt from its metadata") as error:
        export(tmp_path, tmp_path / "a.onnx")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "a.onnx").exists()


def test_an_earlier_bundle_outlives_a_failed_write(bundle, graph, tmp_path, monkeypatch):
    out = tmp_path / "tiny.onnx"
    out.write_bytes(b"earlier")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        export(bundle[1].parent, out)
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.onnx"]
    assert out.read_bytes() == b"earlier"
