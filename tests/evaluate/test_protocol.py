from pathlib import Path

import pytest

from tintype.evaluate.protocol import PRESETS, Preset, select

PATHS = [
    Path(f"set/{folder}/ILSVRC2012_val_{number:08}.JPEG")
    for number in range(1, 7)
    for folder in ["b", "a"][number % 2 :][:1]
]


def _preset(**more):
    return Preset("rule", square=True, **more)


def test_any_number_of_photographs_is_taken_as_it_is():
    assert select(PATHS, PRESETS["own-size"]) == PATHS
    assert select(PATHS, PRESETS["square256"]) == PATHS


def test_the_first_by_file_name_are_taken_whatever_folder_they_are_in():
    chosen = select(sorted(PATHS), _preset(images=4))
    assert [path.stem[-1] for path in chosen] == ["1", "2", "3", "4"]


def test_too_few_photographs_are_an_error_that_says_how_many_there_are():
    with pytest.raises(ValueError, match=r"has 5,000 photographs; there are 6"):
        select(PATHS, PRESETS["val5k"])


@pytest.mark.parametrize(("name", "images"), [("ctest10k", 10_000), ("val5k", 5_000), ("val50k", 50_000)])
def test_the_published_protocols_have_their_numbers_of_square_photographs(name, images):
    assert (PRESETS[name].images, PRESETS[name].square) == (images, True)


def test_a_list_chooses_by_name_with_or_without_suffix_and_folder(tmp_path):
    (tmp_path / "list.txt").write_text("val/ILSVRC2012_val_00000003.JPEG 17\n\nILSVRC2012_val_00000001\n")
    chosen = select(PATHS, PRESETS["own-size"], tmp_path / "list.txt")
    assert sorted(path.stem[-1] for path in chosen) == ["1", "3"]


def test_a_list_is_needed_where_the_protocol_is_one():
    with pytest.raises(ValueError, match="--list FILE"):
        select(PATHS, PRESETS["ctest10k"])


@pytest.mark.parametrize(
    ("text", "complaint"), [("nowhere.JPEG\n", r"nowhere\.JPEG is not in the folder"), ("\n", "names no photographs")]
)
def test_a_list_that_does_not_fit_is_refused_by_name(tmp_path, text, complaint):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(ValueError, match=rf"list\.txt: {complaint}"):
        select(PATHS, PRESETS["own-size"], tmp_path / "list.txt")


def test_a_name_that_two_photographs_have_is_refused(tmp_path):
    (tmp_path / "list.txt").write_text("one\n")
    with pytest.raises(ValueError, match="one is there 2 times"):
        select([Path("a/one.jpg"), Path("b/one.jpg")], PRESETS["own-size"], tmp_path / "list.txt")


def test_a_list_may_hold_spaces_dots_and_a_byte_order_mark(tmp_path):
    paths = [Path("a/my photo.jpg"), Path("a/v1.2.jpg"), Path("a/other.jpg")]
    (tmp_path / "list.txt").write_text("\ufeffmy photo.jpg\nv1.2\n", encoding="utf-8")
    assert select(paths, PRESETS["own-size"], tmp_path / "list.txt") == paths[:2]
