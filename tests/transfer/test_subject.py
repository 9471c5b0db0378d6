import pytest
import torch
from torch import nn

from export.weights import make_weights
from tintype.networks import build_trunk
from tintype.recipes import RecipeError
from tintype.transfer.recipe import Surgery
from tintype.transfer.sources import Sources, parse_sources
from tintype.transfer.subject import open_subject, pad_as_classifier
from transfer.tiny import LOW_SHOT, run


def pictures():
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(16, 3, 8, 8, generator=generator)
    shown = nn.functional.interpolate(coarse, (96, 96), mode="bilinear") + 0.1 * torch.rand(16, 3, 96, 96)
    return (255 * shown / 1.1).to(torch.uint8)


def opened(weights="random", trunk="alexnet_bn", **surgery):
    return open_subject(weights, trunk, Surgery(**surgery), pictures, torch.device("cpu"), 0)


def test_folded_and_rebalanced_the_function_is_kept_and_each_layer_varies_by_one(tmp_path, kinds):
    run(tmp_path / "run", LOW_SHOT, kinds, "trunk=alexnet_bn", "layer=conv5", "crop=64")
    plain = opened(str(tmp_path / "run"), "weights").trunk.eval()
    x = pictures().float().mean(1, keepdim=True) / 2.55
    with torch.no_grad():
        expected = plain(x)
        folded = opened(str(tmp_path / "run"), "weights", batch_norm="folded").trunk(x)
        for name, value in expected.items():
            torch.testing.assert_close(folded[name], value, rtol=1e-4, atol=1e-4)
        subject = opened(str(tmp_path / "run"), "weights", batch_norm="folded", rebalance=True)
        outputs = {}
        for layer in ("conv1", "conv2", "conv3", "conv4", "conv5"):
            conv = subject.trunk.get_submodule(f"{layer}.conv")
            conv.register_forward_hook(lambda _, __, y, layer=layer: outputs.update({layer: y.var().item()}))
        balanced = subject.trunk(x)
    assert all(0.9 < variance < 1.1 for variance in outputs.values()), outputs
    for name, factor in subject.described["rebalanced"].items():
        layer = name.removesuffix(".conv")
        torch.testing.assert_close(balanced[layer] / factor, expected[layer], rtol=1e-3, atol=1e-4)


def test_seeing_colour_instead_of_grey_changes_nothing_on_grey_pictures():
    grey, colour = opened(trunk="alexnet"), opened(trunk="alexnet", input="colour")
    assert (grey.trunk.in_chans, colour.trunk.in_chans) == (1, 3)
    pixels = pictures()[:, :1].expand(-1, 3, -1, -1)
    with torch.no_grad():
        one, other = (subject.trunk.eval()(subject.look(pixels)) for subject in (grey, colour))
    for name in ("conv1", "fc7"):
        torch.testing.assert_close(one[name], other[name], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("trunk", "side", "sizes"), [("alexnet_dilated", 227, (55, 13, 1)), ("vgg16", 224, (224, 14, 1))]
)
def test_padded_as_its_classifier_fc6_sees_one_window_of_the_picture(trunk, side, sizes):
    with torch.device("meta"):
        body = build_trunk(trunk)
    pad_as_classifier(body)
    with torch.no_grad():
        maps = body.to("meta")(torch.empty(1, 1, side, side, device="meta"))
    names = ("conv1_1", "conv5_3", "fc6") if trunk == "vgg16" else ("conv1", "conv5", "fc6")
    assert tuple(maps[name].shape[-1] for name in names) == sizes


def test_kmeans_weights_are_made_of_photographs_and_random_ones_are_not():
    seen = []

    def noted():
        seen.append(1)
        return pictures()

    open_subject("random", "alexnet", Surgery(), noted, torch.device("cpu"), 0)
    assert not seen
    one = open_subject("kmeans", "alexnet", Surgery(), noted, torch.device("cpu"), 0).trunk
    assert seen
    with torch.no_grad():
        first = one.conv1.conv((one.mean - pictures().float().mean(1, keepdim=True) / 2.55) / -one.std)
    assert abs(first.var(dim=(0, 2, 3)).mean() - 1) < 0.1


def test_the_same_seed_gives_the_same_random_weights_and_another_one_others():
    first, again = opened(trunk="alexnet").trunk, opened(trunk="alexnet").trunk
    other = open_subject("random", "alexnet", Surgery(), pictures, torch.device("cpu"), 1).trunk
    weights = [trunk.conv1.conv.weight for trunk in (first, again, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize(
    ("weights", "trunk", "surgery", "message"),
    [
        ("random", "weights", {}, "say of which trunk: --set trunk=NAME"),
        ("nowhere.pth", "alexnet", {}, "there is no such file"),
        ("random", "resnet18", {"padding": "classifier"}, "is for alexnet and vgg16"),
        ("random", "alexnet_bn", {"rebalance": True}, "fold its batch-norms first"),
        ("random", "alexnet", {"freeze_below": "conv8"}, "no feature map 'conv8'"),
        ("random", "alexnet", {"end_at": "conv8"}, "key 'surgery.end_at' is conv8; this trunk has data, conv1"),
    ],
)
def test_what_does_not_go_together_is_told_in_one_line(weights, trunk, surgery, message):
    with pytest.raises(RecipeError, match=message) as error:
        opened(weights, trunk, **surgery)
    assert "\n" not in str(error.value)


def test_a_trunk_that_ends_lower_gives_what_it_gave_up_to_there():
    whole, cut = opened(trunk="alexnet").trunk.eval(), opened(trunk="alexnet", end_at="conv5").trunk.eval()
    assert list(cut.strides) == ["data", "conv1", "conv2", "conv3", "conv4", "conv5"]
    assert not any(name.startswith("fc") for name in cut.state_dict())
    x = 100 * torch.rand(1, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(whole(x)["conv5"], cut(x)["conv5"])


def test_frozen_below_all_nothing_is_trained():
    trunk = opened(trunk="alexnet_bn", freeze_below="all").trunk.train()
    assert not any(parameter.requires_grad for parameter in trunk.parameters())
    before = trunk.conv1.norm.running_mean.clone()
    with torch.no_grad():
        trunk(100 * torch.rand(2, 1, 64, 64))
    assert torch.equal(trunk.conv1.norm.running_mean, before)


def test_sources_are_named_or_found(tmp_path):
    for name in ("train", "val"):
        (tmp_path / name).mkdir()
    assert parse_sources([str(tmp_path)]) == Sources((str(tmp_path / "train"),), (str(tmp_path / "val"),))
    assert parse_sources(["train=a.tar", "train=b.tar", "test=c.tar"]) == Sources(("a.tar", "b.tar"), ("c.tar",))
    assert parse_sources(["photos"]) == Sources(("photos",), ())
    with pytest.raises(Exception, match="data is named train or test"):
        parse_sources(["valid=a.tar"])
    with pytest.raises(Exception, match="nothing to train on"):
        parse_sources(["test=a.tar"])


@pytest.mark.parametrize(("trunk", "layer"), [("vgg16_bn_quarter", "conv3_3"), ("resnet18_half", "res4b")])
def test_what_was_folded_is_rebuilt_folded(trunk, layer, tmp_path, kinds):
    run(tmp_path / "run", LOW_SHOT, kinds, f"trunk={trunk}", f"layer={layer}", "crop=32", "surgery.batch_norm=folded")
    subject = opened(str(tmp_path / "run"), "weights")
    assert list(subject.trunk.strides)[-1] == layer
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in subject.trunk.modules())
    assert subject.trunk(100 * torch.rand(1, 1, 32, 32))[layer].isfinite().all()


def test_weights_may_lie_on_the_hub(tmp_path, hub):
    make_weights(tmp_path / "weights.safetensors", width=8)
    content = (tmp_path / "weights.safetensors").read_bytes()
    hub.add("me/mine", {"model.safetensors": content})
    here, there = opened(str(tmp_path / "weights.safetensors"), "weights"), opened("me/mine", "weights")
    assert all(torch.equal(a, b) for a, b in zip(here.trunk.parameters(), there.trunk.parameters(), strict=True))
    assert there.described == here.described | {"weights": "me/mine"}
    hub.stop()
    opened("me/mine", "weights")
    with pytest.raises(RecipeError, match="key 'weights': me/other: it is not in the cache, and could not be fetched"):
        opened("me/other", "weights")
