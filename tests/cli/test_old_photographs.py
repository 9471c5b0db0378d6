"""`tintype colorize` with negatives, borders, pages, 16 bits and formats of extras."""

import sys

import numpy as np
import pytest
from PIL import Image, ImageOps

from cli.command import names, photograph


def _orange(path):
    red, _, blue = np.asarray(Image.open(path).convert("RGB")).reshape(-1, 3).mean(axis=0)
    return red - blue > 20


def test_negatives_become_positives(run, tmp_path):
    photograph(tmp_path / "a.png")
    ImageOps.invert(Image.open(tmp_path / "a.png")).save(tmp_path / "film.png")
    assert run("film.png", "-o", "positive.png", "--negative", "--saturation", "0").code == 0
    light = np.asarray(Image.open("positive.png").convert("L")).astype(float)
    assert light[-1].mean() > light[0].mean() + 150


def test_a_colour_negative_is_hinted_at_on_stderr_only(run, tmp_path):
    ramp = np.asarray(Image.linear_gradient("L").resize((48, 40)))[..., None] / 255
    film = np.rint((0.3 + 0.7 * ramp) * [240, 150, 90]).astype(np.uint8)
    Image.fromarray(film).save(tmp_path / "film.png")
    done = run("film.png", "--json")
    assert done.code == 0
    (line,) = [line for line in done.err.splitlines() if "--negative" in line]
    assert line.startswith("film.png: ")
    assert len(done.out.splitlines()) == 1


def test_as_is_colours_borders_too(run, tmp_path):
    sheet = np.full((120, 140), 240, np.uint8)
    sheet[20:100, 20:120] = np.random.default_rng(0).integers(0, 200, (80, 100))
    Image.fromarray(sheet).save(tmp_path / "scan.png")
    run("scan.png", "-o", "a.png")
    run("scan.png", "-o", "b.png", "--as-is")
    for name, coloured in (("a.png", False), ("b.png", True)):
        Image.open(name).crop((0, 0, 140, 14)).save(tmp_path / "strip.png")
        assert _orange(tmp_path / "strip.png") == coloured
    Image.open("a.png").crop((40, 40, 100, 80)).save(tmp_path / "inside.png")
    assert _orange(tmp_path / "inside.png")


def test_depth_16_writes_16_bits_and_refuses_formats_without(run, tmp_path):
    photograph(tmp_path / "a.tif", mode="I;16")
    photograph(tmp_path / "b.jpg")
    done = run("a.tif", "b.jpg", "--depth", "16", "--json")
    assert done.code == 1
    with Image.open("a.color.tif") as image:
        assert image.tag_v2[258] == (16, 16, 16)
    assert "8 bits" in done.json["b.jpg"]["error"]
    assert "b.color.jpg" not in names(tmp_path)
    wrong = run("a.tif", "-o", "a.jpg", "--depth", "16")
    assert wrong.code == 2
    assert "8 bits" in wrong.err
    assert run("a.tif", "--depth", "12").code == 2


def test_pages_stay_pages(run, tmp_path):
    pages = [Image.linear_gradient("L").resize((48, 40)) for _ in range(3)]
    pages[0].save(tmp_path / "album.tif", save_all=True, append_images=pages[1:])
    assert run("album.tif").code == 0
    with Image.open("album.color.tif") as image:
        assert (image.n_frames, image.mode) == (3, "RGB")
    done = run("album.tif", "-o", "album.png")
    assert done.code == 0
    assert {"album-1.png", "album-2.png", "album-3.png"} <= names(tmp_path)
    assert "3 pages" in done.err


@pytest.mark.parametrize(("name", "library"), [("a.heic", "pillow_heif"), ("a.nef", "rawpy")])
def test_a_folder_tells_of_files_whose_library_is_missing(run, tmp_path, monkeypatch, name, library):
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    photograph(tmp_path / "album" / "b.png")
    (tmp_path / "album" / name).write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    done = run("album", "-o", "out")
    assert done.code == 1
    assert names(tmp_path / "out") == {"b.png"}
    (line,) = [line for line in done.err.splitlines() if name in line]
    assert "pip install" in line
