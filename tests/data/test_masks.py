"""Photographs with masks: finding the pairs, reading them, and writing masks of one's own."""

import io
import os
import pickle

import numpy as np
import pytest
from PIL import Image

from tintype.data import DataError
from tintype.data.masks import Pair, Part, Segmented, open_segmented
from tintype.data.palette import voc_colours, write_mask


@pytest.fixture
def mask(encode):
    """(seed, height, width) to a PNG of class ids 0..3, in levels of grey."""

    def make(seed, height=40, width=56):
        ids = np.random.default_rng(seed).integers(0, 4, (height, width), dtype=np.uint8)
        return encode(Image.fromarray(ids), "PNG")

    return make


@pytest.fixture
def pairs(picture, encode, mask):
    """(first, last) to {NAME.jpg: bytes, NAME.png: bytes}."""
    return lambda first, last: {
        f"{n}{suffix}": data
        for n in range(first, last)
        for suffix, data in ((".jpg", encode(picture(n))), (".png", mask(n)))
    }


def _ids(seed):
    return np.random.default_rng(seed).integers(0, 4, (40, 56), dtype=np.uint8)


def _check(found, seeds):
    assert len(found) == len(seeds)
    for number, seed in enumerate(seeds):
        pixels, mask = found.read(number)
        assert (pixels.shape, pixels.dtype) == ((40, 56, 3), np.uint8)
        np.testing.assert_array_equal(mask, _ids(seed))


def test_masks_lie_beside_their_photographs_in_folders_and_tars(tmp_path, write_folder, write_tar, pairs):
    folder = write_folder(tmp_path / "f", {f"x/{name}": data for name, data in pairs(0, 3).items()})
    _check(open_segmented(folder, classes=4, void=255), [0, 1, 2])
    tar = write_tar(tmp_path / "a.tar", pairs(0, 2))
    _check(open_segmented(tar, classes=4, void=255), [0, 1])
    (tmp_path / "tars").mkdir()
    write_tar(tmp_path / "tars" / "b.tar.gz", pairs(2, 4), "w:gz")
    write_tar(tmp_path / "tars" / "a.tar", pairs(0, 2))
    _check(open_segmented(tmp_path / "tars", classes=4, void=255), [0, 1, 2, 3])


def test_linked_folders_of_masks_are_followed_and_circles_are_not(tmp_path, write_folder, pairs):
    write_folder(tmp_path / "elsewhere", pairs(0, 2))
    folder = write_folder(tmp_path / "f", pairs(2, 3))
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "up").symlink_to(folder)
    _check(open_segmented(folder, classes=4, void=255), [2, 0, 1])


def test_masks_lie_in_a_folder_of_their_own(tmp_path, write_folder, picture, encode, mask):
    write_folder(tmp_path / "images", {f"a/{n}.png": encode(picture(n), "PNG") for n in range(3)})
    write_folder(tmp_path / "masks", {f"a/{n}.png": mask(n) for n in range(3)} | {"readme.txt": b""})
    found = open_segmented(tmp_path / "images", tmp_path / "masks", classes=4, void=255)
    assert [pair.name for pair in found.pairs] == ["a/0", "a/1", "a/2"]
    _check(found, [0, 1, 2])
    np.testing.assert_array_equal(found.read(1)[0], np.asarray(picture(1)))


def test_a_worker_process_can_be_handed_the_pairs(tmp_path, write_tar, pairs):
    found = open_segmented(write_tar(tmp_path / "a.tar", pairs(0, 2)), classes=4, void=255)
    _check(pickle.loads(pickle.dumps(found)), [0, 1])


def test_a_photograph_without_its_mask_and_a_mask_without_its_photograph_are_named(tmp_path, write_folder, pairs):
    files = pairs(0, 6)
    for name in ("1.png", "2.png", "4.png", "5.png"):
        del files[name]
    folder = write_folder(tmp_path / "a", files)
    with pytest.raises(
        DataError, match=rf"^{folder} is incomplete: 4 of 6 files are missing: 1.png, 2.png, 4.png, ...$"
    ):
        open_segmented(folder, classes=4, void=255)
    files = pairs(0, 3)
    del files["1.jpg"]
    folder = write_folder(tmp_path / "b", files)
    message = f"{folder} is incomplete: 1 of 3 files are missing: the photograph of {folder / '1.png'}"
    with pytest.raises(DataError, match=f"^{message}$"):
        open_segmented(folder, classes=4, void=255)


def test_places_that_hold_nothing_are_told_in_one_line(tmp_path, write_folder, write_tar, pairs):
    def refused(*places, message):
        with pytest.raises(DataError) as caught:
            open_segmented(*places, classes=4, void=255)
        assert str(caught.value) == message

    empty = tmp_path / "empty"
    empty.mkdir()
    photographs = write_folder(tmp_path / "a", {"1.jpg": b""})
    refused(tmp_path / "no", message=f"{tmp_path}/no does not exist")
    refused(empty, message=f"no photographs found in {empty}")
    refused(photographs, message=f"no masks (.png) found in {photographs}")
    refused(photographs, empty, message=f"no masks (.png) found in {empty}")
    refused(photographs / "1.jpg", message=f"{photographs}/1.jpg is not a folder or tar")
    refused(tmp_path / "no.tar", message=f"cannot read {tmp_path}/no.tar: No such file or directory")
    (tmp_path / "two").mkdir()
    tars = [write_tar(tmp_path / "two" / f"{name}.tar", pairs(0, 1)) for name in "ab"]
    refused(tmp_path / "two", message=f"{tars[1]}:0.jpg and {tars[0]}:0.jpg have the same name")


def test_masks_that_are_none_are_told_in_one_line(tmp_path, write_folder, picture, encode, mask):
    photograph = encode(picture(0))

    def refused(data, message):
        folder = write_folder(tmp_path, {"0.jpg": photograph, "0.png": data})
        with pytest.raises(DataError) as caught:
            open_segmented(folder, classes=3, void=255).read(0)
        assert str(caught.value) == f"{folder / '0.png'}{message}"

    colours = ": no mask, for its pixels are not class ids of 8 bits but colours or the like"
    refused(encode(picture(0), "PNG"), colours)
    refused(encode(Image.fromarray(np.zeros((40, 56), np.uint16)), "PNG"), colours)
    refused(mask(0), " has the class id 3, which is none of 0..2 nor void (255)")
    refused(encode(Image.new("L", (40, 56)), "PNG"), " has 40 by 56 pixels, but its photograph 56 by 40")
    refused(photograph, ": no PNG")
    refused(mask(0)[:300], ": image file is truncated")


def test_a_damaged_photograph_is_named(tmp_path, write_folder, mask):
    folder = write_folder(tmp_path, {"0.jpg": b"no", "0.png": mask(0)})
    with pytest.raises(DataError, match=rf"^{folder}/0.jpg: no picture of a known format$"):
        open_segmented(folder, classes=4, void=255).read(0)
    os.remove(folder / "0.jpg")
    gone = Segmented([Pair("0", Part.of(folder / "0.jpg"), Part.of(folder / "0.png"))], 4, 255)
    with pytest.raises(DataError, match=rf"^cannot read {folder}/0.jpg: No such file or directory$"):
        gone.read(0)


def test_a_mask_is_read_as_it_was_written_and_shows_vocs_colours(tmp_path, write_folder, picture, encode):
    ids = np.arange(256, dtype=np.uint8).reshape(8, 32)
    write_folder(tmp_path, {"0.jpg": encode(picture(0, 8, 32))})
    write_mask(tmp_path / "0.png", ids)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.jpg", "0.png"]
    np.testing.assert_array_equal(open_segmented(tmp_path, classes=256, void=255).read(0)[1], ids)
    with Image.open(tmp_path / "0.png") as image:
        assert image.mode == "P"
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), voc_colours()[ids])


@pytest.mark.parametrize("classes", [2, 3, 16, 21])
def test_few_classes_are_written_as_whole_bytes_of_palette_numbers(tmp_path, classes):
    """As in VOC's own files; PNG could pack few colours into less than a byte."""
    ids = np.random.default_rng(0).integers(0, classes, (7, 9), dtype=np.uint8)
    write_mask(tmp_path / "0.png", ids)
    data = (tmp_path / "0.png").read_bytes()
    assert (data[24], data[25]) == (8, 3)  # bits, and a palette
    with Image.open(io.BytesIO(data)) as image:
        np.testing.assert_array_equal(np.asarray(image), ids)


def test_colours_are_those_of_the_devkit():
    """As published lists have them: background, aeroplane, bicycle, cat, person, tvmonitor, void."""
    colours = voc_colours()
    assert colours.shape == (256, 3)
    listed = {0: (0, 0, 0), 1: (128, 0, 0), 2: (0, 128, 0), 8: (64, 0, 0), 15: (192, 128, 128), 20: (0, 64, 128)}
    assert {n: tuple(colours[n].tolist()) for n in listed} == listed
    assert tuple(colours[255].tolist()) == (224, 224, 192)
    assert len(np.unique(colours, axis=0)) == 256


def test_camvid_is_read():
    photos = os.environ.get("TINTYPE_PHOTOS")
    if not photos:
        pytest.skip("TINTYPE_PHOTOS is not set: no photographs with masks at hand")
    sizes = []
    for split in ("train", "val", "test"):
        found = open_segmented(os.path.join(photos, f"camvid-{split}"), classes=11, void=11)
        sizes.append(len(found))
        counts = np.zeros(12, np.int64)
        for number in range(0, len(found), 10):
            pixels, mask = found.read(number)
            assert pixels.shape == (*mask.shape, 3)
            counts += np.bincount(mask.ravel(), minlength=12)
        assert counts.argmax() in (1, 3)  # buildings and road cover most
        assert (counts > 0).all()
    assert sizes == [367, 101, 233]
