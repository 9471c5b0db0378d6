import copy

import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file
from torch import Tensor, nn

import tintype.networks
from reference.colorizers import ECCV16, Siggraph17
from tintype.networks import build_network, build_trunk, published
from tintype.networks.published import plain_trunk
from tintype.networks.surgery import fold_batch_norm


def grey(*size: int) -> Tensor:
    return torch.rand(2, 1, *size, generator=torch.Generator().manual_seed(0)) * 100


def unlike_a_fresh_network(model: nn.Module) -> nn.Module:
    """Weights that carry the picture to the end, and batch-norms that are not identities."""
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            fan = module.weight[0].numel()
            module.weight.data.normal_(0, (2 / fan) ** 0.5, generator=generator)
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            if module.affine:
                module.weight.data.uniform_(0.5, 2, generator=generator)
                module.bias.data.normal_(0, 0.2, generator=generator)
    return model.eval()


@pytest.fixture
def file(monkeypatch, tmp_path):
    """Stands for a file of a model's tensors, which for large models is never written."""

    def hold(state: dict[str, Tensor]):
        monkeypatch.setattr(published, "read_state_dict", lambda path: dict(state))
        return tmp_path / "weights.pth"

    return hold


def resnet_features(model: nn.Module, x: Tensor) -> list[Tensor]:
    """conv1 after ReLU, then each stage's end, of torchvision's or timm's ResNet."""
    x = getattr(model, "relu", getattr(model, "act1", None))(model.bn1(model.conv1(x)))
    features = [x]
    x = model.maxpool(x)
    for n in range(1, 5):
        x = model.get_submodule(f"layer{n}")(x)
        features.append(x)
    return features


def three_channels(trunk: nn.Module, seen: Tensor) -> Tensor:
    """What a colour classifier is fed of a grey picture: three channels, ImageNet's deviation, the trunk's own mean."""
    return ((seen - trunk.mean) / (100 * 0.226)).expand(-1, 3, -1, -1)


@pytest.mark.parametrize(
    ("name", "library", "ending"),
    [
        ("resnet18", "torchvision", "pth"),
        ("resnet18", "timm", "safetensors"),
        ("resnet50", "torchvision", "safetensors"),
    ],
)
def test_a_resnet_classifier_answers_grey_pictures_as_it_does_three_equal_channels(name, library, ending, tmp_path):
    make = getattr(torchvision.models, name) if library == "torchvision" else lambda: timm.create_model(name)
    model = unlike_a_fresh_network(make())
    path = tmp_path / f"weights.{ending}"
    (save_file if ending == "safetensors" else torch.save)(model.state_dict(), path)
    trunk = build_network(name, "hypercolumn", 4, layers=["conv1"], width=8, pretrained=path).trunk.eval()
    whole = build_network(name, "hypercolumn", 4, width=8, pretrained=path).trunk.eval()
    seen = grey(48, 64)
    with torch.no_grad():
        expected = resnet_features(model, three_channels(whole, seen))
        found = whole(seen)
        torch.testing.assert_close(trunk(seen)["conv1"], found["conv1"])
    ends = ["conv1", *(max(n for n in found if n.startswith(f"res{s}")) for s in (2, 3, 4, 5))]
    for ours, theirs in zip(ends, expected, strict=True):
        torch.testing.assert_close(found[ours], theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()), msg=ours)


def test_for_colour_input_a_classifier_gives_its_own_features(file):
    model = unlike_a_fresh_network(torchvision.models.resnet18())
    trunk = build_trunk("resnet18", 3).eval()
    published.load_published(trunk, nn.Identity(), file(model.state_dict()))
    seen = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0)) * 100
    with torch.no_grad():
        expected = resnet_features(model, (seen - trunk.mean) / (100 * 0.226))
        found = trunk(seen)
    for name, x in zip(("conv1", "res2b", "res3b", "res4b", "res5b"), expected, strict=True):
        torch.testing.assert_close(found[name], x, rtol=1e-3, atol=1e-4 * float(x.max()), msg=name)


def vgg_state(features: nn.Module, of_timm: bool) -> dict[str, Tensor]:
    """vgg16's tensors by name and shape; those of fc6 and fc7 take no memory."""
    state = {f"features.{key}": value for key, value in features.state_dict().items()}
    for n, (tv, tm, inputs, kernel) in enumerate([(0, "fc1", 512, 7), (3, "fc2", 4096, 1)]):
        name = f"pre_logits.{tm}" if of_timm else f"classifier.{tv}"
        shape = (4096, inputs, kernel, kernel) if of_timm else (4096, inputs * kernel**2)
        filters = torch.full((1, 1), 1e-4 * (n + 1)).view([1] * len(shape))
        state[f"{name}.weight"], state[f"{name}.bias"] = filters.expand(shape), torch.linspace(-1, 1, 4096)
    last = "head.fc" if of_timm else "classifier.6"
    state[f"{last}.weight"], state[f"{last}.bias"] = torch.zeros(1, 1).expand(1000, 4096), torch.zeros(1000)
    return state


@pytest.fixture(scope="module")
def vggs():
    """Our VGG-16 without and with batch-norm: made once, for they are large."""
    return {name: build_trunk(name).eval() for name in ("vgg16", "vgg16_bn")}


@pytest.mark.parametrize(
    ("name", "norm", "of_timm"),
    [
        ("vgg16", False, False),
        ("vgg16", True, False),
        ("vgg16_bn", False, False),
        ("vgg16_bn", True, False),
        ("vgg16", False, True),
    ],
)
def test_a_vgg16_classifier_gives_the_same_features_with_and_without_batch_norm(name, norm, of_timm, vggs, file):
    vgg, trunk = torchvision.models.vgg, vggs[name]
    features = unlike_a_fresh_network(vgg.make_layers(vgg.cfgs["D"], batch_norm=norm))
    published.load_published(trunk, nn.Identity(), file(vgg_state(features, of_timm)))
    seen = grey(32, 48)
    with torch.no_grad():
        found = trunk(seen)
        x = three_channels(trunk, seen)
        names = iter(list(found)[1:])
        for layer in features:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                ours = next(names)
                torch.testing.assert_close(found[ours], x, rtol=1e-3, atol=1e-4 * float(x.abs().max()), msg=ours)
        box = nn.functional.avg_pool2d(x, 7, 1, 3) * 49  # fc6's filters are all alike
        fc6 = (1e-4 * box.sum(1, keepdim=True) + torch.linspace(-1, 1, 4096)[:, None, None]).relu()
        fc7 = (2e-4 * fc6.sum(1, keepdim=True) + torch.linspace(-1, 1, 4096)[:, None, None]).relu()
    torch.testing.assert_close(found["fc6"], fc6, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found["fc7"], fc7, rtol=1e-3, atol=1e-3)


@pytest.fixture(scope="module")
def eccv16():
    return unlike_a_fresh_network(ECCV16())


def test_colorization_release_v2_gives_the_logits_and_features_of_the_released_network(eccv16, file):
    network = build_network("zhang16", "dense", 313, pretrained=file(eccv16.state_dict())).eval()
    seen = grey(32, 40)
    with torch.no_grad():
        features, logits = eccv16(seen)
        found = network.trunk(seen)
        for (name, ours), theirs in zip(found.items(), features, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()), msg=name)
        torch.testing.assert_close(network(seen), logits, rtol=1e-3, atol=1e-4 * float(logits.abs().max()))


def test_its_last_layer_is_left_out_for_another_objective_and_its_head_for_another_head(eccv16, file):
    path = file(eccv16.state_dict())
    regression = build_network("zhang16", "dense", 2, pretrained=path)
    assert regression.head.conv8[0].weight.equal(eccv16.model8[0].weight)
    column = build_network("zhang16", "hypercolumn", 2, width=8, pretrained=path)
    assert column.trunk.conv7[0].weight.equal(eccv16.model7[0].weight)


def test_siggraph17_gives_its_features_without_hints(file):
    model = unlike_a_fresh_network(Siggraph17())
    trunk = build_network("zhang16", "dense", 313, pretrained=file(model.state_dict())).trunk.eval()
    seen = grey(32, 40)
    with torch.no_grad():
        expected = model(seen)
        torch.testing.assert_close(trunk(seen)["conv7"], expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


def test_other_weights_are_refused_in_one_line(tmp_path, eccv16, file):
    save_file(torchvision.models.resnet18().state_dict(), tmp_path / "r18.safetensors")
    cases = [
        ("resnet50", tmp_path / "r18.safetensors", "trunk.body.layer1.0.conv1.weight is missing or differs"),
        ("zhang16", tmp_path / "r18.safetensors", "model1.0.weight is missing"),
        ("vgg16", tmp_path / "r18.safetensors", "features.0.weight"),
        ("alexnet_dilated", tmp_path / "r18.safetensors", "nobody publishes any for it but as .caffemodel.h5"),
        ("resnet18", tmp_path / "absent.pth", "cannot be read as weights"),
    ]
    for trunk, path, reason in cases:
        with pytest.raises(ValueError, match=reason) as refused:
            build_network(trunk, "hypercolumn", 4, width=8, pretrained=path)
        assert path.name in str(refused.value)
        assert "\n" not in str(refused.value)
    state = eccv16.state_dict()
    state["model3.6.weight"] = -state["model3.6.weight"]
    with pytest.raises(ValueError, match="scales that are not above 0"):
        build_network("zhang16", "dense", 313, pretrained=file(state))
    state["model3.6.weight"] = state["model3.6.weight"] * float("nan")
    with pytest.raises(ValueError, match=r"not finite|not above 0"):
        build_network("zhang16", "dense", 313, pretrained=file(state))


@pytest.mark.parametrize("rgb", [False, True])
@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_a_resnet_trunk_loads_strictly_elsewhere_and_gives_equal_features(rgb, library):
    trunk = unlike_a_fresh_network(build_trunk("resnet18"))
    state, what = plain_trunk(trunk, rgb)
    assert "resnet18" in what
    channels = 3 if rgb else 1
    if library == "torchvision":
        model = torchvision.models.resnet18()
        model.fc = nn.Identity()
        model.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    else:
        model = timm.create_model("resnet18", num_classes=0, in_chans=channels)
    model.load_state_dict(state, strict=True)
    seen = grey(48, 64)
    given = ((seen - trunk.mean) / trunk.std).expand(-1, channels, -1, -1)
    with torch.no_grad():
        found = trunk(seen)
        for name, theirs in zip(
            ("conv1", "res2b", "res3b", "res4b", "res5b"), resnet_features(model.eval(), given), strict=True
        ):
            torch.testing.assert_close(found[name], theirs, rtol=1e-3, atol=1e-4 * float(theirs.max()), msg=name)


def test_a_colour_picture_is_seen_as_its_channel_mean():
    trunk = unlike_a_fresh_network(build_trunk("resnet18"))
    model = torchvision.models.resnet18()
    model.fc = nn.Identity()
    model.load_state_dict(plain_trunk(trunk, rgb=True)[0], strict=True)
    rgb = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 100
    with torch.no_grad():
        theirs = resnet_features(model.eval(), (rgb - trunk.mean) / trunk.std)[-1]
        ours = trunk(rgb.mean(1, keepdim=True))["res5b"]
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.max()))


@pytest.mark.parametrize("name", ["vgg16", "vgg16_bn"])
def test_a_vgg16_trunk_loads_strictly_into_torchvisions_and_gives_equal_features(name, vggs):
    trunk = vggs[name]
    for module in trunk.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_var.uniform_(0.5, 2)
    state, what = plain_trunk(trunk, rgb=True)
    assert f"torchvision.models.{name} " in what
    with torch.device("meta"):
        model = getattr(torchvision.models, name)()
    model.classifier[6] = nn.Identity()
    model.load_state_dict(state, strict=True, assign=True)
    seen = grey(224, 224)[:1]
    with torch.no_grad():
        given = ((seen - trunk.mean) / trunk.std).expand(-1, 3, -1, -1)
        theirs = model.eval()(given)  # fc7 after ReLU, of a whole picture: our middle cell
        torch.testing.assert_close(trunk(seen)["fc7"][:, :, 3, 3], theirs, rtol=1e-3, atol=1e-4 * float(theirs.max()))


def test_a_folded_vgg16_goes_out_too_as_one_without_batch_norm(vggs):
    trunk = copy.deepcopy(vggs["vgg16_bn"])
    seen = grey(32, 32)
    with torch.no_grad():
        before = trunk(seen)["fc7"]
        fold_batch_norm(trunk, seen)
        torch.testing.assert_close(trunk(seen)["fc7"], before, rtol=1e-3, atol=1e-4 * float(before.max()))
    state, what = plain_trunk(trunk)
    torch.testing.assert_close(state["classifier.0.weight"], trunk.fc6.conv.weight.flatten(1))
    model = as_told(what)
    model.load_state_dict(state, strict=True, assign=True)
    with torch.no_grad():
        theirs = model.features[:30]((seen - trunk.mean) / trunk.std)  # up to the last ReLU
        torch.testing.assert_close(theirs, trunk(seen)["conv5_3"], rtol=1e-3, atol=1e-4 * float(theirs.max()))


def test_zhang16s_trunk_loads_into_the_released_network(eccv16, file):
    trunk = build_network("zhang16", "dense", 313, pretrained=file(eccv16.state_dict())).trunk
    state, what = plain_trunk(trunk)
    assert "eccv16" in what
    other = ECCV16()
    missing, surplus = other.load_state_dict(state, strict=False)
    assert surplus == []
    assert {key.split(".")[0] for key in missing} == {"model8", "model_out"}
    with torch.no_grad():
        ours, theirs = (model.eval()(grey(16, 16))[0][-1] for model in (other, eccv16))
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


def test_a_timm_trunk_goes_back_under_timms_names():
    trunk = unlike_a_fresh_network(build_trunk("timm:tf_efficientnet_lite0"))
    state, what = plain_trunk(trunk)
    model = timm.create_model("tf_efficientnet_lite0", num_classes=0, in_chans=1)
    missing, surplus = model.load_state_dict(state, strict=False)
    assert surplus == []
    assert {key.split(".")[0] for key in missing} == {"conv_head", "bn2"}
    assert "strict=False: the file ends at stride32" in what


def as_told(what: str) -> nn.Module:
    """The model that the words name, without memory, with what they say is done to it."""
    names = {"torchvision": torchvision, "timm": timm, "tintype": tintype}
    called, _, rest = what.partition(", loaded")[0].partition(" with ")
    with torch.device("meta"):
        model = eval(called if called.endswith(")") else f"{called}()", names)
    for change in rest.split(" and "):
        if change == "a first layer of one channel":
            name, first = next((n, m) for n, m in model.named_modules() if isinstance(m, nn.Conv2d))
            parent, _, child = name.rpartition(".")
            shape = (first.kernel_size, first.stride, first.padding)
            setattr(model.get_submodule(parent), child, nn.Conv2d(1, 64, *shape, bias=first.bias is not None))
        elif change:
            exec(f"model.{change}", {"model": model, "nn": nn})
    return model.eval()


def features_of(model: nn.Module, layer: str, x: Tensor) -> Tensor:
    """What one of a model's layers gives."""
    found: list[Tensor] = []
    hook = model.get_submodule(layer).register_forward_hook(lambda _, __, out: found.append(out))
    with torch.no_grad():
        model(x)
    hook.remove()
    return found[0]


@pytest.mark.parametrize("rgb", [False, True])
@pytest.mark.parametrize(
    ("name", "last", "layer", "told"),
    [
        ("resnet18", "res3b", "layer2", "strict=False: the file ends at res3b"),
        ("resnet18", "res5b", "layer4", ""),
        ("alexnet_dilated_bn", "conv3", "conv3", "strict=False: the file ends at conv3"),
        ("timm:test_resnet", "stride8", "layer2", "strict=False: the file ends at stride8"),
        ("timm:test_vit", "stride16_2", "blocks.4", "strict=False: the file ends at stride16_2"),
        ("timm:test_vit", "stride16_3", "blocks.5", "strict=False: the file ends at stride16_3"),
        ("vgg16_bn", "conv2_2", "features.12", "strict=False: the file ends at conv2_2"),
    ],
)
def test_what_loads_a_trunk_that_was_cut_is_told_truly(name, last, layer, told, rgb, vggs):
    trunk = copy.deepcopy(vggs[name]) if name in vggs else build_trunk(name)
    trunk.end_at(last)
    unlike_a_fresh_network(trunk)
    state, what = plain_trunk(trunk, rgb)
    model = as_told(what)
    model.to_empty(device="cpu")
    assert what.endswith(told)
    if told:
        with pytest.raises(RuntimeError, match="Missing key"):
            model.load_state_dict(state, strict=True)
    else:
        model.load_state_dict(state, strict=True)
    assert model.load_state_dict(state, strict=False).unexpected_keys == []
    seen = grey(160, 160)
    given = seen if "tintype" in what else (seen - trunk.mean) / trunk.std  # which normalizes by itself
    given = given.expand(-1, 3 if rgb else 1, -1, -1)
    with torch.no_grad():
        expected = trunk(seen)[last]
    theirs = features_of(model, layer, given)
    if theirs.ndim == 3:  # a transformer's tokens, a class token first
        theirs = theirs[:, -100:].transpose(1, 2).unflatten(2, (10, 10))
    torch.testing.assert_close(theirs, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("name", ["resnet18", "timm:test_resnet"])
def test_a_residual_network_without_its_batch_norms_is_not_written(name):
    trunk = build_trunk(name).eval()
    fold_batch_norm(trunk, grey(32, 32))
    with pytest.raises(ValueError, match="is there with batch-norm only"):
        plain_trunk(trunk)
