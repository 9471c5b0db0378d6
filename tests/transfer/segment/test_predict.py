import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tintype.data.masks import open_segmented
from tintype.data.palette import voc_colours, write_mask
from tintype.networks import build_trunk
from tintype.networks.segmenter import HypercolumnSegmenter
from tintype.recipes.look import look
from tintype.transfer.segment.predict import confusion_of, predict


def grey(pixels):
    return look(pixels, "mean")


@pytest.fixture
def network():
    torch.manual_seed(0)
    made = HypercolumnSegmenter(build_trunk("timm:test_efficientnet"), 5, width=16)
    nn.init.normal_(made.head.hidden.weight, std=0.1)
    return made.eval()


@pytest.mark.parametrize("size", [(1, 1), (20, 100), (64, 96), (33, 47)])
def test_a_mask_has_its_images_size_whatever_the_trunk_takes(network, size):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    found = predict(network, grey, pixels, network.trunk.multiple)
    assert (found.shape, found.dtype) == (size, np.uint8)
    if size == (64, 96):  # nothing is padded
        seen = grey(torch.from_numpy(pixels).permute(2, 0, 1)[None])
        np.testing.assert_array_equal(found, network(seen)[0].argmax(0))
        assert len(np.unique(found)) > 1


class Dice(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.classes = nn.Parameter(torch.zeros(classes))
        self.generator = torch.Generator().manual_seed(0)

    def forward(self, seen):
        return torch.rand(1, len(self.classes), *seen.shape[2:], generator=self.generator)


@pytest.fixture
def images(tmp_path):
    """Six images of 4 classes and void 9, of sizes of their own, in folders."""
    rng = np.random.default_rng(0)
    for number in range(6):
        size = (60 + 7 * number, 90 - 5 * number)
        (tmp_path / "set" / f"{number % 2}").mkdir(parents=True, exist_ok=True)
        place = tmp_path / "set" / f"{number % 2}" / f"{number}"
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(place.with_suffix(".jpg"))
        mask = rng.integers(0, 4, size).astype(np.uint8)
        mask[:5] = 9
        write_mask(place.with_suffix(".png"), mask)
    return open_segmented(tmp_path / "set", classes=4, void=9)


def test_random_predictions_are_right_by_chance(images):
    """Of K classes as often as each other, 1/K² of pixels are in both, 2/K - 1/K² in either."""
    counts = confusion_of(Dice(4), grey, images)
    iu = counts.diagonal() / (counts.sum(0) + counts.sum(1) - counts.diagonal())
    np.testing.assert_allclose(iu, 1 / 7, atol=0.01)
    assert counts.sum() == sum(int((images.read(i)[1] != 9).sum()) for i in range(6))


def test_counts_of_processes_that_share_the_images_add_up_to_those_of_one(images, network):
    network.head.predict.bias.data[4] = -100  # of which there is no class
    parts = [confusion_of(network, grey, images, network.trunk.multiple, share=(rank, 4)) for rank in range(4)]
    assert sum(parts).equal(confusion_of(network, grey, images, network.trunk.multiple))
    assert all(part.any() for part in parts)


def test_predicted_masks_are_palette_pictures_of_the_images_sizes(images, network, tmp_path):
    network.head.predict.bias.data[4] = -100  # of which there is no class
    confusion_of(network, grey, images, network.trunk.multiple, masks=tmp_path / "masks")
    for number, pair in enumerate(images.pairs):
        pixels, _ = images.read(number)
        with Image.open(tmp_path / "masks" / f"{pair.name}.png") as image:
            assert image.mode == "P"
            assert image.size == pixels.shape[1::-1]
            np.testing.assert_array_equal(np.array(image), predict(network, grey, pixels, network.trunk.multiple))
            colours = np.array(image.convert("RGB"))
        np.testing.assert_array_equal(colours, voc_colours()[predict(network, grey, pixels, network.trunk.multiple)])
