import sys

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from tintype.data import DataError
from tintype.transfer.detect import proposals
from tintype.transfer.detect.edges import overlaps
from tintype.transfer.detect.matlab import read_matlab
from tintype.transfer.detect.proposals import given, read_proposals, searched
from tintype.transfer.detect.selective_search import Search, selective_search, tidy

SEARCH = Search(at_most=50, min_side=8, longest=0)
NAMES = ("one", "two", "three")


@pytest.fixture
def photographs(tmp_path):
    pytest.importorskip("cv2.ximgproc")
    paths = []
    for number, name in enumerate(NAMES):
        pixels = np.full((60, 80, 3), 90, np.uint8)
        pixels[10:40, 15 + number : 50] = (220, 40, 60)
        paths.append(tmp_path / f"{name}.png")
        Image.fromarray(pixels).save(paths[-1])
    return paths


@pytest.fixture
def counted(monkeypatch):
    """How many pictures have been searched."""
    searches = []

    def search(rgb, search):
        searches.append(rgb.shape)
        return selective_search(rgb, search)

    monkeypatch.setattr(proposals, "selective_search", search)
    return searches


def test_boxes_are_found_around_what_stands_out_in_pixels_of_the_picture(photographs):
    rgb = np.asarray(Image.open(photographs[0]))
    for longest in (0, 40):
        edges = selective_search(rgb, SEARCH._replace(longest=longest))
        assert overlaps(edges, np.array([[15, 10, 50, 40]])).max() > (0.9 if longest == 0 else 0.7)
        assert edges.dtype == np.float32
        assert (edges[:, :2] >= 0).all()
        assert (edges[:, 2:] <= [80, 60]).all()


def test_the_same_picture_has_the_same_boxes_in_the_same_order():
    pytest.importorskip("cv2.ximgproc")
    rgb = np.random.default_rng(0).integers(0, 255, (6, 8, 3)).repeat(10, 0).repeat(10, 1).astype(np.uint8)
    one, other = (selective_search(rgb, Search(at_most=20, longest=0)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert len(one) == 20


def test_small_and_repeated_boxes_are_dropped_and_the_first_ones_kept():
    edges = np.array([[0, 0, 9, 20], [5, 5, 30, 30], [0, 0, 16, 16], [5, 5, 30, 30], [1, 1, 40, 17], [2, 2, 50, 50]])
    kept = tidy(edges.astype(np.float32), Search(at_most=3, min_side=16))
    np.testing.assert_array_equal(kept, edges[[1, 2, 4]])


def test_what_was_found_once_is_read(photographs, counted, tmp_path):
    first = searched(NAMES, photographs, tmp_path / "kept", SEARCH)
    assert len(counted) == 3
    assert searched(NAMES, photographs, tmp_path / "kept", SEARCH) == first
    assert len(counted) == 3
    rgb = np.asarray(Image.open(photographs[1]))
    np.testing.assert_array_equal(read_proposals(first[1]), selective_search(rgb, SEARCH))
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == sorted(path.name for path in first)


def test_what_another_run_finds_meanwhile_is_not_searched_again(photographs, counted, monkeypatch, tmp_path):
    """Two runs that begin at once both find nothing there."""
    ours, search = counted, proposals.selective_search

    def other_run(rgb, settings):  # which is through with all pictures while ours is at its first
        if not ours:
            monkeypatch.setattr(proposals, "selective_search", selective_search)
            searched(NAMES, photographs, tmp_path / "kept", SEARCH)
        return search(rgb, settings)

    monkeypatch.setattr(proposals, "selective_search", other_run)
    kept = searched(NAMES, photographs, tmp_path / "kept", SEARCH)
    assert len(ours) == 1
    assert all(len(read_proposals(path)) for path in kept)


def test_another_photograph_or_other_settings_are_searched_anew(photographs, counted, tmp_path):
    first = searched(NAMES, photographs, tmp_path / "kept", SEARCH)
    Image.open(photographs[2]).rotate(180).save(photographs[1])
    second = searched(NAMES, photographs, tmp_path / "kept", SEARCH)
    assert (len(counted), [a == b for a, b in zip(first, second, strict=True)]) == (4, [True, False, True])
    searched(NAMES, photographs, tmp_path / "kept", SEARCH._replace(min_side=9))
    assert len(counted) == 7


@pytest.mark.parametrize("damage", [b"", b"\x93NUMPY", "short", "long", "words"])
def test_a_damaged_file_is_made_again(photographs, counted, tmp_path, damage):
    path = searched(NAMES, photographs, tmp_path / "kept", SEARCH)[1]
    whole = path.read_bytes()
    if damage == "words":
        np.save(path, np.array(["no", "boxes"]))
    else:
        cut = {"short": whole[:-1], "long": whole + b"0"}
        path.write_bytes(damage if isinstance(damage, bytes) else cut[damage])
    with pytest.raises(DataError, match="is damaged"):
        read_proposals(path)
    searched(NAMES, photographs, tmp_path / "kept", SEARCH)
    assert len(counted) == 4
    assert path.read_bytes() == whole


def test_a_search_that_was_stopped_goes_on_with_what_is_left(photographs, counted, monkeypatch, tmp_path):
    def stopped(rgb, search):
        if len(counted) == 2:
            raise KeyboardInterrupt
        return counting(rgb, search)

    counting = proposals.selective_search
    monkeypatch.setattr(proposals, "selective_search", stopped)
    with pytest.raises(KeyboardInterrupt):
        searched(NAMES, photographs, tmp_path / "kept", SEARCH)
    assert len(list((tmp_path / "kept").iterdir())) == 2
    monkeypatch.setattr(proposals, "selective_search", counting)
    searched(NAMES, photographs, tmp_path / "kept", SEARCH)
    assert len(counted) == 3


def test_processes_and_shares_find_the_same(photographs, tmp_path):
    alone = [read_proposals(path) for path in searched(NAMES, photographs, tmp_path / "alone", SEARCH)]
    for share in ((0, 2), (1, 2)):
        together = searched(NAMES, photographs, tmp_path / "together", SEARCH, jobs=2, share=share)
        assert [path.exists() for path in together] == ([True, False, True] if share == (0, 2) else [True] * 3)
    for one, path in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, read_proposals(path))


def test_without_opencv_it_says_what_to_install(photographs, monkeypatch, tmp_path):
    kept = searched(NAMES[:1], photographs[:1], tmp_path, SEARCH)
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert searched(NAMES[:1], photographs[:1], tmp_path, SEARCH) == kept  # nothing to search
    with pytest.raises(DataError, match=r"^selective search needs OpenCV.*pip install opencv-contrib-python-headless"):
        searched(NAMES, photographs, tmp_path, SEARCH)


def test_a_damaged_photograph_is_named(photographs, tmp_path):
    photographs[1].write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"two\.png cannot be read: no picture"):
        searched(NAMES, photographs, tmp_path / "kept", SEARCH)


def _matlab(path, names, boxes):
    cells = np.empty((1, len(names)), object)
    listed = np.empty((len(names), 1), object)
    for number, (name, each) in enumerate(zip(names, boxes, strict=True)):
        cells[0, number], listed[number, 0] = each, name
    savemat(path, {"boxes": cells, "images": listed})


def test_boxes_that_come_with_fast_rcnn_are_top_left_bottom_right_from_one(tmp_path):
    path = tmp_path / "voc_2007_test.mat"
    boxes = [np.array([[1, 11, 20, 50], [5, 6, 7, 8], [1, 11, 20, 50]], float), np.array([[2.0, 3, 4, 5]])]
    _matlab(path, ["000002", "000001"], boxes)
    assert set(read_matlab(path)) == {"000001", "000002"}
    kept = given(["000001", "000002"], path, tmp_path / "kept")
    np.testing.assert_array_equal(read_proposals(kept[0]), [[2, 1, 5, 4]])
    np.testing.assert_array_equal(read_proposals(kept[1]), [[10, 0, 50, 20], [5, 4, 8, 7]])  # once, however small
    with pytest.raises(DataError, match=r"1 of 2 files are missing: boxes of 000003"):
        given(["000001", "000003"], path, tmp_path / "kept")


def test_a_file_without_such_lists_is_refused(tmp_path):
    path = tmp_path / "voc_2007_test.mat"
    path.write_bytes(b"MATLAB 5.0, or not")
    with pytest.raises(DataError, match="does not hold lists"):
        read_matlab(path)
    savemat(path, {"boxes": np.zeros((3, 4))})
    with pytest.raises(DataError, match="does not hold lists"):
        read_matlab(path)
    with pytest.raises(DataError, match="cannot read"):
        read_matlab(tmp_path / "none.mat")
