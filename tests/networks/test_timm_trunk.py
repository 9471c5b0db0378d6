import pickle
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tintype.networks.published import plain_trunk
from tintype.networks.surgery import fold_batch_norm, grey_first_layer
from tintype.networks.timm_trunk import TimmTrunk

BACKBONES = ["efficientnet_lite0", "tf_efficientnet_lite0", "resnet18", "mobilenetv3_small_050", "convnext_atto"]


def lightness(height: int = 64, width: int = 96) -> Tensor:
    return torch.rand(2, 1, height, width, generator=torch.Generator().manual_seed(0)) * 100


def classifier(name: str) -> nn.Module:
    """timm's own, random, with batch-norm statistics that are not those of a fresh network."""
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return model


def seen_by_the_first_layer(trunk: nn.Module, picture: Tensor) -> Tensor:
    """What the first convolution is given: lightness on the backbone's own scale."""
    inputs: list[Tensor] = []
    first = next(m for m in trunk.modules() if isinstance(m, nn.Conv2d))
    hook = first.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    with torch.no_grad():
        trunk(picture)
    hook.remove()
    return inputs[0]


def colour_features(model: nn.Module, name: str, picture: Tensor) -> list[Tensor]:
    """timm's feature maps of a grey picture, (B, 1, H, W), given to the colour model as three equal channels."""
    backbone = timm.create_model(name, pretrained=False, features_only=True)
    wanted = backbone.state_dict()
    by_flat_name = {key.replace(".", "_"): value for key, value in model.state_dict().items()}
    backbone.load_state_dict({key: by_flat_name[key.replace(".", "_")] for key in wanted})
    with torch.no_grad():
        return backbone.eval()(picture.expand(-1, 3, -1, -1))


@pytest.mark.parametrize("name", BACKBONES)
def test_grey_pictures_give_a_feature_map_at_every_stride(name):
    trunk = TimmTrunk(name).eval()
    with torch.no_grad():
        features = trunk(lightness())
    assert list(features) == list(trunk.strides) == list(trunk.channels)
    assert sorted(trunk.strides.values())[-4:] == [4, 8, 16, 32]
    for key, x in features.items():
        stride = trunk.strides[key]
        assert key == f"stride{stride}"
        assert x.shape == (2, trunk.channels[key], 64 / stride, 96 / stride)


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize(("save", "ending"), [(save_file, "safetensors"), (torch.save, "pth")])
def test_pretrained_colour_weights_answer_a_grey_picture_as_the_colour_model_does(name, save, ending, tmp_path):
    model = classifier(name)
    save(model.state_dict(), tmp_path / f"weights.{ending}")
    trunk = TimmTrunk(name, pretrained=tmp_path / f"weights.{ending}").eval()
    picture = lightness()
    expected = colour_features(model, name, seen_by_the_first_layer(trunk, picture)[:, :, :64, :96])
    with torch.no_grad():
        found = list(trunk(picture).values())
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize("name", ["efficientnet_lite0", "tf_efficientnet_lite0"])
@pytest.mark.parametrize("size", [(32, 32), (64, 32), (160, 224)])
def test_same_padding_as_a_constant_is_timms_own_at_every_multiple_of_32(name, size, tmp_path):
    model = classifier(name)
    torch.save(model.state_dict(), tmp_path / "weights.pth")
    trunk = TimmTrunk(name, pretrained=tmp_path / "weights.pth").eval()
    picture = lightness(*size)
    expected = colour_features(model, name, seen_by_the_first_layer(trunk, picture)[:, :, : size[0], : size[1]])
    with torch.no_grad():
        for ours, theirs in zip(trunk(picture).values(), expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


@pytest.mark.parametrize(
    ("name", "mean", "std"),
    [("resnet18", 44.9, 22.6), ("efficientnet_lite0", 44.9, 22.6), ("tf_efficientnet_lite0", 50, 50)],
)
def test_the_backbone_sees_lightness_on_the_scale_it_was_trained_with(name, mean, std):
    """ImageNet's mean and deviation, or the halves of TensorFlow's models, averaged over the colours."""
    trunk = TimmTrunk(name).eval()
    for value in (0.0, 37.0, 100.0):
        seen = seen_by_the_first_layer(trunk, torch.full((1, 1, 32, 32), value))[0, 0, 16, 16]
        assert seen.item() == pytest.approx((value - mean) / std, abs=0.01)


def test_grey_first_layer_is_the_sum_over_colours():
    weight = torch.randn(8, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    grey = torch.randn(2, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    summed = grey_first_layer(weight)
    assert summed.shape == (8, 1, 5, 5)
    expected = nn.functional.conv2d(grey.expand(-1, 3, -1, -1), weight)
    torch.testing.assert_close(nn.functional.conv2d(grey, summed), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(8, 1, 3, 3), (8, 4, 3, 3), (8, 16, 3, 3)])
def test_filters_that_are_not_for_colour_are_refused(shape):
    with pytest.raises(ValueError, match=r"3|three"):
        grey_first_layer(torch.zeros(shape))


def test_weights_under_other_names_in_timms_order_are_read(tmp_path):
    model = classifier("tf_efficientnet_lite0")
    renamed = {f"_layer{i}.tensor": v for i, v in enumerate(model.state_dict().values())}
    torch.save(renamed, tmp_path / "weights.pth")
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    one, other = (
        TimmTrunk("tf_efficientnet_lite0", pretrained=tmp_path / f"weights.{e}") for e in ("pth", "safetensors")
    )
    for key, value in other.state_dict().items():
        assert one.state_dict()[key].equal(value), key


def test_weights_of_another_model_are_refused_by_name(tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file(classifier("resnet18").state_dict(), path)
    with pytest.raises(ValueError, match=r"weights\.safetensors") as refused:
        TimmTrunk("efficientnet_lite0", pretrained=path)
    assert "\n" not in str(refused.value)


class Runs:
    """Would write a file if it were unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("save", [torch.save, lambda thing, path: path.write_bytes(pickle.dumps(thing))])
def test_a_file_that_would_run_code_is_refused_and_runs_nothing(tmp_path, ending, save):
    path, witness = tmp_path / f"weights.{ending}", tmp_path / "witness"
    save({"conv1.weight": Runs(witness)}, path)
    with pytest.raises(ValueError, match="weights") as refused:
        TimmTrunk("resnet18", pretrained=path)
    assert "\n" not in str(refused.value)
    assert not witness.exists()


def test_missing_weights_are_one_line_with_their_name(tmp_path):
    with pytest.raises((ValueError, FileNotFoundError), match=r"absent\.pth"):
        TimmTrunk("resnet18", pretrained=tmp_path / "absent.pth")


def test_a_name_timm_does_not_have_is_refused():
    with pytest.raises(ValueError, match="no_such_net"):
        TimmTrunk("no_such_net")


@pytest.mark.parametrize("name", ["test_vit", "test_vit3"])
def test_a_transformers_maps_of_one_stride_are_kept_in_order(name):
    """test_vit3 is made for pictures of 160 x 160."""
    trunk = TimmTrunk(name).eval()
    assert list(trunk.strides) == ["stride16_1", "stride16_2", "stride16_3"]
    assert set(trunk.strides.values()) == {16}
    picture = lightness(48, 80)
    model = timm.create_model(name, in_chans=1, dynamic_img_size=True).eval()
    model.load_state_dict(plain_trunk(trunk)[0], strict=False)
    with torch.no_grad():
        found = trunk(picture)
        blocks = len(model.blocks)
        theirs = model.forward_intermediates(
            (picture - trunk.mean) / trunk.std, indices=list(range(blocks - 3, blocks)), intermediates_only=True
        )
    for (key, ours), expected in zip(found.items(), theirs, strict=True):
        assert ours.shape == (2, trunk.channels[key], 3, 5)
        torch.testing.assert_close(ours, expected, msg=key)
    assert not found["stride16_1"].equal(found["stride16_3"])


@pytest.mark.parametrize("name", ["test_mambaout", "swin_tiny_patch4_window7_224"])
def test_maps_with_channels_last_are_given_channels_first_at_any_size(name):
    trunk = TimmTrunk(name).eval()
    picture = lightness(64, 96)
    with torch.no_grad():
        features, theirs = trunk(picture), trunk.body((picture - trunk.mean) / trunk.std)
    for (key, x), other in zip(features.items(), theirs, strict=True):
        stride = trunk.strides[key]
        assert x.shape == (2, trunk.channels[key], 64 // stride, 96 // stride)
        assert x[1, :, 1, 2].equal(other[1, 1, 2])


def test_a_transformer_that_is_cut_gives_the_maps_that_are_left_as_before():
    trunk = TimmTrunk("test_vit").eval()
    before = trunk(lightness())
    trunk.end_at("stride16_2")
    after = trunk(lightness())
    assert list(after) == ["stride16_1", "stride16_2"]
    assert all(x.equal(before[name]) for name, x in after.items())


def test_a_transformer_starts_from_its_classifiers_weights(tmp_path):
    model = classifier("test_vit")
    save_file(model.state_dict(), tmp_path / "vit.safetensors")
    trunk = TimmTrunk("test_vit", pretrained=tmp_path / "vit.safetensors").eval()
    picture = lightness(160, 160)  # that it was made for
    seen = (picture - trunk.mean) / trunk.std
    with torch.no_grad():
        (expected,) = model.forward_intermediates(seen.expand(-1, 3, -1, -1), indices=1, intermediates_only=True)
        torch.testing.assert_close(trunk(picture)["stride16_3"], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("maxvit_rmlp_pico_rw_256", "'maxvit_rmlp_pico_rw_256' does not take pictures of any size"),
        ("mvitv2_tiny", "'mvitv2_tiny' does not take pictures of any size"),
        ("levit_128s", "'levit_128s' does not take pictures of any size"),
    ],
)
def test_backbones_that_are_tied_to_a_size_are_refused_in_one_line(name, reason):
    with pytest.raises(ValueError, match=reason) as refused:
        TimmTrunk(name)
    assert "\n" not in str(refused.value)


CUT = [
    "test_resnet",
    "test_efficientnet",
    "tf_efficientnet_lite0",
    "test_convnext",
    "test_vit",
    "swin_tiny_patch4_window7_224",
]


def norms_of(trunk: TimmTrunk) -> dict[str, nn.BatchNorm2d]:
    return {name: module for name, module in trunk.named_modules() if isinstance(module, nn.BatchNorm2d)}


@pytest.mark.parametrize("name", CUT)
@pytest.mark.parametrize("change", ["nothing", "freeze", "all", "statistics", "fold"])
def test_a_trunk_that_is_cut_keeps_what_was_done_to_the_layers_that_are_left(name, change):
    trunk = TimmTrunk(name).eval()
    names = list(trunk.strides)
    if change == "freeze":
        trunk.freeze(names[0])
    elif change == "all":
        trunk.freeze_parts(trunk.children())
    elif change == "statistics":
        trunk.fix_statistics(trained=False)
    elif change == "fold":
        fold_batch_norm(trunk, lightness())
    fixed = {key for key, parameter in trunk.named_parameters() if not parameter.requires_grad}
    before = trunk(lightness())
    trunk.end_at(names[1])
    after = trunk(lightness())
    assert list(after) == names[:2]
    assert all(x.equal(before[key]) for key, x in after.items())
    left = dict(trunk.named_parameters())
    assert all(not left[key].requires_grad for key in fixed & left.keys())
    assert fixed & left.keys() or not fixed
    trunk.train()
    still = {key for key, module in norms_of(trunk).items() if not module.training}
    assert still == norms_of(trunk).keys() or change not in ("all", "statistics")
    assert still or not norms_of(trunk) or change in ("nothing", "fold")
