import pytest
import torch

from networks.synthetic import Averages, ramp
from tintype.networks import build_trunk
from tintype.networks.geometry import survey


@pytest.mark.parametrize("axis", [0, 1])
def test_each_cell_lies_in_the_middle_of_what_it_averages(axis):
    trunk = Averages()
    with torch.no_grad():
        maps = trunk(ramp(180, 190, axis))
    for name, (channels, grid) in survey(trunk, 1, 180).items():
        x = maps[name][0, 0].movedim(axis, 0)
        edge = -(-24 // int(grid.stride)) + 2  # cells that see beyond the picture
        inner = x[edge:-edge, len(x[0]) // 2]
        expected = grid.offset + grid.stride * (torch.arange(len(inner)) + edge).float()
        assert channels == 1
        assert len(inner) > 3
        torch.testing.assert_close(inner, expected, msg=name)


def test_the_synthetic_trunk_has_grids_that_no_rule_of_thumb_gives():
    offsets = [layer.grid.offset for layer in survey(Averages(), 1, 150).values()]
    assert len(set(offsets)) >= 5
    assert any(offset < 0 for offset in offsets) or any(offset % 1 for offset in offsets)


@pytest.mark.parametrize(
    ("name", "offsets"),
    [
        ("zhang16", {f"conv{n}": 0 for n in range(1, 8)}),
        ("resnet18", {"conv1": 0, "res2a": 0, "res3b": 0, "res5b": 0}),
        # TensorFlow pads before by one less than after: each stride of 2 moves the grid on by one of its cells.
        ("timm:tf_efficientnet_lite0", {"stride2": 1, "stride4": 3, "stride8": 7, "stride16": 15, "stride32": 31}),
        ("timm:efficientnet_lite0", {f"stride{2**n}": 0 for n in range(1, 6)}),
        # Patches meet without overlap; a swin's are put together in ways that are not followed.
        ("timm:convnext_atto", {"stride4": 1.5, "stride8": 3.5, "stride16": 7.5, "stride32": 15.5}),
        ("timm:test_vit", {"stride16_1": 7.5, "stride16_3": 7.5}),
        ("timm:swin_tiny_patch4_window7_224", {"stride4": 1.5, "stride8": 3.5, "stride16": 7.5, "stride32": 15.5}),
    ],
)
def test_offsets_are_those_of_the_networks_arithmetic(name, offsets):
    found = build_trunk(name).offsets
    assert {key: found[key] for key in offsets} == offsets


def test_surveying_costs_no_memory_and_changes_nothing():
    trunk = build_trunk("resnet18").train()
    before = {name: value.clone() for name, value in trunk.state_dict().items()}
    survey(trunk, 1, 4096)
    assert trunk.training
    assert all(value.equal(before[name]) for name, value in trunk.state_dict().items())
