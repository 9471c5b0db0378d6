"""What libtiff and Pillow's log think of a damaged file is not written on the terminal."""

import io
import subprocess
import sys

import numpy as np
from PIL import Image

READ = """
import sys
from tintype.runtime import PhotoError
from tintype.runtime.read import read_photo
try:
    read_photo(sys.argv[1])
except PhotoError as error:
    print(error)
"""


def test_a_damaged_picture_is_told_in_one_line_and_not_by_libtiff(tmp_path):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(file, "TIFF", compression="tiff_lzw")
    data = bytearray(file.getvalue())
    data[2000:2200] = bytes(200)
    (tmp_path / "damaged.tif").write_bytes(data)
    plain = [sys.executable, "-c", "import sys; from PIL import Image; Image.open(sys.argv[1]).load()"]
    told = subprocess.run([*plain, tmp_path / "damaged.tif"], capture_output=True, text=True)
    assert "LZWDecode" in told.stderr  # so that what follows can fail
    done = subprocess.run([sys.executable, "-c", READ, tmp_path / "damaged.tif"], capture_output=True, text=True)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1


def test_nor_by_the_log(tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "TIFF")
    data = file.getvalue()
    three = bytes.fromhex("1501 0300 01000000 0300")  # samples per pixel
    assert data.count(three) == 1
    (tmp_path / "damaged.tif").write_bytes(data.replace(three, three[:-2] + b"\x09\0"))
    plain = [sys.executable, "-c", "import sys; from PIL import Image; Image.open(sys.argv[1])"]
    told = subprocess.run([*plain, tmp_path / "damaged.tif"], capture_output=True, text=True)
    assert "More samples per pixel" in told.stderr
    done = subprocess.run([sys.executable, "-c", READ, tmp_path / "damaged.tif"], capture_output=True, text=True)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 1
