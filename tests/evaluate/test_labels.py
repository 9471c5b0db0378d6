import json
import os
from pathlib import Path

import pytest
from torchvision.models import VGG16_Weights

from tintype.evaluate.labels import class_index, class_names, read_labels

FOLDER = Path("photos")


def _labels_of(tmp_path, text, names=("a.jpg",), suffix="csv"):
    file = tmp_path / f"labels.{suffix}"
    file.write_text(text)
    found = read_labels([FOLDER / name for name in names], FOLDER, file)
    return {path.relative_to(FOLDER).as_posix(): index for path, index in found.items()}


def _refused(call, *args):
    with pytest.raises(ValueError, match=r".") as refused:
        call(*args)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_classes_have_the_names_and_order_that_torchvision_gives_them():
    """Short names differ in places (`crane bird`), but not in order."""
    theirs = VGG16_Weights.DEFAULT.meta["categories"]
    same = [ours.lower() == name.lower() for ours, name in zip(class_names(), theirs, strict=True)]
    assert sum(same) > 900
    for index, name in enumerate(theirs):
        if same[index]:
            assert class_index(name) == index


def test_no_two_classes_have_the_same_short_name_and_each_is_read_back():
    names = class_names()
    assert len(set(names)) == len(names) == 1000
    assert [class_index(name) for name in names] == list(range(1000))


@pytest.mark.parametrize(
    ("label", "index"),
    [
        ("1", 1),
        ("0", 0),
        ("999", 999),
        ("1000", None),
        ("-1", None),
        ("1.0", None),
        ("n01443537", 1),
        ("n01443537_goldfish", 1),
        ("n00000000", None),
        ("goldfish", 1),
        (" Goldfish ", 1),
        ("Carassius auratus", 1),
        ("great_white_shark", 2),
        ("partridge", 86),  # ruffed grouse (82) is also called so, but not usually
        ("sofa of doom", None),
        ("", None),
    ],
)
def test_a_label_is_an_index_a_synset_or_a_name(label, index):
    assert class_index(label) == index


@pytest.mark.parametrize(
    ("name", "synsets"), [("crane", ("n02012849", "n03126707")), ("maillot", ("n03710637", "n03710721"))]
)
def test_a_name_of_several_classes_asks_for_the_synset_id(name, synsets):
    told = _refused(class_index, name)
    assert all(synset in told for synset in synsets)
    assert class_index(synsets[0]) != class_index(synsets[1])


@pytest.mark.parametrize("header", ["", "name,label\n", "file,class\n"])
def test_a_csv_is_read_with_and_without_a_header(tmp_path, header):
    text = f'{header}a.jpg,goldfish\n\nb.jpg,n01440764\nsub/c.jpg,7\n"d, e.jpg",crane (n02012849)\n'
    expected = {"a.jpg": 1, "b.jpg": 0, "sub/c.jpg": 7, "d, e.jpg": 134}
    assert _labels_of(tmp_path, text, expected) == expected


def test_a_csv_from_a_spreadsheet_with_a_byte_order_mark_is_read(tmp_path):
    assert _labels_of(tmp_path, "\ufeffa.jpg,3\r\n") == {"a.jpg": 3}


def test_a_json_object_is_read(tmp_path):
    text = json.dumps({"a.jpg": 5, "sub/b.jpg": "n01443537_goldfish"})
    assert _labels_of(tmp_path, text, ["a.jpg", "sub/b.jpg"], "json") == {"a.jpg": 5, "sub/b.jpg": 1}


def test_a_bare_name_is_found_in_its_folder_and_other_photographs_stay_unlabelled(tmp_path):
    assert _labels_of(tmp_path, "b.jpg,1\nabsent.jpg,2\n", ["a.jpg", "sub/b.jpg"]) == {"sub/b.jpg": 1}


def test_a_bare_name_of_two_photographs_is_refused_and_a_relative_one_is_not(tmp_path):
    names = ["x/a.jpg", "y/a.jpg"]
    assert "a.jpg" in _refused(_labels_of, tmp_path, "a.jpg,1\n", names)
    assert _labels_of(tmp_path, "x/a.jpg,1\ny/a.jpg,2\n", names) == {"x/a.jpg": 1, "y/a.jpg": 2}


def test_a_photograph_at_the_top_is_meant_by_its_name_even_if_another_below_has_it_too(tmp_path):
    assert _labels_of(tmp_path, "a.jpg,1\n", ["a.jpg", "y/a.jpg"]) == {"a.jpg": 1}


def test_unknown_labels_are_refused_with_the_first_and_their_number(tmp_path):
    told = _refused(_labels_of, tmp_path, "a.jpg,1\nb.jpg,goldfsh\nc.jpg,1234\nd.jpg,x\n")
    assert "labels.csv" in told
    assert "b.jpg" in told
    assert "goldfsh" in told
    assert "2 more" in told


@pytest.mark.parametrize(
    ("suffix", "text", "word"),
    [
        ("csv", "a.jpg,1\na.jpg,2\n", "two labels"),
        ("json", '{"a.jpg": 1, "a.jpg": 2}', "two labels"),
        ("csv", "a.jpg,1\nsome/a.jpg,2\nphotos\n", "name,label"),
        ("csv", "a.jpg,crane\n", "n02012849"),
        ("csv", "b.jpg,1\n", "none of the photographs"),
        ("json", "{", "cannot be read"),
        ("json", "[1, 2]", "object"),
        ("json", '{"a.jpg": true}', "neither"),
        ("json", '{"a.jpg": 1.5}', "neither"),
        ("json", '{"a.jpg": {"label": 1}}', "neither"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_in_one_line(tmp_path, suffix, text, word):
    told = _refused(_labels_of, tmp_path, text, ["a.jpg"], suffix)
    assert f"labels.{suffix}" in told
    assert word in told


def test_a_file_that_is_not_there_or_no_text_is_refused_in_one_line(tmp_path):
    assert "absent.csv" in _refused(read_labels, [Path("a.jpg")], FOLDER, tmp_path / "absent.csv")
    binary = tmp_path / "labels.csv"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    assert "labels.csv" in _refused(read_labels, [Path("a.jpg")], FOLDER, binary)


def test_without_a_file_the_folder_that_holds_a_photograph_names_its_class():
    names = ["n01440764/a.jpg", "val/n01443537_goldfish/b.jpg", "my old cat/c.jpg", "Great White Shark/d.jpg"]
    found = read_labels(
        [FOLDER / name for name in [*names, "2005/e.jpg", "7/e.jpg", "holidays/e.jpg", "f.jpg"]], FOLDER
    )
    assert found == {FOLDER / names[0]: 0, FOLDER / names[1]: 1, FOLDER / names[3]: 2}


def test_a_folder_whose_name_several_classes_have_is_no_label():
    paths = [FOLDER / "crane" / "a.jpg", FOLDER / "goldfish" / "b.jpg"]
    assert read_labels(paths, FOLDER) == {paths[1]: 1}


def test_of_the_folder_itself_only_a_synset_is_a_label():
    for name, expected in (("desk", {}), ("n01443537", {Path("n01443537/a.jpg"): 1})):
        assert read_labels([Path(name) / "a.jpg"], Path(name)) == expected


def test_the_labels_of_the_evaluation_photographs_are_read_whole():
    photos = os.environ.get("TINTYPE_PHOTOS")
    if not photos:
        pytest.skip("TINTYPE_PHOTOS is not set: no evaluation photographs at hand")
    folder, file = Path(photos) / "eval", Path(photos) / "eval-labels.json"
    labels = read_labels(sorted(folder.glob("*.jpg")), folder, file)
    assert len(labels) == len(json.loads(file.read_text())) == 259
