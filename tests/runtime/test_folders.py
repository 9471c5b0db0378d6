"""Which photographs paths mean, and where the colour versions go."""

import os
from pathlib import Path

import pytest

from tintype.runtime.folders import Item, find, plan


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"")


def pairs(*paths: str, out: str | None = None, overwrite: bool = False) -> dict[str, str | None]:
    """What becomes of each photograph: its target, 'skipped', or None for an error."""
    found = find(paths, out)
    items = [*found.problems, *plan(found, out, overwrite=overwrite)]
    return {item.source: None if item.error else "skipped" if item.skipped else item.target for item in items}


def errors(*paths: str, out: str | None = None, overwrite: bool = False) -> list[str]:
    found = find(paths, out)
    return [item.error for item in [*found.problems, *plan(found, out, overwrite=overwrite)] if item.error]


# where the output goes


def test_output_lies_beside_the_photograph_with_its_suffix_kept() -> None:
    make("old.jpg", "b/OLD.TIF", "with.dots.png")
    assert pairs("old.jpg", "b/OLD.TIF", "with.dots.png") == {
        "old.jpg": "old.color.jpg",
        "b/OLD.TIF": "b/OLD.color.TIF",
        "with.dots.png": "with.dots.color.png",
    }


def test_a_format_that_is_only_read_becomes_png() -> None:
    make("old.gif")
    assert pairs("old.gif") == {"old.gif": "old.color.png"}
    assert pairs("old.gif", out="new") == {"old.gif": "new/old.png"}


def test_one_photograph_goes_to_the_file_that_output_names() -> None:
    make("old.jpg")
    assert pairs("old.jpg", out="sub/new.png") == {"old.jpg": "sub/new.png"}
    assert pairs("ol?.jpg", out="new.png") == {"old.jpg": "new.png"}


def test_a_folder_that_is_there_is_a_folder_whatever_its_suffix() -> None:
    make("old.jpg")
    Path("new.png").mkdir()
    assert pairs("old.jpg", out="new.png") == {"old.jpg": "new.png/old.jpg"}


@pytest.mark.parametrize("paths", [["a.jpg", "b.jpg"], ["a.jpg", "missing.jpg"], ["*.jpg"], ["."]])
def test_many_photographs_cannot_go_to_one_file(paths: list[str]) -> None:
    make("a.jpg", "b.jpg")
    with pytest.raises(ValueError, match=r"new\.png is one picture"):
        find(paths, "new.png")


def test_structure_under_a_folder_is_kept_under_the_output_folder() -> None:
    make("album/a.jpg", "album/1950/b.jpg", "album/1950/may/c.png")
    assert pairs("album", out="out") == {
        "album/a.jpg": "out/a.jpg",
        "album/1950/b.jpg": "out/1950/b.jpg",
        "album/1950/may/c.png": "out/1950/may/c.png",
    }


def test_structure_under_a_pattern_is_counted_from_its_first_wildcard() -> None:
    make("album/1950/b.jpg", "album/1960/b.jpg")
    expected = {"album/1950/b.jpg": "out/1950/b.jpg", "album/1960/b.jpg": "out/1960/b.jpg"}
    assert pairs("album/*/b.jpg", out="out") == expected


def test_named_files_go_straight_into_the_output_folder() -> None:
    make("album/1950/b.jpg")
    assert pairs("album/1950/b.jpg", out="out") == {"album/1950/b.jpg": "out/b.jpg"}
    absolute = os.path.abspath("album/1950/b.jpg")
    assert pairs(absolute, out="out") == {absolute: "out/b.jpg"}


# what is taken


def test_a_folder_means_the_pictures_at_any_depth_without_hidden_ones() -> None:
    make("a/x.jpg", "a/b/c/y.TIFF", "a/notes.txt", "a/.hidden.jpg", "a/.trash/z.jpg", "a/._x.jpg", "a/film.gif")
    assert list(pairs("a")) == ["a/x.jpg", "a/b/c/y.TIFF"]


def test_a_folder_does_not_give_back_its_own_outputs() -> None:
    make("a/x.jpg", "a/x.color.jpg", "a/alone.color.jpg", "a/y.png", "a/y.color.jpg")
    assert list(pairs("a")) == ["a/alone.color.jpg", "a/x.jpg", "a/y.color.jpg", "a/y.png"]


def test_outputs_among_named_files_are_left_out_so_that_a_second_run_of_the_shell_pattern_does_nothing() -> None:
    make("x.jpg", "x.color.jpg")
    assert pairs("x.color.jpg", "x.jpg") == {"x.jpg": "skipped"}
    assert pairs("x.color.jpg") == {"x.color.jpg": "x.color.color.jpg"}


def test_the_output_folder_inside_the_input_folder_is_not_searched() -> None:
    make("a/x.jpg", "a/out/x.jpg", "a/out/deep/y.jpg")
    assert pairs("a", out="a/out") == {"a/x.jpg": "skipped"}
    assert pairs("a/**/*.jpg", out="a/out") == {"a/x.jpg": "skipped"}


@pytest.mark.parametrize("path", ["a", "a/*.jpg", "a/x.jpg", "b/../a"])
def test_output_into_the_input_folder_is_refused(path: str) -> None:
    make("a/x.jpg", "b/y.jpg")
    with pytest.raises(ValueError, match="is a folder to colorize"):
        find([path], "a")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.jpg", ["a.jpg", "b.jpg"]),
        ("[ab].*", ["a.jpg", "b.jpg"]),
        ("?/*.jpg", ["d/c.jpg"]),
        ("**/*.jpg", ["a.jpg", "b.jpg", "d/c.jpg", "d/e/f/g.jpg"]),
        ("**/e/**/*.jpg", ["d/e/f/g.jpg"]),
        ("d/**", ["d/c.jpg", "d/e/f/g.jpg"]),
        ("*", ["a.jpg", "b.jpg", "d/c.jpg", "d/e/f/g.jpg"]),
        ("d/*", ["d/c.jpg", "d/e/f/g.jpg"]),
        ("./d/*.jpg", ["d/c.jpg"]),
    ],
)
def test_patterns_match_as_in_a_shell_with_globstar(pattern: str, expected: list[str]) -> None:
    make("a.jpg", "b.jpg", "notes.txt", ".h.jpg", "d/c.jpg", "d/e/f/g.jpg")
    assert list(pairs(pattern)) == expected


def test_a_pattern_does_not_read_folders_that_it_cannot_match(monkeypatch: pytest.MonkeyPatch) -> None:
    make("a.jpg", "deep/er/b.jpg")
    read: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: read.append(path) or scandir(path))
    pairs("*.jpg")
    assert read == ["."]


def test_a_name_that_looks_like_a_pattern_is_a_name_where_the_file_is_there() -> None:
    make("scan[1].jpg", "scan1.jpg")
    assert list(pairs("scan[1].jpg")) == ["scan[1].jpg"]


def test_a_pattern_from_the_home_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make("pictures/a.jpg")
    monkeypatch.setenv("HOME", str(here))
    assert list(pairs("~/pictures/*.jpg")) == [str(here / "pictures/a.jpg")]


def test_names_with_spaces_and_letters_of_any_script() -> None:
    make("Ünser Älbum/Großmutter 1923.jpg", "Ünser Älbum/祖母.png")
    assert pairs("Ünser Älbum", out="new") == {
        "Ünser Älbum/Großmutter 1923.jpg": "new/Großmutter 1923.jpg",
        "Ünser Älbum/祖母.png": "new/祖母.png",
    }


def test_each_photograph_is_done_once_however_often_it_is_named(here: Path) -> None:
    make("a/x.jpg", "a/b/y.jpg")
    assert list(pairs("a/x.jpg", "./a/x.jpg", str(here / "a/x.jpg"), "a", "a/b", "a/**/*.jpg", "a/b/../x.jpg")) == [
        "a/x.jpg",
        "a/b/y.jpg",
    ]


def test_links_are_followed_and_circles_end() -> None:
    make("a/x.jpg", "elsewhere/y.jpg")
    os.symlink("..", "a/up")
    os.symlink(".", "a/here")
    os.symlink("here", "a/here2")
    os.symlink("../elsewhere", "a/link")
    os.symlink("../elsewhere/y.jpg", "a/z.jpg")
    os.symlink("self.jpg", "a/self.jpg")
    found = find(["a"])
    assert sorted(path for path, _ in found.files.values()) == ["a/link/y.jpg", "a/x.jpg", "a/z.jpg"]
    assert [problem.source for problem in found.problems] == ["a/self.jpg"]


def test_files_that_are_no_files_are_not_opened() -> None:
    os.mkfifo("pipe.jpg")
    os.makedirs("a")
    os.mkfifo("a/pipe.jpg")
    assert errors("pipe.jpg") == ["pipe.jpg: not a file or folder that can be read"]
    assert find(["a"]).empty == ["a"]


def test_paths_that_are_not_there_do_not_stop_the_others() -> None:
    make("a.jpg")
    os.symlink("nowhere.jpg", "dead.jpg")
    assert errors("b.jpg", "a.jpg", "no*.jpg", "dead.jpg") == [
        "b.jpg: no such file or folder",
        "no*.jpg: no photograph matches this pattern",
        "dead.jpg: not a file or folder that can be read",
    ]
    assert pairs("b.jpg", "a.jpg")["a.jpg"] == "a.color.jpg"


def test_a_folder_that_cannot_be_read_is_a_problem_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    make("a/x.jpg", "a/locked/y.jpg")
    scandir = os.scandir

    def guarded(path: str) -> object:
        if path == "a/locked":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert errors("a") == ["a/locked: Permission denied"]
    assert pairs("a")["a/x.jpg"] == "a/x.color.jpg"


def test_folders_without_photographs_are_named() -> None:
    make("empty/notes.txt", "full/a.jpg")
    assert find(["empty", "full"]).empty == ["empty"]


# what is never replaced


def test_an_output_that_is_there_is_skipped_unless_it_is_to_be_overwritten() -> None:
    make("a.jpg", "a.color.jpg", "out/a.jpg")
    assert pairs("a.jpg") == {"a.jpg": "skipped"}
    assert pairs("a.jpg", overwrite=True) == {"a.jpg": "a.color.jpg"}
    assert pairs("a.jpg", out="out") == {"a.jpg": "skipped"}
    assert pairs("a.jpg", out="out", overwrite=True) == {"a.jpg": "out/a.jpg"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_no_output_replaces_a_photograph_of_the_run(overwrite: bool) -> None:
    make("a.jpg", "in/x.jpg", "in/in/x.jpg")
    os.link("a.jpg", "twin.jpg")
    os.symlink(".", "loop")
    assert errors("a.jpg", out="a.jpg", overwrite=overwrite) == [
        "a.jpg: its output would replace it; give another file name"
    ]
    assert len(errors("a.jpg", out="loop/a.jpg", overwrite=overwrite)) == 1
    assert errors("in", out=".", overwrite=overwrite) == [
        "in/in/x.jpg: its output would replace in/x.jpg, which is to be colorized too"
    ]
    if overwrite:
        assert errors("a.jpg", out="twin.jpg", overwrite=True) == [
            "a.jpg: its output would replace it: twin.jpg is the same file"
        ]


def test_a_colour_version_that_was_named_is_not_overwritten() -> None:
    make("a.jpg", "a.color.jpg")
    (line,) = errors("a.jpg", "a.color.jpg", overwrite=True)
    assert line.startswith("a.jpg: its output a.color.jpg was named too")


def test_two_photographs_do_not_share_an_output() -> None:
    make("1950/a.jpg", "1960/a.jpg", "1960/b.jpg")
    expected = {"1950/a.jpg": "out/a.jpg", "1960/a.jpg": None, "1960/b.jpg": "out/b.jpg"}
    assert pairs("1950/a.jpg", "1960", out="out") == expected
    assert errors("1950", "1960", out="out") == [
        "1960/a.jpg: out/a.jpg is the output of 1950/a.jpg already; colorize them into different folders"
    ]
    make("out/a.jpg")  # also on the second run, when the output of the first is there
    assert pairs("1950", "1960", out="out") == {"1950/a.jpg": "skipped", "1960/a.jpg": None, "1960/b.jpg": "out/b.jpg"}


def test_two_formats_of_one_name_do_not_share_an_output() -> None:
    make("a.gif", "a.png")
    assert pairs("a.gif", "a.png") == {"a.gif": "a.color.png", "a.png": None}


def test_a_folder_in_the_place_of_the_output_is_an_error() -> None:
    make("a.jpg")
    Path("a.color.jpg").mkdir()
    assert errors("a.jpg") == ["a.jpg: its output would be a.color.jpg, which is a folder"]


def test_items_say_nothing_else() -> None:
    make("a.jpg")
    assert list(plan(find(["a.jpg"]))) == [Item("a.jpg", "a.color.jpg")]
