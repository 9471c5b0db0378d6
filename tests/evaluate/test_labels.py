import json

import pytest

from tintype.evaluate.labels import class_names, read_labels


@pytest.fixture
def paths(tmp_path):
    return [tmp_path / "photos" / name for name in ("a.jpg", "sub/b.jpg", "c.jpg")]


def _labels(paths, text, name="labels.csv"):
    file = paths[0].parents[1] / name
    file.write_text(text)
    return read_labels(paths, paths[0].parent, file)


def test_there_are_a_thousand_classes_in_the_order_of_imagenet():
    names = class_names()
    assert len(names) == 1000
    assert (names[0], names[1], names[207], names[999]) == ("tench", "goldfish", "golden retriever", "toilet tissue")


@pytest.mark.parametrize("label", ["1", "n01443537", "n01443537_goldfish", "goldfish", "Goldfish", "Carassius auratus"])
def test_a_class_is_named_by_index_synset_or_name(paths, label):
    assert _labels(paths, f"a.jpg,{label}\n") == {paths[0]: 1}


def test_a_header_is_passed_over_and_blank_lines_too(paths):
    assert _labels(paths, "photograph,label\na.jpg,1\n\nsub/b.jpg,n01440764\n") == {paths[0]: 1, paths[1]: 0}


def test_a_first_line_that_labels_is_no_header(paths):
    assert _labels(paths, "a.jpg,goldfish\nc.jpg,tench\n") == {paths[0]: 1, paths[2]: 0}


def test_photographs_are_named_by_place_or_by_file_name(paths):
    assert _labels(paths, "b.jpg,1\n") == _labels(paths, "sub/b.jpg,1\n") == {paths[1]: 1}


def test_json_has_numbers_or_names(paths):
    text = json.dumps({"a.jpg": 1, "c.jpg": "n01440764_tench"})
    assert _labels(paths, text, "labels.json") == {paths[0]: 1, paths[2]: 0}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a.jpg,unicorn\n", r"labels\.csv: a\.jpg: 'unicorn' is no class of ImageNet"),
        ("a.jpg,1000\n", "'1000' is no class"),
        ("a.jpg,n00000000\n", "'n00000000' is no class"),
        ("a.jpg,crane\n", "'crane' names 2 classes: give the synset"),
        ("nowhere.jpg,1\n", "labels none of these photographs"),
        ("a.jpg,1,2\n", "cannot be read as labels"),
        ("", "labels none of these photographs"),
    ],
)
def test_labels_that_are_none_are_told_in_one_line(paths, text, complaint):
    with pytest.raises(ValueError, match=complaint) as error:
        _labels(paths, text)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["[1]", "{", '{"a.jpg": [1]}'])
def test_json_that_labels_nothing_is_refused(paths, text):
    with pytest.raises(ValueError, match="cannot be read as labels"):
        _labels(paths, text, "labels.json")


def test_folders_that_are_synsets_or_class_names_label_what_is_in_them(tmp_path):
    paths = [tmp_path / folder / "1.jpg" for folder in ("n01443537", "golden_retriever", "holiday", "207", "crane")]
    assert read_labels(paths, tmp_path) == {paths[0]: 1, paths[1]: 207}
