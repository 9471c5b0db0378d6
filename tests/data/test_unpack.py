import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tintype.data import DataError, unpack
from tintype.data.unpack import unpacked


@pytest.fixture
def compressed(tmp_path, write_tar, jpegs):
    return write_tar(tmp_path / "a.tar.gz", jpegs(0, 3), "w:gz")


def _cached():
    folder = os.path.join(os.environ["XDG_CACHE_HOME"], "tintype", "tars")
    return [name for name in os.listdir(folder) if not name.endswith(".lock")]


def test_unpacking_gives_the_tar(tmp_path, compressed, write_tar, jpegs):
    plain = write_tar(tmp_path / "a.tar", jpegs(0, 3))
    assert unpacked(compressed).read_bytes() == plain.read_bytes()


def test_a_tar_is_unpacked_once(compressed, monkeypatch):
    first = unpacked(compressed)
    monkeypatch.setattr(unpack, "_unpack", lambda *_: pytest.fail("unpacked again"))
    assert unpacked(compressed) == first


def test_a_tar_that_has_changed_is_unpacked_again(compressed, write_tar, jpegs):
    first = unpacked(compressed)
    write_tar(compressed, jpegs(5, 9), "w:gz")
    assert unpacked(compressed) != first


def test_those_that_ask_at_once_wait_for_one_to_unpack(compressed, monkeypatch):
    calls = []
    original = unpack._unpack
    monkeypatch.setattr(unpack, "_unpack", lambda *paths: (calls.append(paths), original(*paths)))
    with ThreadPoolExecutor(4) as pool:
        results = set(pool.map(unpacked, [compressed] * 8))
    assert len(results) == len(calls) == 1


def test_a_damaged_file_says_so_and_leaves_nothing(compressed):
    data = compressed.read_bytes()
    for damaged in (data[: len(data) // 2], b"not gzip at all", data[:200] + b"\0" * 50 + data[250:]):
        compressed.write_bytes(damaged)
        with pytest.raises(DataError, match=rf"^{compressed} is damaged: [^\n]+$"):
            unpacked(compressed)
        assert _cached() == []


def test_what_a_killed_process_left_is_not_taken_for_whole(compressed):
    target = unpacked(compressed)
    whole = target.read_bytes()
    target.rename(target.with_suffix(".part"))
    target.with_suffix(".part").write_bytes(whole[:100])
    assert unpacked(compressed).read_bytes() == whole
    assert _cached() == [target.name]


def test_a_cache_that_cannot_be_written_is_named(compressed, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match=rf"^cannot unpack {compressed} into {tmp_path}/file/[^\n]+XDG_CACHE_HOME"):
        unpacked(compressed)
