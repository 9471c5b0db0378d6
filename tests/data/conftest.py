import io
import tarfile

import numpy as np
import pytest
from PIL import Image


def _picture(seed, height=40, width=56):
    """A smooth colour picture, which JPEG keeps nearly as it is."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(40, 216, (4, 5, 3), dtype=np.uint8))
    return coarse.resize((width, height), Image.Resampling.BICUBIC)


def _encode(image, kind="JPEG", **options):
    file = io.BytesIO()
    image.save(file, kind, **({"quality": 95} if kind == "JPEG" else {}) | options)
    return file.getvalue()


def _write_tar(path, members, mode="w", **options):
    with tarfile.open(path, mode, **options) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def picture():
    """(seed, height, width) to a smooth PIL picture."""
    return _picture


@pytest.fixture
def encode():
    """(picture, format, **options of Pillow) to the bytes of a file."""
    return _encode


@pytest.fixture
def jpegs():
    """(first, last) to {NUMBER.jpg: bytes} of different small photographs."""
    return lambda first, last: {f"{seed:04}.jpg": _encode(_picture(seed)) for seed in range(first, last)}


@pytest.fixture
def write_tar():
    """(path, {name: bytes}, mode, **options of tarfile) writes a tar."""
    return _write_tar


@pytest.fixture
def write_folder():
    """(folder, {name: bytes}) writes files."""

    def write(folder, files):
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        return folder

    return write


@pytest.fixture
def folder(tmp_path, write_folder, picture, encode):
    """A folder of 43 photographs in three folders, JPEGs and PNGs."""
    files = {f"{'ab'[n % 2]}/{n:03}.jpg": encode(picture(n)) for n in range(40)}
    files |= {f"c/{n}.PNG": encode(picture(n), "PNG") for n in range(50, 53)}
    return write_folder(tmp_path / "photos", files)


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
