import errno
import os
import shutil
import signal
import subprocess
import sys

import pytest

from tintype.runtime import atomic
from tintype.runtime.atomic import write_atomically

WAYS = ["nameless", "named", "no hard links"]


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Systems and file systems of less and less ability."""
    if request.param == "nameless" and not hasattr(os, "O_TMPFILE"):
        pytest.skip("this system has no files without a name")
    if request.param != "nameless":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    if request.param == "no hard links":
        monkeypatch.setattr(os, "link", _no_links)
    return request.param


def _no_links(*_, **__):
    raise PermissionError(errno.EPERM, "Operation not permitted")


def _hello(file):
    file.write(b"hello")


def test_a_file_appears_with_its_content(tmp_path, way):
    write_atomically(tmp_path / "x", _hello)
    assert (tmp_path / "x").read_bytes() == b"hello"
    assert os.listdir(tmp_path) == ["x"]


def test_a_file_has_the_usual_permissions(tmp_path, way):
    write_atomically(tmp_path / "x", _hello)
    (tmp_path / "usual").write_bytes(b"")
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_file_that_is_there_is_not_replaced(tmp_path, way):
    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(FileExistsError) as caught:
        write_atomically(tmp_path / "x", _hello)
    assert caught.value.filename == str(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


def test_a_link_to_nowhere_is_a_file_that_is_there(tmp_path, way):
    (tmp_path / "x").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "x", _hello)


def test_a_file_that_comes_meanwhile_is_not_replaced(tmp_path, way):
    def write(file):
        file.write(b"ours")
        (tmp_path / "x").write_bytes(b"theirs")

    with pytest.raises(FileExistsError) as caught:
        write_atomically(tmp_path / "x", write)
    assert caught.value.filename == str(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"theirs"
    assert os.listdir(tmp_path) == ["x"]


def test_overwriting_replaces_at_the_end(tmp_path, way):
    (tmp_path / "x").write_bytes(b"old")

    def write(file):
        file.write(b"new")
        file.flush()
        assert (tmp_path / "x").read_bytes() == b"old"

    write_atomically(tmp_path / "x", write, overwrite=True)
    assert (tmp_path / "x").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("problem", [ValueError("bad"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("overwrite", [False, True])
def test_nothing_is_left_behind_when_writing_fails(tmp_path, way, problem, overwrite):
    def write(file):
        file.write(b"half of it")
        file.flush()
        raise problem

    with pytest.raises(type(problem)):
        write_atomically(tmp_path / "x", write, overwrite)
    assert os.listdir(tmp_path) == []


def test_nothing_is_left_behind_when_renaming_fails(tmp_path, way, monkeypatch):
    def failing(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "replace", failing)
    if way != "no hard links":
        (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(OSError, match="Input/output error"):
        write_atomically(tmp_path / "x", _hello, overwrite=way != "no hard links")
    assert os.listdir(tmp_path) == ([] if way == "no hard links" else ["x"])


def test_a_nameless_file_that_cannot_be_given_its_name_is_written_again_under_one(tmp_path, monkeypatch):
    link = os.link
    monkeypatch.setattr(os, "link", lambda *a, **k: _no_links() if k else link(*a))
    write_atomically(tmp_path / "x", _hello)
    assert (tmp_path / "x").read_bytes() == b"hello"
    assert os.listdir(tmp_path) == ["x"]


def test_a_missing_folder_is_an_error_that_names_the_file(tmp_path, way):
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(tmp_path / "nowhere" / "x", _hello)
    assert caught.value.filename == str(tmp_path / "nowhere" / "x")


def test_a_folder_is_not_replaced_by_a_file(tmp_path, way):
    (tmp_path / "x").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "x", _hello, overwrite=True)
    assert os.listdir(tmp_path) == ["x"]


def test_an_error_without_a_number_still_names_the_file(tmp_path, way):
    def write(file):
        raise OSError("encoder error -2")

    with pytest.raises(OSError, match="encoder error -2") as caught:
        write_atomically(tmp_path / "x", write)
    assert caught.value.filename == str(tmp_path / "x")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        not mount
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True).returncode
    ):
        pytest.skip("mounting a small file system needs the rights of root")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_says_so_and_keeps_nothing(small_disk, way):
    def write(file):
        file.write(bytes(1 << 20))

    with pytest.raises(OSError, match="No space left") as caught:
        write_atomically(small_disk / "x", write)
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(small_disk / "x")
    assert os.listdir(small_disk) == []


def test_a_read_only_disk_says_so(small_disk, way):
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(OSError, match="Read-only") as caught:
        write_atomically(small_disk / "x", _hello)
    assert caught.value.errno == errno.EROFS
    assert caught.value.filename == str(small_disk / "x")


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs files without a name")
def test_a_killed_process_leaves_nothing_behind(tmp_path):
    program = (
        "import sys, time; from pathlib import Path; from tintype.runtime.atomic import write_atomically\n"
        "def write(file):\n"
        "    file.write(bytes(100000)); file.flush(); print('writing', flush=True); time.sleep(60)\n"
        "write_atomically(Path(sys.argv[1]), write)"
    )
    with subprocess.Popen([sys.executable, "-c", program, tmp_path / "x"], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    assert os.listdir(tmp_path) == []


def test_temporary_names_are_hidden_and_differ(tmp_path):
    names = {atomic.temporary_name(tmp_path / "x").name for _ in range(10)}
    assert len(names) == 10
    assert all(name.startswith(".") for name in names)
