"""Zhang16's extra filters for colour: a grey network that may learn to see ab."""

import pytest
import torch
from skimage.color import rgb2lab
from torch import Tensor, nn

from tintype.networks import build_trunk, save_weights
from tintype.recipes import RecipeError
from tintype.transfer.recipe import Surgery
from tintype.transfer.subject import Subject, open_subject


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A trunk that was pretrained on lightness, whatever that taught it."""
    torch.manual_seed(3)
    trunk = build_trunk("timm:test_efficientnet")
    path = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    tensors = {f"trunk.{name}": value for name, value in trunk.state_dict().items()}
    save_weights(path, tensors, {"trunk": "timm:test_efficientnet", "in_chans": 1, "input": "lightness"})
    return str(path)


def subject(weights: str, **surgery) -> Subject:
    def pictures() -> Tensor:
        return colours()

    return open_subject(weights, "weights", Surgery(**surgery), pictures, torch.device("cpu"), 0)


def colours() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8, generator=generator)


def first(subject: Subject) -> nn.Conv2d:
    return next(layer for layer in subject.trunk.modules() if isinstance(layer, nn.Conv2d))


@pytest.mark.parametrize("batch_norm", ["tuned", "folded"])
def test_with_filters_for_ab_a_trunk_starts_as_the_grey_one(weights, batch_norm):
    grey, lab = (subject(weights, input=input, batch_norm=batch_norm) for input in ("same", "lab"))
    for one in (grey, lab):
        one.trunk.eval()
    with torch.no_grad():
        maps, expected = lab.trunk(lab.look(colours())), grey.trunk(grey.look(colours()))
    assert lab.look(colours()).shape[1] == lab.trunk.in_chans == 3
    for name, x in expected.items():
        torch.testing.assert_close(maps[name], x)


def test_what_the_filters_see_is_lightness_and_693_thousandths_of_ab(weights):
    lab = subject(weights, input="lab")
    pixels = colours()
    true = torch.from_numpy(rgb2lab(pixels.permute(0, 2, 3, 1).numpy())).permute(0, 3, 1, 2)
    seen = {}
    first(lab).register_forward_pre_hook(lambda _, inputs: seen.update(x=inputs[0]))
    lab.trunk(lab.look(pixels))
    mean, std = lab.trunk.mean, lab.trunk.std
    expected = torch.cat([true[:, :1] - mean, 0.69308239 * true[:, 1:]], dim=1) / std
    torch.testing.assert_close(seen["x"].double(), expected, atol=2e-3 / std, rtol=1e-3)


def test_the_filters_for_ab_learn_unless_they_are_frozen(weights):
    lab = subject(weights, input="lab")
    lab.trunk(lab.look(colours()))["stride32"].square().mean().backward()
    assert first(lab).weight.grad[:, 1:].any()
    frozen = subject(weights, input="lab", freeze_below="stride2")
    assert not first(frozen).weight.requires_grad


def test_a_trunk_that_sees_colour_already_is_refused(tmp_path):
    trunk = build_trunk("timm:test_efficientnet", 3)
    tensors = {f"trunk.{name}": value for name, value in trunk.state_dict().items()}
    path = tmp_path / "colour.safetensors"
    save_weights(path, tensors, {"trunk": "timm:test_efficientnet", "in_chans": 3, "input": "colour"})
    with pytest.raises(RecipeError, match=r"'surgery\.input' is lab, which is for a trunk that sees grey"):
        subject(str(path), input="lab")


def test_weights_that_have_learned_to_see_ab_are_opened_as_such(weights, tmp_path):
    lab = subject(weights, input="lab")
    nn.init.normal_(first(lab).weight)
    path = tmp_path / "lab.safetensors"
    tensors = {f"trunk.{name}": value for name, value in lab.trunk.state_dict().items()}
    save_weights(path, tensors, {"trunk": "timm:test_efficientnet", "in_chans": 3, "input": lab.seen})
    lab.trunk.eval()
    for input in ("same", "lab"):
        again = subject(str(path), input=input)
        again.trunk.eval()
        with torch.no_grad():
            found, expected = (one.trunk(one.look(colours())) for one in (again, lab))
        assert all(found[name].equal(x) for name, x in expected.items())
    with pytest.raises(RecipeError, match="these weights see ab already"):
        subject(str(path), input="colour")
