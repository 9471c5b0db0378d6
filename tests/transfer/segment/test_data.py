from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tintype.data import DataError
from tintype.data.palette import write_mask
from tintype.data.voc import CLASSES
from tintype.recipes import RecipeError
from tintype.recipes.blocks import ConstantSchedule
from tintype.transfer.recipe import EarlyStopping
from tintype.transfer.recipe_file import load_task
from tintype.transfer.segment.data import open_data, without_held_out
from tintype.transfer.sources import parse_sources
from transfer.segment.shapes import make_shapes

CAMVID = ["classes=4", "void=9", "class_names=[ground, flat, striped, round]"]


def opened(data: list[str], *settings: str, recipe: str = "segment-mini"):
    return open_data(parse_sources(data), load_task(recipe, settings))


def names(images) -> list[str]:
    return [pair.name for pair in images.pairs]


@pytest.fixture
def shapes(tmp_path):
    return make_shapes(tmp_path / "shapes", 20)


def test_of_images_without_a_test_set_a_share_is_held_out_by_name(shapes, tmp_path):
    data = opened([str(shapes)], *CAMVID, "val_fraction=0.25")
    assert (len(data.train), len(data.test)) == (15, 5)
    assert set(names(data.train)) | set(names(data.test)) == {f"{n:02}" for n in range(20)}
    assert data.names == ("ground", "flat", "striped", "round")
    more = make_shapes(tmp_path / "more", 40)
    again = opened([str(more)], *CAMVID, "val_fraction=0.25")
    held = {name for name in names(again.test) if name < "20"}
    assert len(held & set(names(data.test))) == min(len(held), 5) > 0  # names decide, not how many there are


def test_paths_are_joined_and_masks_may_lie_elsewhere(shapes, tmp_path):
    other = make_shapes(tmp_path / "other", 3)
    masks = tmp_path / "masks"
    masks.mkdir()
    for mask in other.glob("*.png"):
        mask.rename(masks / mask.name)
    data = opened([f"train={shapes}", f"train={other},{masks}", f"test={other},{masks}"], *CAMVID)
    assert (len(data.train), len(data.test)) == (23, 3)
    pixels, mask = data.test.read(2)
    assert pixels.shape[:2] == mask.shape
    assert np.unique(mask).tolist() == [0, 1, 2, 3, 9]


@pytest.fixture
def devkit(tmp_path) -> Path:
    root = tmp_path / "VOCdevkit" / "VOC2012"
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for number in range(6):
        Image.new("RGB", (50, 40), (40 * number,) * 3).save(root / "JPEGImages" / f"{number}.jpg")
        write_mask(root / "SegmentationClass" / f"{number}.png", np.full((40, 50), number, np.uint8))
    lists = {"train": "0\n1\n", "trainaug": "0\n1\n2\n", "val": "3\n4\n5\n", "seg11valid": "4\n"}
    for split, lines in lists.items():
        (root / "ImageSets/Segmentation" / f"{split}.txt").write_text(lines)
    return root


@pytest.mark.parametrize("above", [0, 1, 2])
def test_a_devkit_is_trained_and_tested_on_by_its_lists(devkit, above):
    place = [devkit, *devkit.parents][above]
    data = opened([str(place)], recipe="segment")
    assert (names(data.train), names(data.test)) == (["0", "1", "2"], ["3", "4", "5"])
    assert data.names == ("background", *CLASSES)
    zhang = opened([f"train={place}", f"test={place}"], "train_split=train", recipe="segment-fcn32s")
    assert (names(zhang.train), names(zhang.test)) == (["0", "1"], ["4"])


def test_the_list_of_2011_that_is_not_there_is_named_with_those_that_are(devkit):
    (devkit / "ImageSets/Segmentation/seg11valid.txt").unlink()
    with pytest.raises(DataError, match=r"has no ImageSets/Segmentation/seg11valid.txt; its lists are train, trainaug"):
        opened([str(devkit)], recipe="segment-fcn32s")


def test_a_devkit_with_the_classes_of_another_set_is_refused(devkit):
    with pytest.raises(RecipeError, match="a VOC devkit has 21 classes and void 255"):
        opened([str(devkit)])


def test_pictures_for_surgery_are_squares_of_training_images(shapes):
    data = opened([str(shapes)], *CAMVID)
    found = data.pictures(48, 0)
    assert found.shape == (16, 3, 48, 48)
    assert found.float().std() > 20
    assert data.pictures(0, 0).shape == (16, 3, 224, 224)


def test_early_stopping_holds_out_a_share_and_nothing_else_does(shapes):
    images = opened([str(shapes)], *CAMVID).train
    rest, held = without_held_out(images, EarlyStopping("early_stopping", held_out=0.25))
    assert (len(rest), len(held)) == (12, 4)
    assert sorted(names(rest) + names(held)) == names(images)
    rest, held = without_held_out(images, ConstantSchedule("constant"))
    assert (names(rest), len(held)) == (names(images), 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["class_names=[a]"], "'class_names' has 1 names for 11 classes"),
        (["crop=0"], "'crop' is 0; head hypercolumn is trained at points of crops"),
        (["crop=16"], "'head.edge' is 8; it must be below half of crop"),
    ],
)
def test_a_recipe_that_does_not_work_out_is_refused(settings, message):
    with pytest.raises(RecipeError, match=message):
        load_task("segment-mini", settings)
