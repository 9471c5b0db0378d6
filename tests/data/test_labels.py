"""Labels on their way from folders, shards and studies to the batch."""

import re

import numpy as np
import pytest
import torch

from tintype.data import DataError, batches, center_crops, open_photos
from tintype.data.labels import labels_by_key, labels_of, own_labels, sort_classes, study_labels
from tintype.data.studies import noise, random_buckets, subset
from tintype.data.study_file import Study, read_study, write_study

# Python 3.12 and later warn of forking where there are threads; torch's workers only ever use one.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

RUN = {"batch_size": 8, "crop": 16, "seed": 3, "steps": 6}


@pytest.fixture
def colours(encode):
    """Photographs of one colour each, which shows what class they are of."""
    from PIL import Image

    def make(red, green=0):
        return encode(Image.new("RGB", (20, 20), (40 * red, 40 * green, 0)), "PNG")

    return {f"class{red}/{green}.png": make(red, green) for red in range(4) for green in range(5)}


@pytest.fixture
def folder(tmp_path, write_folder, colours):
    return write_folder(tmp_path / "photos", colours)


def test_a_label_is_the_first_folder_or_the_cls_beside_the_photograph(tmp_path, write_folder, write_tar):
    write_folder(tmp_path / "a", {"dog/1.jpg": b"", "cat/more/2.jpg": b"", "3.jpg": b""})
    assert [photo.label for photo in open_photos([tmp_path / "a"])] == [None, "cat", "dog"]
    (tmp_path / "list.txt").write_text(f"a/dog/1.jpg\n{tmp_path}/a/dog/1.jpg\n../{tmp_path.name}/a/dog/1.jpg")
    assert [photo.label for photo in open_photos([tmp_path / "list.txt"])] == ["a", "dog", tmp_path.name]
    tar = write_tar(tmp_path / "a.tar", {"dog/1.cls": b"7\n", "dog/1.jpg": b"", "dog/2.jpg": b"", "3.jpg": b""})
    assert [photo.label for photo in open_photos([tar])] == ["7", "dog", None]


def test_a_cls_counts_before_and_after_its_photograph(tmp_path, write_tar):
    tar = write_tar(tmp_path / "a.tar", {"1.cls": b"a", "1.jpg": b"", "2.jpg": b"", "2.cls": b" b "})
    assert [photo.label for photo in open_photos([tar])] == ["a", "b"]


def test_classes_are_numbered_by_name_or_by_value(tmp_path, write_tar):
    names = write_tar(tmp_path / "a.tar", {"1.jpg": b"", "1.cls": b"b", "2.jpg": b"", "2.cls": b"a10"})
    assert sort_classes(labels_of(open_photos([names]))) == ("a10", "b")
    values = write_tar(tmp_path / "b.tar", {"1.jpg": b"", "1.cls": b"10", "2.jpg": b"", "2.cls": b"9"})
    assert sort_classes(labels_of(open_photos([values]))) == ("9", "10")


def test_a_photograph_without_a_label_and_a_single_class_are_refused(tmp_path, write_folder):
    with pytest.raises(DataError, match=rf"^{tmp_path}/a/1.jpg has no label: "):
        own_labels(open_photos([write_folder(tmp_path / "a", {"1.jpg": b"", "dog/2.jpg": b""})]), 0.5)
    with pytest.raises(DataError, match=r"^labels need two classes at least, here all are dog$"):
        own_labels(open_photos([write_folder(tmp_path / "b", {"dog/1.jpg": b"", "dog/2.jpg": b""})]), 0.5)


def _check(batch):
    assert len(batch) == len(batch.pixels) == len(batch.classes)
    np.testing.assert_array_equal(batch.pixels[:, 0].float().mean(dim=(1, 2)), 40 * batch.classes)


@pytest.mark.parametrize("workers", [0, 2])
def test_each_crop_of_a_batch_has_the_class_of_its_photograph(folder, workers):
    labels = own_labels(open_photos([folder]), 0.3)
    train, val = labels.train, labels.held_out
    assert [len(train), len(val)] == [len(part) for part in open_photos([folder]).split(0.3)]
    for batch in batches(train, **RUN, workers=workers).labelled():
        assert batch.pixels.shape == (8, 3, 16, 16)
        _check(batch)
        _check(batch[2:5].to(torch.device("cpu")))
    seen = list(center_crops(val, batch_size=4, crop=16).labelled())
    assert sum(map(len, seen)) == len(val)
    for batch in seen:
        _check(batch)


def test_labels_follow_the_photographs_that_replace_damaged_ones(folder):
    for name in ("class1/2.png", "class3/0.png"):
        (folder / name).write_bytes(b"damaged")
    photos = open_photos([folder])
    photos = photos.labelled(np.array([int(photo.label[-1]) for photo in photos]))
    loader = batches(photos, **RUN)
    for batch in loader.labelled():
        _check(batch)
    assert len(loader.damaged.reasons) == 2
    (batch,) = center_crops(photos, batch_size=20, crop=16).labelled()
    assert len(batch) == 18
    _check(batch)


def _named(photos, names):
    return {photo.key: names[number] for photo, number in zip(photos, photos.classes, strict=True)}


def test_a_study_takes_its_photographs_and_its_labels(tmp_path, folder):
    study = Study(("by hand",), ["class3/1", "class0/2.png", "class3/0"], ["good", "bad", "good"])
    write_study(tmp_path / "s.tsv", study)
    labels = study_labels(open_photos([folder]), tmp_path / "s.tsv")
    assert labels.names == ("bad", "good")
    assert _named(labels.train, labels.names) == {"class0/2": "bad", "class3/0": "good", "class3/1": "good"}
    assert len(labels.held_out) == 0


def test_a_study_says_what_is_held_out_and_by_which_label_it_is_measured(tmp_path, folder):
    images = ["class0/1", "class2/3", "class1/1", "class0/2"]
    study = Study((), images, ["class1", "", "class2", ""], ["class0", "class2", "class1", "class3"])
    write_study(tmp_path / "s.tsv", study)
    assert read_study(tmp_path / "s.tsv") == study
    labels = study_labels(open_photos([folder]), tmp_path / "s.tsv")
    assert labels.names == ("class0", "class1", "class2", "class3")
    assert _named(labels.train, labels.names) == {"class0/1": "class1", "class1/1": "class2"}
    assert _named(labels.held_out, labels.names) == {"class0/2": "class3", "class2/3": "class2"}
    assert labels.fingerprint.startswith("2 (")


def test_a_study_trains_on_exactly_as_many_as_it_names_and_holds_out_what_recipes_do(tmp_path, write_folder):
    folder = write_folder(tmp_path / "many", {f"{n % 3}/{n:03}.jpg": b"" for n in range(300)})
    photos = open_photos([folder])
    write_study(tmp_path / "s.tsv", subset(labels_by_key(photos, None, 0.2), 0, per_class=50))
    labels = study_labels(photos, tmp_path / "s.tsv")
    assert np.bincount(labels.train.classes).tolist() == [50, 50, 50]
    assert [photo.key for photo in labels.held_out] == [photo.key for photo in photos.split(0.2)[1]]


def test_every_source_with_a_weight_needs_photographs_in_a_study(tmp_path, folder, write_folder):
    other = write_folder(tmp_path / "other", {"dog/1.jpg": b"", "cat/2.jpg": b""})
    write_study(tmp_path / "s.tsv", Study((), ["class0/1", "class1/1"], ["x", "y"]))
    with pytest.raises(DataError, match=rf"^{tmp_path}/s.tsv: names no photograph of {other} to train on, which has a"):
        study_labels(open_photos([folder, other], [1, 1]), tmp_path / "s.tsv")


def test_a_study_of_a_folder_holds_for_its_shards(tmp_path, folder, colours, write_tar):
    shards = write_tar(tmp_path / "a.tar", colours)
    write_study(tmp_path / "f.tsv", noise(labels_by_key(open_photos([folder])), 0, 0.25))
    write_study(tmp_path / "s.tsv", noise(labels_by_key(open_photos([shards])), 0, 0.25))
    assert (tmp_path / "f.tsv").read_bytes() == (tmp_path / "s.tsv").read_bytes()
    one, other = (study_labels(open_photos([source]), tmp_path / "f.tsv") for source in (folder, shards))
    assert one.fingerprint == other.fingerprint
    for a, b in zip(
        batches(one.train, **RUN).labelled(), batches(other.train, **RUN, workers=1).labelled(), strict=True
    ):
        assert torch.equal(a.pixels, b.pixels)
        assert torch.equal(a.classes, b.classes)


def test_a_study_can_start_from_another(tmp_path, folder):
    photos = open_photos([folder])
    write_study(tmp_path / "few.tsv", subset(labels_by_key(photos), 0, per_class=2))
    few = labels_by_key(photos, tmp_path / "few.tsv")
    assert (len(few.train), few.held_out) == (8, {})
    write_study(tmp_path / "wrong.tsv", noise(few, 0, 0.5))
    with pytest.raises(DataError, match=r"wrong.tsv: has wrong labels already"):
        labels_by_key(photos, tmp_path / "wrong.tsv")


def test_what_a_study_holds_out_stays_held_out_in_studies_of_it(tmp_path, folder):
    photos = open_photos([folder])
    known = labels_by_key(photos, None, 0.3)
    assert len(known.train) + len(known.held_out) == len(photos)
    write_study(tmp_path / "r.tsv", random_buckets(known, 0, 2))
    for share in (0, 0.3):
        again = labels_by_key(photos, tmp_path / "r.tsv", share)
        assert (set(again.train), set(again.held_out)) == (set(known.train), set(known.held_out))
        assert {*again.train.values(), *again.held_out.values()} == {"random-0", "random-1"}
    with pytest.raises(DataError, match=r"^a share of 0.001 of 20 photographs holds out none: raise it$"):
        labels_by_key(photos, None, 0.001)
    with pytest.raises(DataError, match=r"^a share of 0.9999 of 20 photographs leaves none to train on: lower it$"):
        labels_by_key(photos, None, 0.9999)


def test_a_study_comes_back_as_it_was_written(tmp_path):
    for study in (
        Study(("one", "two"), ["a b", "ü/#c"], ["x", "y"]),
        Study((), ["#a", "b"], ["x", "y"], ["y", "y"]),
        Study(("bytes",), ["a\udcff"], ["x"]),
    ):
        write_study(tmp_path / "s.tsv", study)
        assert read_study(tmp_path / "s.tsv") == study
    assert [path.name for path in tmp_path.iterdir()] == ["s.tsv"]


def test_a_study_that_cannot_be_used_is_told_in_one_line(tmp_path, folder):
    photos, path = open_photos([folder]), tmp_path / "s.tsv"
    for text, message in (
        ("", "is no file of labels: a line image<tab>label comes first, then one for each image"),
        ("class0/1\tx\n", "is no file of labels: a line image<tab>label comes first, then one for each image"),
        ("# only\n# this", "is no file of labels: a line image<tab>label comes first, then one for each image"),
        ("image\tlabel\n", "names no image to train on"),
        ("image\tlabel\ttrue\nclass0/1\t\tx\n", "names no image to train on"),
        ("image\tlabel\ttrue\nclass0/1\tx\t\n", "line 2 is not IMAGE<TAB>LABEL<TAB>TRUE"),
        ("image\tlabel\nclass0/1\t\n", "line 2 is not IMAGE<TAB>LABEL"),
        ("# a\nimage\tlabel\nclass0/1\n", "line 3 is not IMAGE<TAB>LABEL"),
        ("image\tlabel\nclass0/1\tx\nclass9/1\ty\nq\tx", "class9/1 is not among the photographs, nor are 1 others"),
        ("image\tlabel\nclass0/1\tx\nclass0/2\ty\nclass0/1.png\ty", "class0/1.png is there twice"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=f"^{re.escape(f'{path}: {message}')}$"):
            study_labels(photos, path)
    with pytest.raises(DataError, match=r"no.tsv: cannot be read \(No such file or directory\)$"):
        study_labels(photos, tmp_path / "no.tsv")
    path.write_text("image\tlabel\nclass0/1\tx\nclass0/2\ty\n")
    with pytest.raises(DataError, match="some have the same name"):
        study_labels(open_photos([folder, folder]), path)


def test_names_that_a_study_cannot_hold_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"^'a\\tb' has a tab or line break in it"):
        write_study(tmp_path / "s.tsv", Study((), ["a\tb"], ["x"]))
    for study in (Study((), ["a", "b"], ["x", ""]), Study((), ["a", ""], ["", "x"], ["x", "y"])):
        with pytest.raises(DataError, match=r"^a study's file cannot hold an empty name$"):
            write_study(tmp_path / "s.tsv", study)
    assert not list(tmp_path.iterdir())
