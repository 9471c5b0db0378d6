"""`tintype serve` as a person meets it: the command, its one-line errors, and how it ends."""

import io
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE
from tintype.cli import main

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is elsewhere not this computer's")

Start = Callable[..., tuple["subprocess.Popen[str]", str]]


@pytest.fixture
def start(tmp_path: Path, model: Path) -> Iterator[Start]:
    """Starts the command, whose temporary files lie in `tmp_path / "temporary"`: its process and what it printed."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    running: list[subprocess.Popen[str]] = []

    def start(*options: str) -> tuple[subprocess.Popen[str], str]:
        command = [TINTYPE, "serve", "--port", "0", "--model", model, *options]
        environment = {**ENVIRONMENT, "TMPDIR": str(temporary)}
        pipe = subprocess.PIPE
        running.append(subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, text=True))
        out = running[-1].stdout
        assert out is not None
        return running[-1], out.readline().strip()

    yield start
    for process in running:
        process.kill()
        process.communicate()


def ask(url: str, token: str = "") -> Image.Image:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((48, 40)).save(file, "PNG")
    headers = {"Content-Type": "image/png", **({"Authorization": f"Bearer {token}"} if token else {})}
    with urlopen(Request(f"{url}api/colorize", file.getvalue(), headers), timeout=60) as reply:
        return Image.open(io.BytesIO(reply.read()))


def stopped(process: "subprocess.Popen[str]", number: signal.Signals = signal.SIGINT) -> str:
    process.send_signal(number)
    return process.communicate(timeout=60)[1]


def test_it_prints_its_address_answers_there_and_ends_with_ctrl_c(start: Start, tmp_path: Path) -> None:
    process, url = start("--root-path", "/tintype")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/tintype/", url)
    for passed_on in (url, url.replace("tintype/", "")):  # by a proxy, with the path or without
        made = ask(passed_on)
        assert (made.size, made.mode) == ((48, 40), "RGB")
    with urlopen(url.removesuffix("/"), timeout=10) as reply:
        assert (reply.url, b"page/page.js" in reply.read()) == (url, True)
    assert stopped(process).splitlines()[-1] == "Ctrl-C ends it."
    assert process.returncode == 0
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize("sent", [b"", b"\x89PNG\r\n\x1a\n"])
def test_ctrl_c_does_not_wait_for_a_body_that_does_not_come_and_leaves_nothing(
    start: Start, tmp_path: Path, sent: bytes
) -> None:
    process, url = start()
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"POST /api/colorize HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n" + sent)
        with urlopen(f"{url}api/health", timeout=10):
            stopped(process)
    assert process.returncode == 0
    assert not list((tmp_path / "temporary").iterdir())


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--host", "127.0.0.2"), marks=LINUX),
        ("--allow-host", "photos.example"),
        ("--host", "0.0.0.0", "--allow-host", "a.example"),
    ],
)
def test_the_printed_address_can_be_followed(start: Start, options: tuple[str, ...]) -> None:
    _, url = start(*options)
    page, _, token = url.partition("#token=")
    assert ask(page, token).size == (48, 40)


def test_other_names_are_allowed_as_they_are_told(start: Start) -> None:
    _, url = start("--allow-host", "photos.example")
    with urlopen(Request(url, headers={"Host": "photos.example"}), timeout=10) as reply:
        assert reply.status == 200
    with pytest.raises(HTTPError, match="403"):
        urlopen(Request(url, headers={"Host": "other.example"}), timeout=10)


def test_others_get_an_address_that_they_can_follow_and_a_token_without_which_they_are_refused(start: Start) -> None:
    _, url = start("--host", "0.0.0.0")
    page, _, token = url.partition("#token=")
    assert "0.0.0.0" not in page
    with pytest.raises(HTTPError, match="401"):
        ask(page)
    assert len(token) >= 32
    assert ask(page, token).size == (48, 40)


def test_a_token_of_a_file_is_asked_for_and_not_printed(start: Start, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("sixteen letters and more\n")
    process, url = start("--token-file", str(tmp_path / "token"))
    with pytest.raises(HTTPError, match="401"):
        ask(url, "sixteen letters and mora")
    assert ask(url, "sixteen letters and more").size == (48, 40)
    assert "sixteen" not in url + stopped(process)


def refused(*options: str) -> str:
    done = CliRunner().invoke(main, ["serve", *options])
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def test_a_port_in_use_is_told(model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"--port {port}: Address already in use" in refused("--port", port, "--model", str(model))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "16 printable characters"),
        (b"short\n", "16 printable characters"),
        (b"long enough, but\nof two lines", "16 printable characters"),
        ("schön lang genug für alle".encode(), "16 printable characters"),
        (b"\xff" * 32, "cannot be read"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_a_token_file_that_holds_none_is_told(tmp_path: Path, model: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    line = refused("--port", "0", "--model", str(model), "--token-file", str(tmp_path / "token"))
    assert str(tmp_path / "token") in line
    assert message in line


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all files")
def test_a_token_file_that_may_not_be_read_is_told(tmp_path: Path, model: Path) -> None:
    (tmp_path / "token").write_text("sixteen letters and more")
    (tmp_path / "token").chmod(0)
    assert "Permission denied" in refused("--model", str(model), "--token-file", str(tmp_path / "token"))


@pytest.mark.parametrize("path", ["tintype", "/", "/tintype/", "//elsewhere", "/a b", "/a?b", "/a\nb", "http://a/b"])
def test_a_root_path_that_is_no_path_is_told(path: str) -> None:
    assert "such as /tintype" in refused("--root-path", path)


def test_a_model_that_is_not_there_or_none_is_told(tmp_path: Path) -> None:
    assert "no model 'nowhere'" in refused("--model", "nowhere")
    (tmp_path / "x.onnx").write_bytes(b"no network")
    assert str(tmp_path / "x.onnx") in refused("--model", str(tmp_path / "x.onnx"))
