"""Photographs from and to URLs: the same pictures, whole or not at all."""

import errno
from pathlib import Path
from typing import Any

import pytest
from fsspec import register_implementation
from fsspec.implementations.memory import MemoryFileSystem

from cli.command import Run, photograph
from tintype.archive import carry
from tintype.archive.carry import Carrier, put
from tintype.archive.places import place_of
from tintype.runtime.folders import Item


class Renaming(MemoryFileSystem):
    """In memory, but not among those known to show new objects when they are whole."""

    protocol = "renaming"
    store: dict[str, Any] = {}  # noqa: RUF012
    pseudo_dirs: list[str] = [""]  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("renaming:/")))


register_implementation("renaming", Renaming, clobber=True)


@pytest.fixture(params=["memory", "renaming"])
def system(request: pytest.FixtureRequest, memory: Any) -> Any:
    Renaming.store.clear()
    return memory if request.param == "memory" else Renaming()


def test_the_command_takes_urls_and_makes_the_same_pictures(system: Any, run: Run, tmp_path: Path) -> None:
    kind = system.protocol
    for name in ("a.jpg", "x/b.png"):
        system.pipe_file(f"/in/{name}", photograph(tmp_path / "here" / name).read_bytes())
    system.pipe_file("/in/bad.jpg", b"no photograph")
    assert run("here", "-o", "colour").code == 0
    result = run(f"{kind}://in", "-o", f"{kind}://out", "--report", "r.jsonl")
    assert result.code == 1
    assert result.err.startswith(f"{kind}:///in/bad.jpg: not a photograph; it must be JPEG, PNG")
    assert result.err.splitlines()[1:] == ["2 colorized, 1 failed"]
    assert sorted(system.find("/out")) == ["/out/a.jpg", "/out/x/b.png"]
    for name in ("a.jpg", "x/b.png"):
        assert system.cat_file(f"/out/{name}") == (tmp_path / "colour" / name).read_bytes()
    result = run(f"{kind}://in", "-o", f"{kind}://out", "--report", "r.jsonl")
    assert "0 colorized, 2 skipped" in result.err
    assert len((tmp_path / "r.jsonl").read_text().splitlines()) == 3


def test_from_a_folder_here_to_a_url_and_back(memory: Any, run: Run, tmp_path: Path) -> None:
    photograph(tmp_path / "in" / "a.jpg")
    assert run("in", "-o", "memory://out").code == 0
    assert run("memory://out", "-o", "back", "--json").json["a.jpg"]["output"] == str(tmp_path / "back" / "a.jpg")
    assert (tmp_path / "back" / "a.jpg").is_file()


def test_a_transfer_that_breaks_off_leaves_nothing(
    system: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(bytes(100))
    whole = type(system).put_file

    def half(self: Any, source: str, target: str, **options: Any) -> None:
        if system.protocol == "renaming":  # an object store has no half objects
            whole(self, source, target, **options)
        raise OSError(errno.ECONNRESET, "Connection reset by peer")

    monkeypatch.setattr(type(system), "put_file", half)
    with pytest.raises(OSError, match="reset"):
        put(tmp_path / "file", place_of(f"{system.protocol}://out/a.jpg"), False)
    assert system.find("/out") == []


def test_an_object_store_gets_one_put_and_others_a_name_that_is_not_the_output(
    system: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"new")
    names, whole = [], type(system).put_file

    def seen(self: Any, source: str, target: str, **options: Any) -> None:
        names.append(target.rpartition("/")[2])
        whole(self, source, target, **options)

    monkeypatch.setattr(type(system), "put_file", seen)
    put(tmp_path / "file", place_of(f"{system.protocol}://out/a.jpg"), False)
    (name,) = names
    assert name == "a.jpg" if system.protocol == "memory" else name.startswith(".tintype-")
    assert system.find("/out") == ["/out/a.jpg"]


def test_what_is_there_is_not_replaced_unless_asked_for(tmp_path: Path) -> None:
    Renaming.store.clear()
    (tmp_path / "file").write_bytes(b"new")
    Renaming().pipe_file("/out/a.jpg", b"old")
    with pytest.raises(FileExistsError):
        put(tmp_path / "file", place_of("renaming://out/a.jpg"), False)
    assert Renaming().cat_file("/out/a.jpg") == b"old"
    put(tmp_path / "file", place_of("renaming://out/a.jpg"), True)
    assert Renaming().cat_file("/out/a.jpg") == b"new"
    assert Renaming().find("/out") == ["/out/a.jpg"]


def test_an_output_that_came_meanwhile_is_skipped_before_anything_is_fetched(memory: Any) -> None:
    memory.pipe_file("/out/a.jpg", b"theirs")
    item = Item("memory://in/a.jpg", "memory://out/a.jpg")
    made, _ = Carrier(False)(item, lambda source, target: pytest.fail("nothing to do"))
    assert (made.skipped, made.error) == (True, None)


def test_errors_are_one_line_that_names_the_url(memory: Any) -> None:
    item = Item("memory://in/a.jpg", "memory://out/a.jpg")
    made, _ = Carrier(False)(item, lambda source, target: None)
    assert made.error == "memory://in/a.jpg: no such file"
    assert made.seconds > 0


def test_stores_that_are_common_are_known() -> None:
    assert {"s3", "gs", "abfs", "memory"} <= carry.OBJECT_STORES
    assert not carry.OBJECT_STORES & {"file", "local", "sftp", "smb", "hdfs"}


def test_a_kind_of_url_that_nobody_knows_is_wrong_use(run: Run) -> None:
    result = run("nosuch://in", "-o", "out")
    assert result.code == 2
    assert "nosuch" in result.err.splitlines()[-1]
