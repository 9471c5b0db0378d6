"""The HTTP API where there is no room for a photograph or its picture."""

import errno
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from tintype.web.api import api
from web.test_api import LIMITS, photograph


@pytest.fixture
def client(colorizer, temporary):
    with TestClient(api(colorizer, LIMITS)) as client:
        yield client


class Full(tempfile.TemporaryDirectory):
    """A folder in which there is no room for a request's photograph."""

    def __init__(self, **how):
        super().__init__(**how)
        (Path(self.name) / "photograph").symlink_to("/dev/full")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("sent", [{"content": photograph()}, {"files": {"file": photograph()}}])
def test_a_full_disk_is_told_when_a_photograph_comes(client, temporary, monkeypatch, sent):
    with monkeypatch.context() as patch:
        patch.setattr("tintype.web.turns.tempfile.TemporaryDirectory", Full)
        response = client.post("/api/colorize", **sent)
    assert (response.status_code, response.json()["error"][:27]) == (507, "this server's disk is full:")
    assert not list(temporary.iterdir())
    assert client.get("/api/health").json()["waiting"] == 0
    assert client.post("/api/colorize", **sent).status_code == 200


@pytest.mark.parametrize(("number", "status"), [(errno.ENOSPC, 507), (errno.EDQUOT, 507), (errno.EIO, 500)])
def test_a_full_disk_is_told_when_a_picture_or_folder_is_made(colorizer, temporary, monkeypatch, number, status):
    def fail(*args, **how):
        raise OSError(number, "no")

    broken = SimpleNamespace(colorize_file=fail, model=colorizer.model)
    with TestClient(api(broken, LIMITS), raise_server_exceptions=False) as client:
        assert client.post("/api/colorize", content=photograph()).status_code == status
        with monkeypatch.context() as patch:
            patch.setattr("tintype.web.turns.tempfile.TemporaryDirectory", fail)
            assert client.post("/api/colorize", content=photograph()).status_code == status
        assert client.get("/api/health").json()["waiting"] == 0
    assert not list(temporary.iterdir())


def test_a_full_disk_is_told_when_a_picture_is_written(colorizer, small_disk, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    sent = photograph(size=(200, 150))
    room = 40_000  # for the photograph, but not for 90,000 bytes of its picture
    assert len(sent) < room
    with TestClient(api(colorizer, LIMITS)) as client:
        (small_disk / "others").write_bytes(bytes(shutil.disk_usage(small_disk).free - room))
        response = client.post("/api/colorize?format=bmp", content=sent)
        assert (response.status_code, response.json()["error"][:27]) == (507, "this server's disk is full:")
        assert [path.name for path in small_disk.iterdir()] == ["others"]
        (small_disk / "others").unlink()
        assert client.post("/api/colorize?format=bmp", content=sent).status_code == 200
