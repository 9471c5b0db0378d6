"""VOC devkits, made small by the test or real, whole or half unpacked."""

import os

import numpy as np
import pytest
from PIL import Image

from tintype.data import DataError
from tintype.data.boxes import read_annotation
from tintype.data.voc import CLASSES, IGNORED, VOID, Devkit, is_devkit

NAMES = [f"{n:06}" for n in range(1, 7)]
# Of each image: class, difficult, truncated, box as in the file, where pixels count from 1.
OBJECTS = {
    "000001": [("dog", 0, 1, (1, 1, 20, 20)), ("person", 1, 0, (5, 6, 7, 8))],
    "000002": [("dog", 1, 0, (3, 3, 4, 4)), ("dog", 0, 0, (1, 2, 30, 40))],
    "000003": [("cat", 1, 0, (10, 10, 20, 20))],
    "000004": [],
    "000005": [("tvmonitor", 0, 0, (45.5, 1, 56, 40))],
    "000006": [("aeroplane", 0, 0, (1, 1, 56, 40))],
}


def _xml(objects):
    """As the devkit writes them, with parts that have boxes and names of their own."""
    part = "<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>"
    body = "".join(
        f"<object>\n\t<name>{name}</name><truncated>{truncated}</truncated>\n<difficult>{difficult}</difficult>"
        f"{part}<bndbox><xmax>{box[2]}</xmax><xmin>{box[0]}</xmin>"
        f"<ymin>{box[1]}</ymin><ymax>{box[3]}</ymax></bndbox></object>"
        for name, difficult, truncated, box in objects
    )
    return f"<annotation><source><name>x</name></source>{body}</annotation>".encode()


def _label(objects, name):
    difficult = [hard for kind, hard, *_ in objects if kind == name]
    return -1 if not difficult else 0 if all(difficult) else 1


@pytest.fixture
def files(picture, encode):
    """A devkit's files of 2007 by path, lists train (the first four) and test."""
    made = {f"JPEGImages/{name}.jpg": encode(picture(n)) for n, name in enumerate(NAMES)}
    made |= {f"Annotations/{name}.xml": _xml(OBJECTS[name]) for name in NAMES}
    for split, names in (("train", NAMES[:4]), ("test", NAMES[4:])):
        made[f"ImageSets/Main/{split}.txt"] = "".join(f"{name}\n" for name in names).encode()
        for kind in CLASSES:
            lines = "".join(f"{name} {_label(OBJECTS[name], kind):2d}\n" for name in names)
            made[f"ImageSets/Main/{kind}_{split}.txt"] = lines.encode()
    return made


@pytest.fixture
def devkit(tmp_path, write_folder, files):
    return write_folder(tmp_path / "VOCdevkit" / "VOC2007", files)


def _refused(action, message):
    with pytest.raises(DataError) as caught:
        action()
    assert str(caught.value) == message


def test_a_devkit_is_found_by_its_year_from_any_folder_above(tmp_path, devkit):
    for folder in (devkit, devkit.parent, tmp_path, str(tmp_path)):
        assert Devkit(folder, 2007).root == devkit
    expected = "expected VOCdevkit/VOC2012 with folders ImageSets, JPEGImages and Annotations or SegmentationClass"
    for folder in (tmp_path, devkit, tmp_path / "no"):
        _refused(lambda folder=folder: Devkit(folder, 2012), f"{folder} has no VOC devkit of 2012 in it: {expected}")
    other = devkit.rename(tmp_path / "mine")
    assert Devkit(other, 2007).root == other


def test_labels_are_present_absent_or_ignored_where_only_difficult_objects_are_seen(devkit):
    names, photographs, labels = Devkit(devkit, 2007).classification("train")
    assert names == NAMES[:4]
    assert photographs == [devkit / "JPEGImages" / f"{name}.jpg" for name in names]
    assert (labels.shape, labels.dtype) == ((4, 20), np.uint8)
    seen = {
        name: {CLASSES[c]: int(row[c]) for c in np.flatnonzero(row)} for name, row in zip(names, labels, strict=True)
    }
    assert seen == {
        "000001": {"dog": 1, "person": IGNORED},
        "000002": {"dog": 1},
        "000003": {"cat": IGNORED},
        "000004": {},
    }
    assert Devkit(devkit, 2007).classification("test").names == NAMES[4:]


def test_boxes_count_pixels_from_zero_and_parts_are_no_objects(devkit):
    _, photographs, boxes = Devkit(devkit, 2007).detection("train")
    assert photographs[2] == devkit / "JPEGImages" / "000003.jpg"
    assert boxes[0].corners.tolist() == [[0, 0, 19, 19], [4, 5, 6, 7]]
    assert [CLASSES[c] for c in boxes[0].classes] == ["dog", "person"]
    assert boxes[0].difficult.tolist() == [False, True]
    assert boxes[0].truncated.tolist() == [True, False]
    assert [len(each.classes) for each in boxes] == [2, 2, 1, 0]
    assert boxes[3].corners.shape == (0, 4)
    assert Devkit(devkit, 2007).detection("test").boxes[0].corners.tolist() == [[44.5, 0, 55, 39]]


def test_torchvision_reads_the_same_annotations(devkit):
    datasets = pytest.importorskip("torchvision.datasets")
    theirs = datasets.VOCDetection(devkit.parent.parent, "2007", "train")
    for number, boxes in enumerate(Devkit(devkit, 2007).detection("train").boxes):
        objects = theirs[number][1]["annotation"]["object"]
        corners = [[float(each["bndbox"][tag]) - 1 for tag in ("xmin", "ymin", "xmax", "ymax")] for each in objects]
        assert boxes.corners.tolist() == corners
        assert [CLASSES[c] for c in boxes.classes] == [each["name"] for each in objects]
        assert boxes.difficult.tolist() == [each["difficult"] == "1" for each in objects]


def test_without_lists_for_the_classes_labels_follow_from_the_annotations(devkit):
    kit = Devkit(devkit, 2007)
    listed = kit.classification("train")
    for kind in CLASSES:
        (devkit / "ImageSets" / "Main" / f"{kind}_train.txt").unlink()
    derived = kit.classification("train")
    assert derived[:2] == listed[:2]
    np.testing.assert_array_equal(derived.labels, listed.labels)
    assert {IGNORED, 0, 1} == set(derived.labels.ravel().tolist())
    (devkit / "Annotations" / "000002.xml").unlink()
    _refused(
        lambda: kit.classification("train"),
        f"{devkit} is incomplete: 1 of 8 files are missing: Annotations/000002.xml",
    )


def test_without_annotations_either_the_lists_are_what_is_missing(devkit):
    for kind in CLASSES:
        (devkit / "ImageSets" / "Main" / f"{kind}_train.txt").unlink()
    (devkit / "Annotations").rename(devkit / "elsewhere")
    some = ", ".join(f"ImageSets/Main/{kind}_train.txt" for kind in CLASSES[:3])
    _refused(
        lambda: Devkit(devkit, 2007).classification("train"),
        f"{devkit} is incomplete: 20 of 24 files are missing: {some}, ...",
    )


def test_a_half_unpacked_devkit_is_named_with_what_is_missing(devkit):
    for name in NAMES[1:]:
        (devkit / "JPEGImages" / f"{name}.jpg").unlink()
    (devkit / "Annotations" / "000004.xml").unlink()
    (devkit / "ImageSets" / "Main" / "dog_train.txt").unlink()
    start, some = f"{devkit} is incomplete:", "JPEGImages/000002.jpg, JPEGImages/000003.jpg, JPEGImages/000004.jpg"
    kit = Devkit(devkit, 2007)
    _refused(lambda: kit.classification("train"), f"{start} 4 of 24 files are missing: {some}, ...")
    _refused(lambda: kit.detection("train"), f"{start} 4 of 8 files are missing: {some}, ...")
    (devkit / "JPEGImages").rename(devkit / "elsewhere")
    files = "JPEGImages/000005.jpg, JPEGImages/000006.jpg"
    _refused(lambda: kit.detection("test"), f"{start} 2 of 4 files are missing: {files}")


def test_a_list_that_is_not_there_is_named_with_those_that_are(devkit):
    kit = Devkit(devkit, 2007)
    _refused(
        lambda: kit.detection("trainval"), f"{devkit} has no ImageSets/Main/trainval.txt; its lists are test, train"
    )
    _refused(
        lambda: kit.segmentation("train"),
        f"{devkit} has no ImageSets/Segmentation/train.txt; nor any other list there",
    )
    (devkit / "ImageSets" / "Main" / "train.txt").write_text("\n")
    _refused(lambda: kit.detection("train"), f"{devkit}/ImageSets/Main/train.txt is empty")


def test_damaged_lists_and_annotations_are_named(devkit):
    kit, path = Devkit(devkit, 2007), devkit / "ImageSets" / "Main" / "cow_train.txt"
    for text, message in (
        ("000001  1\n000002 yes\n", "expected an image and 1, 0 or -1 on each line, got '000002 yes'"),
        ("000001\n", "expected an image and 1, 0 or -1 on each line, got '000001'"),
    ):
        path.write_text(text)
        _refused(lambda message=message: kit.classification("train"), f"{path}: {message}")
    path.write_text("000001  1\n000003 -1\n")
    _refused(lambda: kit.classification("train"), f"{path} has no line for 2 of its images, 000002 first")
    path = devkit / "Annotations" / "000001.xml"
    for objects, message in (
        ([("dog", 0, 0, (9, 1, 5, 5))], " is damaged: a box from (9, 1) to (5, 5)"),
        ([("dog", 0, 0, ("", 1, 5, 5))], " is damaged: an object without a box of four numbers"),
        ([("dog", 0, 0, ("nan", 1, 5, 5))], " is damaged: a box from (nan, 1) to (5, 5)"),
        (
            [("unicorn", 0, 0, (1, 1, 5, 5))],
            f" has an object of the class 'unicorn', which is none of {', '.join(CLASSES)}",
        ),
    ):
        path.write_bytes(_xml(objects))
        _refused(lambda: kit.detection("train"), f"{path}{message}")
    path.write_bytes(b"<annotation><object>")
    with pytest.raises(DataError, match=rf"^{path} is damaged: .*line 1"):
        kit.detection("train")
    with pytest.raises(DataError, match=rf"^cannot read {devkit}/no.xml: No such file or directory$"):
        read_annotation(devkit / "no.xml", CLASSES)


def _mask(seed):
    ids = np.random.default_rng(seed).integers(0, 21, (40, 56), dtype=np.uint8)
    ids[0] = VOID
    return ids


def _palette(ids, encode):
    image = Image.fromarray(ids)
    image.putpalette([v for n in range(256) for v in (255 - n, n, 7)])  # which colours there are must not matter
    return encode(image, "PNG")


def _matlab(ids):
    """As SBD's cls/NAME.mat: a structure GTcls with fields Boundaries, Segmentation, CategoriesPresent."""
    import io

    io_matlab = pytest.importorskip("scipy.io")
    fields = {"Boundaries": np.zeros((20, 1)), "Segmentation": ids, "CategoriesPresent": np.ones(1)}
    file = io.BytesIO()
    io_matlab.savemat(file, {"GTcls": fields})
    return file.getvalue()


@pytest.fixture
def segmentation(tmp_path, write_folder, picture, encode):
    """VOC2012 with lists train (a, b) and val (c), and photographs a to f; masks of a to c."""
    made = {f"JPEGImages/{name}.jpg": encode(picture(n)) for n, name in enumerate("abcdef")}
    made |= {f"SegmentationClass/{name}.png": _palette(_mask(n), encode) for n, name in enumerate("abc")}
    made |= {"ImageSets/Segmentation/train.txt": b"a\nb\n", "ImageSets/Segmentation/val.txt": b"c\n"}
    return write_folder(tmp_path / "VOCdevkit" / "VOC2012", made)


def _check(found, names):
    assert [pair.name for pair in found.pairs] == list(names)
    assert (found.classes, found.void) == (21, 255)
    for number, name in enumerate(names):
        pixels, mask = found.read(number)
        assert pixels.shape == (40, 56, 3)
        np.testing.assert_array_equal(mask, _mask("abcdef".index(name)))


def test_masks_are_the_numbers_of_the_palette(segmentation):
    kit = Devkit(segmentation, 2012)
    _check(kit.segmentation("train"), "ab")
    _check(kit.segmentation("val"), "c")


def test_torchvision_reads_the_same_masks(segmentation):
    datasets = pytest.importorskip("torchvision.datasets")
    theirs = datasets.VOCSegmentation(segmentation.parent.parent, "2012", "train")
    found = Devkit(segmentation, 2012).segmentation("train")
    for number in range(2):
        for mine, other in zip(found.read(number)[1:], theirs[number][1:], strict=True):
            np.testing.assert_array_equal(mine, np.asarray(other))


def test_the_augmented_list_takes_vocs_own_masks_first_and_then_the_others(segmentation, write_folder, encode):
    wrong = _palette(np.zeros((40, 56), np.uint8), encode)
    more = {f"SegmentationClassAug/{n}.png": _palette(_mask("abcdef".index(n)), encode) for n in "de"}
    more |= {"SegmentationClassAug/a.png": wrong, "ImageSets/Segmentation/trainaug.txt": b"a\nb\nd\ne\n"}
    write_folder(segmentation, more)
    _check(Devkit(segmentation, 2012).segmentation("trainaug"), "abde")
    (segmentation / "SegmentationClassAug" / "e.png").unlink()
    _refused(
        lambda: Devkit(segmentation, 2012).segmentation("trainaug"),
        f"{segmentation} is incomplete: 1 of 4 files are missing: SegmentationClass/e.png",
    )


@pytest.mark.parametrize("place", ["VOCdevkit/SBD", "benchmark_RELEASE/dataset"])
def test_sbds_own_files_make_the_augmented_list_where_there_is_none(tmp_path, segmentation, write_folder, place):
    sbd = {f"cls/{n}.mat": _matlab(_mask("abcdef".index(n))) for n in "acdef"}
    write_folder(tmp_path / place, sbd | {"train.txt": b"a\nd\n", "val.txt": b"c\nf\n"})
    _check(Devkit(segmentation, 2012).segmentation("trainaug"), "abdf")
    write_folder(segmentation, {"ImageSets/Segmentation/trainaug.txt": b"d\nb\n"})
    _check(Devkit(segmentation, 2012).segmentation("trainaug"), "db")
    write_folder(tmp_path / place, {"cls/d.mat": b"no"})
    damaged = Devkit(segmentation, 2012).segmentation("trainaug")
    _refused(lambda: damaged.read(0), f"{tmp_path / place}/cls/d.mat: no mask of the Semantic Boundaries Dataset")


def test_the_augmented_list_without_sbd_is_refused(segmentation):
    _refused(
        lambda: Devkit(segmentation, 2012).segmentation("trainaug"),
        f"{segmentation} has no ImageSets/Segmentation/trainaug.txt; its lists are train, val",
    )


def test_masks_that_are_not_there_are_named(segmentation):
    (segmentation / "SegmentationClass").rename(segmentation / "elsewhere")
    _refused(
        lambda: Devkit(segmentation, 2012).segmentation("train"),
        f"{segmentation} is incomplete: 2 of 2 files are missing: SegmentationClass/a.png, SegmentationClass/b.png",
    )


def test_a_real_devkit_has_labels_that_follow_from_its_boxes():
    photos = os.environ.get("TINTYPE_PHOTOS")
    if not photos:
        pytest.skip("TINTYPE_PHOTOS is not set: no photographs with boxes at hand")
    kit = Devkit(os.path.join(photos, "indoor-voc"), 2007)
    total = 0
    for split in ("trainval", "test"):
        names, _, labels = kit.classification(split)
        detected = kit.detection(split)
        assert detected.names == names
        total += len(names)
        for row, boxes in zip(labels, detected.boxes, strict=True):
            expected = np.zeros(20, np.uint8)
            expected[boxes.classes] = IGNORED
            expected[boxes.classes[~boxes.difficult]] = 1
            assert row.tolist() == expected.tolist()
            assert boxes.corners.min(initial=0) >= 0
    assert total == 73


@pytest.mark.parametrize(
    ("folders", "path", "expected"),
    [
        (["VOCdevkit/VOC2007/ImageSets"], ".", True),
        (["VOCdevkit/VOC2007/ImageSets"], "VOCdevkit", True),
        (["VOCdevkit/VOC2007/ImageSets"], "VOCdevkit/VOC2007", True),
        (["half/VOC2012/JPEGImages"], "half/VOC2012", True),  # what it lacks is to be named
        (["renamed/JPEGImages", "renamed/Annotations"], "renamed", True),
        (["cats/JPEGImages"], "cats", False),
        (["cats", "dogs"], ".", False),
        ([], "nowhere", False),
    ],
)
def test_a_devkit_is_known_also_half_unpacked(tmp_path, folders, path, expected):
    for folder in folders:
        (tmp_path / folder).mkdir(parents=True)
    assert is_devkit(str(tmp_path / path)) == expected
