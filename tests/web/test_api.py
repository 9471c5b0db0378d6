"""The HTTP API: what it answers, what it refuses, and what it leaves behind."""

import asyncio
import base64
import io
import re
import socket
import threading
import time
from pathlib import Path

import httpx2 as httpx
import numpy as np
import pytest
from PIL import Image
from starlette.requests import ClientDisconnect, Request
from starlette.testclient import TestClient

from runtime.dng import save_dng, scene
from tintype.web.api import api
from tintype.web.hosts import Hosts
from tintype.web.turns import Limits, Turns

LIMITS = Limits(most_bytes=200_000, most_pixels=40_000, workers=1, queue=1, patience=20)


def photograph(kind="JPEG", size=(64, 48), mode="L", **saved) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize(size).convert(mode).save(file, kind, **saved)
    return file.getvalue()


def pages(count) -> bytes:
    first, *rest = [Image.new("L", (64, 48), 80 * number) for number in range(count)]
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=rest)
    return file.getvalue()


@pytest.fixture
def client(colorizer, temporary):
    with TestClient(Hosts(api(colorizer, LIMITS)), base_url="http://localhost") as client:
        yield client


def opened(response) -> Image.Image:
    assert response.status_code == 200, response.text
    return Image.open(io.BytesIO(response.content))


def test_a_raw_file_is_known_by_its_name(client, tmp_path_factory):
    pytest.importorskip("rawpy")
    sent = save_dng(tmp_path_factory.mktemp("raw") / "x.dng", scene()).read_bytes()
    for response in (
        client.post("/api/colorize?suffix=.DNG", content=sent),
        client.post("/api/colorize?suffix=dng", content=sent),
        client.post(
            "/api/colorize", data={"suffix": ""}, files={"file": ("old.dng", sent, "application/octet-stream")}
        ),
        client.post("/api/colorize", files={"file": ("old.dng", sent, "application/octet-stream")}),
        client.post("/api/colorize?suffix=.dng", files={"file": ("blob", sent, "application/octet-stream")}),
    ):
        picture = opened(response)
        assert (picture.format, picture.size) == ("PNG", (96, 64))
    assert client.post("/api/colorize?suffix=.nef", content=photograph()).status_code == 422
    assert opened(client.post("/api/colorize?suffix=/../x.jpg", content=photograph())).format == "JPEG"


def test_bytes_and_forms_give_the_picture_that_the_colorizer_makes(client, colorizer, temporary):
    sent = photograph("PNG")
    expected = np.asarray(colorizer(Image.open(io.BytesIO(sent))))
    for response in (
        client.post("/api/colorize", content=sent),
        client.post("/api/colorize", files={"file": ("old.png", sent, "image/png")}),
    ):
        picture = opened(response)
        assert response.headers["content-type"] == "image/png"
        assert np.array_equal(np.asarray(picture.convert("RGB")), expected)
    assert not list(temporary.iterdir())


@pytest.mark.parametrize(("kind", "mime"), [("JPEG", "image/jpeg"), ("TIFF", "image/tiff"), ("GIF", "image/png")])
def test_the_format_stays_or_is_png_where_that_cannot_be(client, kind, mime):
    assert client.post("/api/colorize", content=photograph(kind)).headers["content-type"] == mime


def test_options_stand_in_the_query_or_the_form(client, colorizer):
    sent = photograph("PNG")
    grey = opened(client.post("/api/colorize?saturation=0&format=webp", content=sent))
    assert (grey.format, np.ptp(np.asarray(grey.convert("RGB")).astype(int), axis=2).max() <= 12) == ("WEBP", True)
    bold = opened(client.post("/api/colorize", files={"file": sent}, data={"temperature": "0.1", "saturation": "1.5"}))
    expected = colorizer(Image.open(io.BytesIO(sent)), temperature=0.1, saturation=1.5)
    assert np.array_equal(np.asarray(bold.convert("RGB")), np.asarray(expected))


def test_json_holds_the_picture(client):
    for response in (
        client.post("/api/colorize?json=1", content=photograph()),
        client.post("/api/colorize", content=photograph(), headers={"Accept": "application/json"}),
    ):
        told = response.json()
        picture = Image.open(io.BytesIO(base64.b64decode(told["picture"])))
        assert (told["type"], (told["width"], told["height"]), picture.size) == ("image/jpeg", (64, 48), (64, 48))


def test_the_jpeg_of_two_views_of_a_telephone_stays_one(client):
    file = io.BytesIO()
    Image.open(io.BytesIO(photograph())).save(file, "MPO", save_all=True, append_images=[Image.new("L", (64, 48))])
    assert client.post("/api/colorize", content=file.getvalue()).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize("ranges", ["bytes=0-9", "bytes=" + ",".join(f"{n}-{n}" for n in range(99)), "bytes=9-0"])
def test_a_picture_comes_whole_whatever_part_is_asked_for(client, ranges):
    response = client.post("/api/colorize", content=photograph(), headers={"Range": ranges})
    assert opened(response).size == (64, 48)
    assert int(response.headers["content-length"]) == len(response.content)


def test_a_picture_larger_than_pillows_own_limit_is_made_without_a_warning(client, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # 3072 pixels: more than twice as many
    response = client.post("/api/colorize", content=photograph())
    monkeypatch.undo()
    assert opened(response).size == (64, 48)


def test_metadata_stays(client):
    exif = Image.Exif()
    exif[0x010E] = "grandmother"
    assert opened(client.post("/api/colorize", content=photograph(exif=exif))).getexif()[0x010E] == "grandmother"


@pytest.mark.parametrize(
    ("path", "sent", "status", "message"),
    [
        ("/api/colorize", {"content": b""}, 400, "there is no photograph"),
        ("/api/colorize", {"content": b"hello"}, 422, "photograph: not a photograph"),
        ("/api/colorize", {"content": photograph()[:500]}, 422, "photograph: "),
        ("/api/colorize", {"content": photograph(size=(300, 200))}, 422, "300 x 200 pixels; the limit is 40000"),
        ("/api/colorize", {"content": bytes(200_001)}, 413, "the limit is 200000 bytes"),
        ("/api/colorize", {"content": iter([bytes(150_000)] * 2)}, 413, "the limit is 200000 bytes"),
        ("/api/colorize", {"files": {"picture": photograph()}}, 400, "the photograph is the field `file`"),
        ("/api/colorize", {"files": {"file": b""}}, 400, "there is no photograph"),
        ("/api/colorize", {"data": {"file": "text"}}, 422, "photograph: not a photograph"),
        ("/api/colorize?temperature=hot", {"content": photograph()}, 400, "temperature: a number"),
        ("/api/colorize?temperature=nan", {"content": photograph()}, 400, "temperature: from 0.01 to 10"),
        ("/api/colorize?saturation=-1", {"content": photograph()}, 400, "saturation: from 0 to 10"),
        ("/api/colorize?json=perhaps", {"content": photograph()}, 400, "json: 1 or 0"),
        ("/api/colorize", {"content": pages(2)}, 422, "photograph: has 2 pages"),
        ("/api/colorize?format=png", {"content": pages(3)}, 422, "photograph: has 3 pages"),
        (
            "/api/colorize",
            {"files": {"file": photograph()}, "data": {"format": "png" * 1000}},
            400,
            "the form cannot be read: Part exceeded maximum size",
        ),
        ("/api/colorize?format=exe", {"content": photograph()}, 400, "format: one of bmp, jpeg"),
        (
            "/api/colorize?json=0",
            {"files": {"file": photograph()}, "data": {"json": "1"}},
            400,
            "query and in the form: json",
        ),
        ("/api/colorize?colour=red", {"content": photograph()}, 400, "unknown: colour"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_and_leaves_nothing(client, temporary, path, sent, status, message):
    response = client.post(path, **sent)
    assert response.status_code == status
    assert re.search(message, response.json()["error"])
    assert "\n" not in response.json()["error"]
    assert str(temporary) not in response.text
    assert not list(temporary.iterdir())
    assert client.get("/api/health").json()["waiting"] == 0


def test_a_form_that_is_none_is_refused(client):
    for body, kind in ((b"x", "multipart/form-data"), (b"--a\r\nnonsense", "multipart/form-data; boundary=a")):
        assert client.post("/api/colorize", content=body, headers={"Content-Type": kind}).status_code == 400


def test_other_ways_to_ask_are_refused(client):
    assert client.get("/api/colorize").status_code == 405
    assert client.get("/nowhere").json() == {"error": "Not Found"}


def test_a_token_is_asked_for_where_there_is_one(colorizer, temporary):
    with TestClient(api(colorizer, LIMITS, "a long enough token")) as client:
        assert client.post("/api/colorize", content=photograph()).status_code == 401
        wrong = {"Authorization": "Bearer a long enough tokem"}
        assert client.post("/api/colorize", content=photograph(), headers=wrong).status_code == 401
        right = {"Authorization": "Bearer a long enough token"}
        assert client.post("/api/colorize", content=photograph(), headers=right).status_code == 200
        described = client.get("/api/openapi.json").json()
    assert described["paths"]["/api/colorize"]["post"]["security"] == [{"token": []}]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "localhost:8000"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, 403),
    ],
)
def test_pages_of_other_places_cannot_ask(client, headers, status):
    assert client.get("/api/health", headers=headers).status_code == status


def test_a_form_of_a_page_of_another_place_is_refused(client):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.post("/api/colorize", content=photograph(), headers=headers).status_code == 403


class Slow:
    """A colorizer that waits until it may go on."""

    def __init__(self, colorizer):
        self.model, self._colorizer = colorizer.model, colorizer
        self.begun, self.go = threading.Semaphore(0), threading.Event()

    def colorize_file(self, source, target, **how):
        self.begun.release()
        assert self.go.wait(20)
        self._colorizer.colorize_file(source, target, **how)


def asked(client, answers, **how):
    thread = threading.Thread(target=lambda: answers.append(client.post("/api/colorize", content=photograph(), **how)))
    thread.start()
    return thread


def waiting(client, count):
    for _ in range(200):
        if client.get("/api/health").json()["waiting"] == count:
            return True
        time.sleep(0.02)
    return False


def test_more_than_may_wait_are_told_to_come_again(colorizer, temporary):
    slow = Slow(colorizer)
    with TestClient(api(slow, LIMITS)) as client:
        answers = []
        threads = [asked(client, answers) for _ in range(2)]
        assert waiting(client, 2)
        refused = client.post("/api/colorize", content=photograph())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        slow.go.set()
        for thread in threads:
            thread.join()
        assert [answer.status_code for answer in answers] == [200, 200]
        assert client.post("/api/colorize", content=photograph()).status_code == 200
    assert not list(temporary.iterdir())


def test_what_takes_too_long_is_given_up_and_its_place_is_free_when_it_ends(colorizer, temporary):
    slow = Slow(colorizer)
    with TestClient(api(slow, Limits(workers=1, queue=0, patience=0.3))) as client:
        assert client.post("/api/colorize", content=photograph()).status_code == 504
        assert client.post("/api/colorize", content=photograph()).status_code == 503  # the worker is still at it
        slow.go.set()
        assert waiting(client, 0)
    assert not list(temporary.iterdir())


def test_a_body_that_comes_drop_by_drop_does_not_keep_its_place(colorizer, temporary, monkeypatch):
    from web.server import serve_app

    monkeypatch.setattr("tintype.web.turns.BODY_PATIENCE", 1.0)

    def drops():
        for _ in range(100):
            yield b"x" * 10
            time.sleep(0.1)

    with serve_app(api(colorizer, LIMITS)) as address:
        begun = time.monotonic()
        answer = httpx.post(f"{address}/api/colorize", content=drops(), timeout=30)
        assert answer.status_code == 408
        assert 0.9 < time.monotonic() - begun < 8
    assert not list(temporary.iterdir())


@pytest.mark.parametrize("chunked", [False, True])
def test_who_sends_too_much_sees_the_answer(colorizer, temporary, chunked):
    """Though the connection is closed, and the client reads only when all is sent."""
    from web.server import serve_app

    size = 20_000_000
    body = b"%x\r\n" % size + bytes(size) + b"\r\n0\r\n\r\n" if chunked else bytes(size)
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
    head = f"POST /api/colorize HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}\r\n\r\n".encode()
    with serve_app(api(colorizer, LIMITS)) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as client:
            client.sendall(head + body)
            answer = b""
            while part := client.recv(10_000):
                answer += part
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"the limit is 200000 bytes" in answer


def test_who_goes_away_while_waiting_is_forgotten(colorizer, temporary):
    from web.server import serve_app

    slow = Slow(colorizer)
    with (
        serve_app(api(slow, Limits(workers=1, queue=5))) as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        answers = []
        first = asked(client, answers)
        assert slow.begun.acquire(timeout=10)
        with pytest.raises(httpx.TimeoutException):
            httpx.post(f"{address}/api/colorize", content=photograph(), timeout=0.5)
        assert waiting(client, 1)
        slow.go.set()
        first.join()
        assert answers[0].status_code == 200
        assert not slow.begun.acquire(timeout=0.3)  # nobody made a picture for who had gone
    assert not list(Path(temporary).iterdir())


def test_a_folder_is_removed_where_the_client_goes_away_just_as_the_work_is_done(temporary, monkeypatch):
    async def gone(turns, request, work):
        time.sleep(0.2)  # the loop is busy meanwhile, and does not hear of it
        raise ClientDisconnect

    async def nothing(request, folder):
        pass

    async def ask():
        turns = Turns(LIMITS)
        with pytest.raises(ClientDisconnect) as caught:
            await turns.take(Request({"type": "http", "headers": []}), nothing, lambda asked, folder: None)
        assert not list(temporary.iterdir())
        assert turns.waiting == 0
        del caught
        turns.close()

    monkeypatch.setattr(Turns, "_awaited", gone)
    asyncio.run(ask())
