import onnx
import pytest
import torch

from export.metadata import METADATA as PLAIN
from tintype.export import export
from tintype.networks import build_network, save_weights
from tintype.networks.bundle import read_bundle

METADATA = {**PLAIN, "head": "pyramid", "head_options": {"width": 8}, "objective": "bins", "channels": 313}
LIGHTNESS = torch.rand(2, 1, 64, 96, generator=torch.Generator().manual_seed(2)) * 100


@pytest.fixture(scope="module", params=[False, True], ids=["one view", "two views"])
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundle")
    torch.manual_seed(0)
    network = build_network("timm:test_efficientnet", "pyramid", 313, width=8)
    network(torch.rand(4, 1, 64, 64) * 100)  # running statistics unlike the initial ones
    for parameter in network.parameters():
        parameter.data.add_(0.05 * torch.randn_like(parameter))
    save_weights(folder / "weights.safetensors", network.state_dict(), METADATA)
    export(folder, folder / "tiny.onnx", half_weights=False, two_views=request.param)
    return network.eval(), folder / "tiny.onnx"


def test_a_network_comes_back_out_of_its_bundle(trained):
    network, path = trained
    rebuilt, metadata = read_bundle(path)
    assert metadata["trunk"] == METADATA["trunk"]
    with torch.no_grad():
        torch.testing.assert_close(rebuilt(LIGHTNESS), network(LIGHTNESS), atol=1e-3, rtol=1e-3)


def test_with_fixed_statistics_it_trains_from_there_and_keeps_them(trained):
    network, path = trained
    rebuilt, _ = read_bundle(path)
    rebuilt.fix_statistics()
    rebuilt.train()
    statistics = {name: value.clone() for name, value in rebuilt.named_buffers()}
    prediction = rebuilt(LIGHTNESS)
    torch.testing.assert_close(prediction, network(LIGHTNESS), atol=1e-3, rtol=1e-3)
    prediction.square().mean().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in rebuilt.parameters())
    assert all(torch.equal(value, statistics[name]) for name, value in rebuilt.named_buffers())


def test_what_is_no_bundle_is_named(tmp_path, trained):
    strange = tmp_path / "strange.onnx"
    strange.write_bytes(b"not a model")
    with pytest.raises(ValueError, match=r"strange\.onnx: not a bundle"):
        read_bundle(strange)
    model = onnx.load(trained[1])
    del model.metadata_props[:]
    onnx.save(model, strange)
    with pytest.raises(ValueError, match=r"strange\.onnx: not a bundle"):
        read_bundle(strange)
    with pytest.raises(ValueError, match=r"missing\.onnx: not a bundle"):
        read_bundle(tmp_path / "missing.onnx")
