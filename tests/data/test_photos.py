import re
import tracemalloc

import numpy as np
import pytest

from tintype.data import DataError, open_photos
from tintype.data.shards import Files


def _keys(photos):
    return [photo.key for photo in photos]


def test_a_folder_is_searched_with_all_below_it(tmp_path, write_folder):
    names = ["b.jpg", "a.PNG", "x/y/c.jpeg", "x/d.webp", "notes.txt", ".hidden.jpg", ".cache/e.jpg", "x/f.JPG.bak"]
    photos = open_photos([write_folder(tmp_path, {name: name.encode() for name in names})])
    assert _keys(photos) == ["a", "b", "x/d", "x/y/c"]
    assert [photo.read() for photo in photos] == [b"a.PNG", b"b.jpg", b"x/d.webp", b"x/y/c.jpeg"]
    assert photos[2].path == str(tmp_path / "x" / "d.webp")


def test_linked_folders_are_followed_and_circles_are_not(tmp_path, write_folder):
    write_folder(tmp_path, {"elsewhere/a.jpg": b"", "data/b.jpg": b""})
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "up").symlink_to(tmp_path / "data")
    assert _keys(open_photos([tmp_path / "data"])) == ["b", "linked/a"]


def test_a_list_names_files_relative_to_itself(tmp_path, write_folder):
    write_folder(tmp_path, {"lists/a.txt": b"../in/1.jpg\n\n  ../in/2.jpg \n", "in/1.jpg": b"one", "in/2.jpg": b"two"})
    photos = open_photos([tmp_path / "lists" / "a.txt"])
    assert [photo.read() for photo in photos] == [b"one", b"two"]


def test_a_key_is_relative_and_has_no_dots_in_its_last_part_wherever_the_photograph_lies(
    tmp_path, write_folder, write_tar
):
    write_folder(tmp_path / "f", {"v1.0/a.b.jpg": b"", "v1.0/c.jpg": b""})
    (tmp_path / "f" / "list.txt").write_text(f"./v1.0/a.b.jpg\n../f/v1.0/c.jpg\n{tmp_path}/f/v1.0/c.jpg\n..")
    assert _keys(open_photos([tmp_path / "f"])) == ["v1.0/a_b", "v1.0/c"]
    below = str(tmp_path).strip("/")
    assert _keys(open_photos([tmp_path / "f" / "list.txt"])) == ["v1.0/a_b", "f/v1.0/c", f"{below}/f/v1.0/c", ""]
    tar = write_tar(tmp_path / "a.tar", {"./v1.0/a_b.jpg": b"", "./v1.0/a_b.cls": b"7", "v1.0/c.jpg": b""})
    photos = open_photos([tar])
    assert _keys(photos) == ["v1.0/a_b", "v1.0/c"]
    assert [photo.label for photo in photos] == ["7", "v1.0"]


def test_a_list_may_name_files_absolutely(tmp_path, write_folder):
    write_folder(tmp_path, {"in/1.jpg": b"one"})
    (tmp_path / "a.txt").write_text(str(tmp_path / "in" / "1.jpg"))
    assert open_photos([tmp_path / "a.txt"])[0].read() == b"one"


@pytest.mark.parametrize(("name", "mode"), [("a.tar", "w"), ("a.tar.gz", "w:gz"), ("a.tgz", "w:gz")])
def test_a_tar_holds_samples_by_key(tmp_path, write_tar, name, mode):
    members = {"s/1.jpg": b"one", "s/1.cls": b"7", "s/1.json": b"{}", "s/2.seg.png": b"mask", "s/2.jpeg": b"two"}
    photos = open_photos([write_tar(tmp_path / name, members, mode)])
    assert _keys(photos) == ["s/1", "s/2"]
    assert [photo.read() for photo in photos] == [b"one", b"two"]
    assert photos[0].path == f"{tmp_path / name}:s/1.jpg"


def test_a_mask_beside_a_photograph_is_no_photograph(tmp_path, write_folder, write_tar):
    files = {"1.png": b"mask", "1.jpg": b"one", "2.png": b"two"}
    for source in (write_folder(tmp_path / "f", files), write_tar(tmp_path / "a.tar", files)):
        assert [photo.read() for photo in open_photos([source])] == [b"one", b"two"]


def test_a_folder_of_tars_is_one_source(tmp_path, write_tar, jpegs):
    (tmp_path / "more").mkdir()
    write_tar(tmp_path / "b.tar", jpegs(0, 2))
    write_tar(tmp_path / "a.tar.gz", jpegs(2, 5), "w:gz")
    write_tar(tmp_path / "more" / "c.tar", jpegs(5, 6))
    photos = open_photos([tmp_path])
    assert _keys(photos) == ["0002", "0003", "0004", "0000", "0001", "0005"]
    assert photos.sizes == [6]


def test_a_pattern_is_one_source(tmp_path, write_tar, jpegs):
    for shard in (8, 9, 10):
        write_tar(tmp_path / f"t-{shard:03}.tar", jpegs(shard, shard + 1))
    photos = open_photos([str(tmp_path / "t-{008..010}.tar")])
    assert (photos.sizes, _keys(photos)) == ([3], ["0008", "0009", "0010"])
    with pytest.raises(DataError, match=rf"^{tmp_path}/t-011\.tar does not exist$"):
        open_photos([str(tmp_path / "t-{008..011}.tar")])


def test_photographs_are_numbered_through_all_sources(tmp_path, write_tar, jpegs):
    paths = [write_tar(tmp_path / f"{i}.tar", jpegs(10 * i, 10 * i + i + 1)) for i in range(3)]
    photos = open_photos(paths)
    assert (len(photos), photos.sizes) == (6, [1, 2, 3])
    assert _keys(photos) == ["0000", "0010", "0011", "0020", "0021", "0022"]
    assert photos[-1].key == "0022"
    assert _keys(photos[1:3]) == ["0010", "0011"]
    with pytest.raises(IndexError):
        photos[6]


def test_the_held_out_part_is_a_matter_of_keys_alone(tmp_path, write_folder, write_tar):
    files = {f"{number}.jpg": b"" for number in range(400)}
    folder = write_folder(tmp_path / "f", files)
    train, val = open_photos([folder]).split(0.25)
    assert set(_keys(train)) | set(_keys(val)) == {str(number) for number in range(400)}
    assert not set(_keys(train)) & set(_keys(val))
    assert 70 < len(val) < 130

    shuffled = dict(sorted(files.items(), key=lambda item: hash(item[0])))
    fewer = dict(list(shuffled.items())[:300])
    _, again = open_photos([write_tar(tmp_path / "a.tar", fewer)]).split(0.25)
    assert set(_keys(again)) == set(_keys(val)) & {name.removesuffix(".jpg") for name in fewer}

    _, larger = open_photos([folder]).split(0.5)
    assert set(_keys(val)) < set(_keys(larger))


def test_the_held_out_part_never_changes_from_version_to_version(tmp_path, write_folder):
    # BLAKE2b of the key, personalised "val", below a quarter of its range; or runs that go on would train on what they
    # held out.
    _, val = open_photos([write_folder(tmp_path, {f"{number}.jpg": b"" for number in range(20)})]).split(0.25)
    assert _keys(val) == ["0", "1", "10", "13", "16", "17", "19", "3", "5"]


def test_the_parts_know_their_sources(tmp_path, write_folder):
    paths = [write_folder(tmp_path / name, {f"{name}{i}.jpg": b"" for i in range(60)}) for name in "ab"]
    photos = open_photos(paths, weights=[3, 1])
    train, val = photos.split(0.5)
    for part in (train, val):
        assert part.weights == (3.0, 1.0)
        assert part.sizes == [sum(key.startswith(name) for key in _keys(part)) for name in "ab"]
    nested, _ = train.split(0.7)
    assert set(_keys(nested)) < set(_keys(train))


@pytest.mark.parametrize("fraction", [0, 1, -0.1, float("nan")])
def test_a_held_out_fraction_out_of_range_is_refused(tmp_path, write_folder, fraction):
    photos = open_photos([write_folder(tmp_path, {"a.jpg": b""})])
    with pytest.raises(DataError, match=r"^val_fraction must lie between 0 and 1, got"):
        photos.split(fraction)


def test_a_part_that_would_be_empty_is_refused(tmp_path, write_folder):
    few = write_folder(tmp_path / "few", {"a.jpg": b"", "b.jpg": b""})
    many = write_folder(tmp_path / "many", {f"{i}.jpg": b"" for i in range(100)})
    with pytest.raises(DataError, match=r"^val_fraction 0\.001 of 2 photographs holds out none: raise it$"):
        open_photos([few]).split(0.001)
    with pytest.raises(
        DataError, match=rf"^val_fraction 0\.99999 leaves no photograph of {few} to train on: lower it$"
    ):
        open_photos([few, many], weights=[1, 1]).split(0.99999)


def test_what_cannot_be_opened_is_named_in_one_line(tmp_path, write_folder, write_tar):
    write_folder(tmp_path, {"no.tar": b"x" * 2000, "empty.tar": b"", "empty.tgz": b"", "bad.tgz": b"abc", "a.zip": b""})
    write_folder(tmp_path / "folder", {"notes.md": b""})
    write_tar(tmp_path / "texts.tar", {"a.txt": b""})
    for name, message in (
        ("missing", "{} does not exist"),
        ("folder", "no photographs found in {} (looked for .jpg, .jpeg, .png, .webp, .tif, .tiff, .bmp)"),
        ("texts.tar", "no photographs found in {} (looked for .jpg, .jpeg, .png, .webp, .tif, .tiff, .bmp)"),
        ("no.tar", "{} is not a tar"),
        ("empty.tar", "{} is empty, not a tar"),
        ("empty.tgz", "{} is empty, not a tar"),
        ("bad.tgz", "{} is damaged: Not a gzipped file (b'ab')"),
        ("a.zip", "{} is not a folder, a .txt list of files, or a .tar, .tar.gz or .tgz of photographs"),
    ):
        with pytest.raises(DataError, match=f"^{re.escape(message.format(tmp_path / name))}$"):
            open_photos([tmp_path / name])


def test_weights_that_do_not_match_are_refused(tmp_path, write_folder):
    folder = write_folder(tmp_path, {"a.jpg": b""})
    for weights, message in (
        ([1, 2], r"2 weights for 1 sources: give one for each"),
        ([0], r"weights must be above 0, got 0"),
        ([-1.5], r"weights must be above 0, got -1\.5"),
        ([float("nan")], r"weights must be above 0, got nan"),
        ([float("inf")], r"weights must be above 0, got inf"),
    ):
        with pytest.raises(DataError, match=f"^{message}$"):
            open_photos([folder], weights)
    with pytest.raises(DataError, match=r"^no data given"):
        open_photos([])


def test_the_index_of_a_photograph_takes_little_more_than_its_name():
    names = [f"n01440764/n01440764_{number}.JPEG" for number in range(20_000)]
    tracemalloc.start()
    files = Files("/imagenet", names)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used / len(names) < np.mean([len(name) for name in names]) + 20
    assert files.key(19_999) == "n01440764/n01440764_19999"


def test_a_wildcard_pattern_is_one_source_with_keys_below_its_fixed_part(tmp_path, write_folder, write_tar, jpegs):
    write_folder(tmp_path, {"in/a/1.jpg": b"", "in/b/1.jpg": b"", "in/b/2.png": b"", "in/b/x.txt": b""})
    assert _keys(open_photos([str(tmp_path / "in" / "**" / "*.jpg")])) == ["a/1", "b/1"]
    assert _keys(open_photos([str(tmp_path / "in" / "b" / "[0-9].*")])) == ["1", "2"]
    for number in range(2):
        write_tar(tmp_path / f"t-{number}.tar", jpegs(number, number + 1))
    assert _keys(open_photos([str(tmp_path / "t-*.tar")])) == ["0000", "0001"]
    with pytest.raises(DataError, match=r"no\*\.jpg matches nothing$"):
        open_photos([str(tmp_path / "no*.jpg")])
