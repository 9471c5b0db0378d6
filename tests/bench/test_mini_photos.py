import io
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import mini_photos
from _street import halved
from tintype.data import open_photos
from tintype.data.masks import open_segmented
from tintype.tables.plan import make_plan
from tintype.tables.spec import load_table
from tintype.transfer.classes import open_classes
from tintype.transfer.sources import parse_sources

COMMAND = Path(mini_photos.__file__)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "photos"
    subprocess.run([sys.executable, COMMAND, out, "--scale", "0.01"], check=True)
    return out


def _sizes(photos):
    return [Image.open(io.BytesIO(photo.read())).size for photo in photos]


def test_pictures_to_pretrain_on_have_a_short_side_of_96(made):
    photos = open_photos([f"{made}/train/train-*.tar*"])
    assert len(photos) == 40
    assert {min(size) for size in _sizes(photos)} == {96}


def test_200_classes_have_as_many_pictures_each_and_others_to_test_on(made):
    data = open_classes(parse_sources([f"train={made}/tiny/tiny-*.tar*", f"test={made}/tiny-val/tiny-val-*.tar*"]), 0)
    assert len(data.names) == len(set(data.names)) == 200
    for photos in (data.train, data.test):
        assert np.bincount(photos.classes, minlength=200).tolist() == [1] * 200
        assert set(_sizes(photos)) == {(64, 64)}
    train, test = ({photo.read() for photo in photos} for photos in (data.train, data.test))
    assert len(train) == len(test) == 200
    assert not train & test


def test_six_scenes_have_as_many_pictures_each(made):
    photos = open_photos([f"{made}/small/small-*.tar*"])
    assert all(photo.key.startswith("scene-") for photo in photos)
    assert Counter(photo.label for photo in photos) == dict.fromkeys(
        ["buildings", "forests", "glacier", "mountains", "sea", "street"], 3
    )


@pytest.mark.parametrize(("part", "count"), [("camvid-train", 2), ("camvid-test", 1)])
def test_streets_have_masks_of_their_size_and_ids_up_to_void(made, part, count):
    streets = open_segmented(made / part, classes=11, void=11)
    assert len(streets) == count
    for number in range(count):
        pixels, mask = streets.read(number)  # which tests ids and sizes
        assert pixels.shape == (180, 240, 3)
        assert {0, 3, 4} <= set(np.unique(mask).tolist())


def test_every_class_of_streets_is_there_among_some():
    seen = set()
    for number in range(20):
        seen |= set(
            np.unique(mini_photos.street(mini_photos.random(0, "camvid-train", number), (180, 240))[1]).tolist()
        )
    assert seen == set(range(12))


def test_a_mask_at_half_the_size_has_the_class_of_most_of_each_pixel():
    ids = np.array([[3, 3, 0, 8], [3, 1, 8, 8]], np.uint8)
    assert halved(ids).tolist() == [[3, 8]]


def test_the_bundled_tables_find_all_that_they_want(made):
    for name in ("larsson17-3", "zhang16-linear"):
        plan = make_plan(load_table(name), "mini", {"photos": [str(made)]})
        assert plan.runs


def test_made_again_it_has_the_same_bytes(made, tmp_path):
    mini_photos.write_tars(tmp_path, "small", mini_photos.small(0, 3), 18)
    mini_photos.write_streets(tmp_path / "camvid-test", "camvid-test", 0, 1)
    for file in ("small/small-00.tar", "camvid-test/street-000.jpg", "camvid-test/street-000.png"):
        assert (tmp_path / file).read_bytes() == (made / file).read_bytes()


def test_another_seed_makes_other_pictures():
    first, other = (next(mini_photos.small(seed, 1))[0][1] for seed in (0, 1))
    assert first != other


def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    refused = subprocess.run([sys.executable, COMMAND, tmp_path], capture_output=True, text=True)
    assert refused.returncode == 2
    assert f"{tmp_path} is not empty" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]
