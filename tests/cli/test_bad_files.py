"""Every kind of file that archives hold gets its picture or its one line, and the others go on."""

import io
import struct
import subprocess
import zlib
from pathlib import Path

import pytest
from PIL import Image

from cli.command import ENVIRONMENT, TINTYPE, Result, names, photograph


def jpeg() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 80).save(stream, "JPEG")
    return stream.getvalue()


def bomb() -> bytes:
    """A PNG of 120 bytes whose header promises 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    )


def animation(suffix: str) -> bytes:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("black", "grey", "white")]
    stream = io.BytesIO()
    frames[0].save(stream, suffix, save_all=True, append_images=frames[1:], duration=50)
    return stream.getvalue()


# name: content, and whether there must be a picture (None: a picture or an error, as the reader sees fit)
FILES: dict[str, tuple[bytes, bool | None]] = {
    "empty.jpg": (b"", False),
    "text.jpg": (b"Dear Jane,\nenclosed you find the photographs.\n", False),
    "noise.png": (bytes(range(256)) * 8, False),
    "signature only.png": (b"\x89PNG\r\n\x1a\n", False),
    "bomb.png": (bomb(), False),
    "truncated.jpg": (jpeg()[:900], None),
    "header only.jpg": (jpeg()[:40], False),
    "damaged.jpg": (jpeg()[:700] + b"\xff\x00\xd9" * 50 + jpeg()[850:], None),
    "film.gif": (animation("GIF"), None),
    "film.webp": (animation("WEBP"), None),
    "film.png": (animation("PNG"), None),
}
MODES = {
    "cmyk.jpg": "CMYK",
    "one bit.tif": "1",
    "palette.png": "P",
    "alpha.png": "LA",
    "transparent.webp": "RGBA",
    "sixteen.png": "I;16",
    "colour.bmp": "RGB",
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory, model: Path) -> tuple[Result, Path, set[str]]:
    """One run over all of them."""
    folder = tmp_path_factory.mktemp("bad")
    for name, (content, _) in FILES.items():
        (folder / name).write_bytes(content)
    for name, mode in MODES.items():
        photograph(folder / name, mode=mode)
    given = names(folder)
    command = [TINTYPE, "colorize", *sorted(given), "--json", "--model", model]
    done = subprocess.run(
        command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr), folder, given


def test_each_file_gets_its_picture_or_its_line(answers: tuple[Result, Path, set[str]]) -> None:
    result, folder, given = answers
    assert result.code == 1
    assert set(result.json) == given
    for answer in result.json.values():
        assert ("output" in answer) != ("error" in answer), answer
        if "output" in answer:
            with Image.open(folder / answer["output"]) as made:
                made.load()


def test_an_error_is_one_line_that_names_the_file(answers: tuple[Result, Path, set[str]]) -> None:
    result, _, _ = answers
    errors = {name: answer["error"] for name, answer in result.json.items() if "error" in answer}
    for name, error in errors.items():
        assert error.startswith(name), error
        assert "\n" not in error
        assert "Error" not in error, f"speaks of Python: {error}"
    assert sorted(result.err.splitlines()[:-1]) == sorted(errors.values())
    assert result.err.splitlines()[-1].endswith(f"{len(errors)} failed")


def test_what_is_no_photograph_has_no_output(answers: tuple[Result, Path, set[str]]) -> None:
    result, _, _ = answers
    for name, (_, good) in FILES.items():
        if good is False:
            assert "error" in result.json[name], name


@pytest.mark.parametrize("name", MODES)
def test_every_mode_of_pixels_is_colorized(name: str, answers: tuple[Result, Path, set[str]]) -> None:
    result, folder, _ = answers
    assert "output" in result.json[name], result.json[name]
    with Image.open(folder / result.json[name]["output"]) as made:
        assert made.size == (48, 40)
        red, _, blue = made.convert("RGB").getpixel((24, 20))
    assert red > blue + 40 or MODES[name] == "1"  # black and white have no room for colour


def test_nothing_is_changed_and_nothing_stays_behind(answers: tuple[Result, Path, set[str]]) -> None:
    result, folder, given = answers
    outputs = {answer["output"] for answer in result.json.values() if "output" in answer}
    assert names(folder) == given | outputs
    for name, (content, _) in FILES.items():
        assert (folder / name).read_bytes() == content
