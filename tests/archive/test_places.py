"""Photographs at URLs, and where their outputs go."""

from pathlib import Path
from typing import Any

import pytest

from tintype.archive.places import Places
from tintype.runtime.folders import Item


def plan(*paths: str, out: str | None = None, overwrite: bool = False) -> list[Item]:
    return list(Places(paths, out).plan(overwrite=overwrite))


def fill(memory: Any, *names: str) -> None:
    for name in names:
        memory.pipe_file(name, b"")


def test_a_folder_means_the_photographs_below_it(memory: Any) -> None:
    fill(memory, "/in/b.jpg", "/in/a.TIF", "/in/x/c.png", "/in/x/notes.txt", "/in/.hidden.jpg", "/in/.trash/d.jpg")
    assert plan("memory://in", out="memory://out") == [
        Item("memory:///in/a.TIF", "memory:///out/a.TIF"),
        Item("memory:///in/b.jpg", "memory:///out/b.jpg"),
        Item("memory:///in/x/c.png", "memory:///out/x/c.png"),
    ]


def test_without_out_outputs_go_beside_and_are_no_photographs_themselves(memory: Any) -> None:
    fill(memory, "/in/a.jpg", "/in/a.color.jpg", "/in/b.jpg", "/in/c.color.jpg")
    assert plan("memory://in") == [
        Item("memory:///in/a.jpg", "memory:///in/a.color.jpg", skipped=True),
        Item("memory:///in/b.jpg", "memory:///in/b.color.jpg"),
        Item("memory:///in/c.color.jpg", "memory:///in/c.color.color.jpg"),
    ]


def test_outputs_that_are_there_are_skipped_unless_overwritten(memory: Any) -> None:
    fill(memory, "/in/x/a.jpg", "/in/x/b.jpg", "/out/x/a.jpg")
    assert [item.skipped for item in plan("memory://in", out="memory://out")] == [True, False]
    assert [item.skipped for item in plan("memory://in", out="memory://out", overwrite=True)] == [False, False]


def test_an_output_folder_among_the_photographs_is_left_out(memory: Any) -> None:
    fill(memory, "/in/a.jpg", "/in/colour/a.jpg")
    assert plan("memory://in", out="memory://in/colour") == [
        Item("memory:///in/a.jpg", "memory:///in/colour/a.jpg", skipped=True)
    ]


@pytest.mark.parametrize("out", ["memory://in", "memory://in/", "memory://"])
def test_an_output_folder_that_is_or_holds_the_photographs_is_refused(memory: Any, out: str) -> None:
    fill(memory, "/in/in/a.jpg", "/in/a.jpg")
    with pytest.raises(ValueError, match="give another folder"):
        Places(["memory://in"], out)


def test_a_file_never_becomes_its_own_output(memory: Any) -> None:
    fill(memory, "/in/a.jpg")
    (item,) = plan("memory://in/a.jpg", out="memory://in")
    assert "would replace it" in str(item.error)
    (item,) = plan("memory://in/a.jpg", out="memory://in/a.jpg", overwrite=True)
    assert "would replace it" in str(item.error)


def test_two_folders_that_share_outputs(memory: Any) -> None:
    fill(memory, "/1950/a.jpg", "/1960/a.jpg", "/1960/b.jpg")
    first, second, third = plan("memory://1950", "memory://1960", out="memory://out")
    assert (first.error, third.error) == (None, None)
    assert "is the output of another already" in str(second.error)


def test_patterns_files_and_what_is_not_there(memory: Any) -> None:
    fill(memory, "/in/a.jpg", "/in/x/b.jpg", "/in/x/c.png")
    pattern = plan("memory://in/**/*.jpg", out="memory://out")
    assert {item.target for item in pattern} == {"memory:///out/a.jpg", "memory:///out/x/b.jpg"}
    (item,) = plan("memory://in/a.jpg", out="memory://out/new.png")
    assert item == Item("memory:///in/a.jpg", "memory:///out/new.png")
    missing, none = plan("memory://nothing/a.jpg", "memory://in/*.tif")
    assert missing.error == "memory://nothing/a.jpg: no such file or folder"
    assert none.error == "memory://in/*.tif: no photograph matches this pattern"


def test_paths_of_this_machine_stay_paths(memory: Any, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    source = str(tmp_path / "a.jpg")
    assert plan(str(tmp_path), out="memory://out") == [Item(source, "memory:///out/a.jpg")]
    assert plan(f"file://{tmp_path}", out="memory://out") == [Item(source, "memory:///out/a.jpg")]


def test_folders_are_listed_only_as_the_plan_is_drawn_on(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(memory, *(f"/in/{folder:02}/{name}.jpg" for folder in range(20) for name in range(5)))
    listed, listing = [], type(memory).ls

    def ls(self: Any, path: str, **options: Any) -> Any:
        listed.append(path)
        return listing(self, path, **options)

    monkeypatch.setattr(type(memory), "ls", ls)
    drawn = Places(["memory://in"], "memory://out").plan(overwrite=False)
    next(drawn)
    assert not any(path.startswith("/in/02") for path in listed)
    assert sum(1 for _ in drawn) == 99
