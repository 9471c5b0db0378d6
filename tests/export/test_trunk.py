"""Trunks as others load them: plain, folded, rescaled."""

import json
import re

import pytest
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file

from export.weights import make_weights
from pretrain import labelled
from pretrain.tiny import make_photographs
from tintype.color import rgb_to_lab
from tintype.data import center_crops, open_photos
from tintype.export import ExportError, export_trunk
from tintype.networks import build_trunk, load_weights


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
@pytest.mark.parametrize("rgb", [False, True])
def test_a_trunk_is_a_plain_state_dict_that_torchvision_loads(tmp_path, ending, rgb):
    network = make_weights(
        tmp_path / "weights.safetensors", "bins", "resnet18", "hypercolumn", {"input": "mean"}, width=8
    )
    out = tmp_path / f"trunk.{ending}"
    words = export_trunk(tmp_path, out, rgb)
    assert words == (
        f"torchvision.models.resnet18 with fc = nn.Identity(){'' if rgb else ' and a first layer of one channel'}; "
        "input: (x - 0.4477) / 1, x = (R + G + B) / 3 in [0, 1]"
    )
    state = load_file(out) if ending == "safetensors" else torch.load(out, weights_only=True)
    model = torchvision.models.resnet18()
    model.fc = torch.nn.Identity()
    channels = 3 if rgb else 1
    if not rgb:
        model.conv1 = torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    model.load_state_dict(state, strict=True)
    seen = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = network.trunk.eval()(100 * seen)["res5b"].mean((2, 3))
        theirs = model.eval()((seen - 114.154 / 255).expand(-1, channels, -1, -1))
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.max()))


@pytest.mark.parametrize("seen", ["lightness", "colour"])
def test_the_trunk_of_a_classifier_goes_out_too(tmp_path, seen):
    labelled.make_photographs(tmp_path / "kinds")
    labelled.run(tmp_path / "run", tmp_path / "kinds", "steps=1", "schedule.warmup=0", f"input={seen}")
    words = export_trunk(tmp_path / "run", tmp_path / "trunk.safetensors")
    named = "timm.create_model('test_efficientnet', num_classes=0" + ("" if seen == "colour" else ", in_chans=1")
    assert words.startswith(f"{named}), loaded with strict=False")
    assert ("R, G and B" in words) == (seen == "colour")
    own, _ = load_weights(tmp_path / "run" / "weights.safetensors")
    written = load_file(tmp_path / "trunk.safetensors")
    assert written["conv_stem.weight"].shape[1] == (3 if seen == "colour" else 1)
    torch.testing.assert_close(written["conv_stem.weight"], own["trunk.body.conv_stem.weight"])
    if seen == "colour":
        with pytest.raises(ExportError, match="sees colour already"):
            export_trunk(tmp_path / "run", tmp_path / "rgb.safetensors", rgb=True)


def test_a_trunk_of_another_ending_is_refused(tmp_path):
    make_weights(tmp_path / "weights.safetensors", width=8)
    with pytest.raises(ExportError, match=r"trunk.bin: a trunk is written as .safetensors, .pth or .pt"):
        export_trunk(tmp_path, tmp_path / "trunk.bin")


@pytest.mark.parametrize("changes", [{}, {"rgb": True}, {"fold": True}])
@pytest.mark.parametrize("seen", ["lightness+ab", "mean+ab"])
def test_a_trunk_that_sees_ab_is_refused_whatever_is_asked_of_it(tmp_path, seen, changes):
    make_weights(tmp_path / "weights.safetensors", extra={"input": seen}, width=8)
    with pytest.raises(ExportError, match=rf"this trunk sees {re.escape(seen)}, which no other library's does$"):
        export_trunk(tmp_path, tmp_path / "trunk.safetensors", **changes)
    assert not (tmp_path / "trunk.safetensors").exists()


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory):
    """A trunk with batch-norm that has seen pictures, its weights, and photographs."""
    folder = tmp_path_factory.mktemp("alexnet")
    network = make_weights(
        folder / "weights.safetensors", "bins", "alexnet_bn", "hypercolumn", layers=["conv2", "conv4"], width=8
    )
    make_photographs(folder / "photographs", 12)
    return network.trunk, folder


def exported(folder, out, **options):
    words = export_trunk(folder, out, **options)
    with safe_open(out, "pt") as file:
        metadata = file.metadata()
    assert metadata["use"] == words
    what = words.split(", loaded with strict=False")[0]
    assert what == "tintype.networks.build_trunk('alexnet', 1)"
    assert "; input: 100 x, which it normalizes itself, x = L of CIE Lab / 100 in [0, 1]" in words
    trunk = build_trunk("alexnet")
    trunk.load_state_dict(load_file(out), strict=False)
    return trunk.eval(), words, json.loads(metadata["changes"])


def test_a_folded_trunk_computes_what_it_did(alexnet, tmp_path):
    trunk, folder = alexnet
    folded, words, changes = exported(folder, tmp_path / "trunk.safetensors", fold=True)
    assert "batch-norm is folded" in words
    assert changes == {"folded": [f"conv{n}.norm" for n in range(1, 5)]}
    seen = torch.rand(2, 1, 96, 64, generator=torch.Generator().manual_seed(1)) * 100
    with torch.no_grad():
        for name in ("conv1", "conv2", "conv3", "conv4"):
            expected = trunk(seen)[name]
            torch.testing.assert_close(folded(seen)[name], expected, rtol=1e-4, atol=1e-4 * float(expected.max()))


def test_a_rescaled_trunk_has_variance_1_and_computes_what_it_did_times_a_factor(alexnet, tmp_path):
    trunk, folder = alexnet
    scaled, words, changes = exported(
        folder, tmp_path / "trunk.safetensors", fold=True, unit_variance=str(folder / "photographs")
    )
    assert words.endswith("layers have variance 1 on 12 of photographs")
    assert changes["photographs"] == "12 of photographs"
    seen = torch.rand(2, 1, 96, 64, generator=torch.Generator().manual_seed(1)) * 100
    with torch.no_grad():
        for name in ("conv1", "conv2", "conv3", "conv4"):
            expected = trunk(seen)[name] * changes["rescaled"][f"{name}.conv"]
            torch.testing.assert_close(scaled(seen)[name], expected, rtol=1e-4, atol=1e-4 * float(expected.max()))
    variances = []
    for conv in (scaled.get_submodule(f"conv{n}.conv") for n in range(1, 5)):
        conv.register_forward_hook(lambda _, __, out: variances.append(float(out.var())))
    crops = torch.cat(list(center_crops(open_photos([folder / "photographs"]), batch_size=12, crop=224)))
    with torch.no_grad():
        scaled(rgb_to_lab(crops.float() / 255)[:, :1])
    assert variances[:4] == pytest.approx([1] * 4, abs=0.1)


def test_a_trunk_that_nobody_else_has_is_refused(tmp_path):
    make_weights(
        tmp_path / "weights.safetensors", "bins", "vgg16_bn_quarter", "hypercolumn", layers=["conv1_2"], width=8
    )
    with pytest.raises(ExportError, match="nobody else has this trunk with fewer filters"):
        export_trunk(tmp_path, tmp_path / "trunk.pth")


def test_trunks_that_cannot_be_folded_or_rescaled_are_refused_in_one_line(alexnet, tmp_path):
    _, folder = alexnet
    make_weights(tmp_path / "weights.safetensors", "bins", "resnet18", "hypercolumn", width=8)
    photographs = str(folder / "photographs")
    cases = [
        (tmp_path, {"fold": True}, "torchvision.models.resnet18 is there with batch-norm only"),
        (folder, {"unit_variance": photographs}, "fold its batch-norms first"),
        (folder, {"fold": True, "unit_variance": str(tmp_path / "nowhere")}, "nowhere"),
    ]
    for source, options, message in cases:
        with pytest.raises(ExportError, match=message) as refused:
            export_trunk(source, tmp_path / "trunk.pth", **options)
        assert "\n" not in str(refused.value)
    assert not (tmp_path / "trunk.pth").exists()
