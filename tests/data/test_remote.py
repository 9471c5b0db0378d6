"""Tars at URLs: in fsspec's memory, and from a web server on this machine."""

import http.server
import threading
from contextlib import contextmanager

import fsspec
import pytest
import torch

from tintype.data import DataError, batches, open_photos, remote

# Python 3.12 and later warn of forking where there are threads, as fsspec has one; workers make their own.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

RUN = {"batch_size": 8, "crop": 24, "seed": 3, "steps": 6}


class Ranges(http.server.SimpleHTTPRequestHandler):
    """Serves ranges of bytes, which Python's own server does not."""

    def do_GET(self):
        server = self.server
        server.requests.append((self.path, self.headers.get("Range")))
        if server.failures > 0:
            server.failures -= 1
            self.send_error(503)
            return
        try:
            data = (server.folder / self.path.lstrip("/")).read_bytes()
        except OSError:
            self.send_error(404)
            return
        asked = self.headers.get("Range") if server.ranges else None
        first, last = 0, len(data) - 1
        if asked:
            first, last = (int(number) for number in asked.removeprefix("bytes=").split("-"))
        part = data[first : last + 1]
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(part)))
        if server.ranges:
            self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(data)}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(part)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@contextmanager
def serving(folder, ranges=True):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
    server.folder, server.ranges, server.requests, server.failures = folder, ranges, [], 0
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def without_patience(monkeypatch):
    monkeypatch.setattr(remote, "FIRST_PAUSE", 0.001)


@pytest.fixture
def tars(tmp_path, write_tar, jpegs):
    folder = tmp_path / "tars"
    folder.mkdir()
    for number in range(2):
        photos = jpegs(10 * number, 10 * number + 10)
        labels = {name.replace(".jpg", ".cls"): b"class" + name[3:4].encode() for name in photos}
        write_tar(folder / f"t-{number:02}.tar", dict(sorted((photos | labels).items())))
    return folder


def _put_into_memory(tars, folder):
    for path in tars.iterdir():
        fsspec.filesystem("memory").pipe(f"{folder}/{path.name}", path.read_bytes())


def _all(batches):
    return torch.stack([batch.clone() for batch in batches])


@pytest.mark.parametrize("where", ["pattern", "folder"])
def test_tars_in_memory_are_the_tars_on_disk(tars, where):
    _put_into_memory(tars, f"/{where}")
    photos = open_photos([f"memory://{where}" + ("/t-{00..01}.tar" if where == "pattern" else "")])
    local = open_photos([tars])
    assert [(p.key, p.label, p.read()) for p in photos] == [(p.key, p.label, p.read()) for p in local]
    assert photos[0].path == f"memory://{'/' if where == 'folder' else ''}{where}/t-00.tar:0000.jpg"
    assert torch.equal(_all(batches(photos, **RUN)), _all(batches(local, **RUN)))


def test_a_web_server_gives_the_same_batches_with_and_without_workers(tars):
    local = _all(batches(open_photos([tars]), **RUN))
    with serving(tars) as (server, url):
        photos = open_photos([url + "/t-{00..01}.tar"])
        assert torch.equal(_all(batches(photos, **RUN)), local)
        assert torch.equal(_all(batches(photos, **RUN, workers=2)), local)
        assert torch.equal(_all(batches(photos, **RUN, start_step=4)), local[4:])
        assert all(asked for path, asked in server.requests[-16:])


def test_headers_are_read_once_until_the_tar_changes(tars, write_tar, jpegs):
    with serving(tars) as (server, url):
        first = [photo.key for photo in open_photos([f"{url}/t-00.tar"])]
        before = len(server.requests)
        assert [photo.key for photo in open_photos([f"{url}/t-00.tar"])] == first
        assert [asked for _, asked in server.requests[before:] if asked] == []
        write_tar(tars / "t-00.tar", jpegs(40, 43))
        assert [photo.key for photo in open_photos([f"{url}/t-00.tar"])] == ["0040", "0041", "0042"]


def test_a_photograph_costs_one_request_for_its_bytes_alone(tars):
    with serving(tars) as (server, url):
        photo = open_photos([f"{url}/t-00.tar"])[3]
        server.requests.clear()
        data = photo.read()
    (asked,) = [asked for _, asked in server.requests]
    first, last = map(int, asked.removeprefix("bytes=").split("-"))
    assert last - first + 1 == len(data)


def test_a_server_that_fails_now_and_then_costs_nothing(tars):
    with serving(tars) as (server, url):
        photos = open_photos([f"{url}/t-00.tar"])
        expected = open_photos([tars / "t-00.tar"])[0].read()
        server.failures = remote.TRIES - 1
        assert photos[0].read() == expected


@pytest.mark.parametrize("workers", [0, 1])
def test_a_server_that_is_gone_ends_the_run_in_one_line_and_replaces_no_photograph(tars, workers):
    with serving(tars) as (_, url):
        photos = open_photos([f"{url}/t-00.tar"])
    loader = batches(photos, **RUN, workers=workers)
    with pytest.raises(DataError, match=rf"^cannot read {url}/t-00.tar: [^\n]+$"):
        list(loader)
    assert loader.damaged.reasons == {}


def test_what_cannot_be_read_is_named_in_one_line(tars, tmp_path):
    (tars / "no.tar").write_bytes(b"x" * 2000)
    with serving(tars) as (_, url):
        for name, message in (
            ("nowhere.tar", "cannot read {}: no such file"),
            ("no.tar", "{} is not a tar"),
            ("t-00.tar.gz", "{} is compressed and cannot be read in parts: unpack it, or fetch it to this machine"),
        ):
            with pytest.raises(DataError) as error:
                open_photos([f"{url}/{name}"])
            assert str(error.value) == message.format(f"{url}/{name}")
    with pytest.raises(DataError, match=r"^cannot read xyz://a/b.tar: Protocol not known: xyz"):
        open_photos(["xyz://a/b.tar"])
    with pytest.raises(DataError, match=r"^no photographs found in memory://empty "):
        open_photos(["memory://empty"])


def test_a_server_without_ranges_is_refused(tars):
    with (
        serving(tars, ranges=False) as (_, url),
        pytest.raises(DataError, match=r"^(cannot read )?http[^\n]+ranges?[^\n]*$"),
    ):
        open_photos([f"{url}/t-00.tar"])[5].read()
