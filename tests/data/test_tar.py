import io
import tarfile

import pytest

from tintype.data import DataError
from tintype.data.tar import members


def _members(path):
    with open(path, "rb") as file:
        return list(members(file, path))


FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
NAMES = {
    "a.jpg": b"x" * 700,
    "empty.cls": b"",
    "folder/with ünïcode/b.jpg": b"y" * 512,
    "long/" + "n" * 90 + "/" + "m" * 90 + ".jpg": b"z",
}


@pytest.mark.parametrize("format", FORMATS)
def test_members_are_those_that_tarfile_finds(tmp_path, write_tar, format):
    path = write_tar(tmp_path / "a.tar", NAMES, format=format)
    with tarfile.open(path) as tar:
        expected = [(info.name, info.offset_data, info.size) for info in tar]
    assert [tuple(member) for member in _members(path)] == expected
    data = path.read_bytes()
    assert [data[m.offset : m.offset + m.size] for m in _members(path)] == list(NAMES.values())


def test_names_longer_than_ustar_holds_are_read(tmp_path, write_tar):
    name = "/".join(["d" * 200] * 3) + ".jpg"
    for format in FORMATS[1:]:
        path = write_tar(tmp_path / "a.tar", {name: b"1", "short.jpg": b"2"}, format=format)
        assert [member.name for member in _members(path)] == [name, "short.jpg"]


def test_folders_links_and_hidden_files_are_left_out(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind in (("d", tarfile.DIRTYPE), ("s.jpg", tarfile.SYMTYPE), ("h.jpg", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "a.jpg"
            tar.addfile(info)
        for name in ("._a.jpg", "d/.hidden.jpg", "d/a.jpg"):
            info = tarfile.TarInfo(name)
            info.size = 3
            tar.addfile(info, io.BytesIO(b"abc"))
    assert [member.name for member in _members(path)] == ["d/a.jpg"]


@pytest.mark.parametrize("format", FORMATS[1:])
def test_members_above_8_gigabytes_are_stepped_over(tmp_path, format):
    path = tmp_path / "a.tar"
    huge, small = tarfile.TarInfo("huge.bin"), tarfile.TarInfo("small.jpg")
    huge.size, small.size = 9 << 30, 5
    with open(path, "wb") as file:  # a sparse file, which takes up no room
        file.write(huge.tobuf(format))
        file.seek(huge.size, 1)
        file.write(small.tobuf(format) + b"hello")
        file.truncate(file.tell() + 2048)
    *_, last = _members(path)
    assert last.name == "small.jpg"
    with open(path, "rb") as file:
        file.seek(last.offset)
        assert file.read(last.size) == b"hello"


def test_a_tar_without_its_closing_blocks_is_whole(tmp_path, write_tar):
    path = write_tar(tmp_path / "a.tar", {"a.jpg": b"x" * 512})
    path.write_bytes(path.read_bytes()[:1024])
    assert len(_members(path)) == 1


def test_what_is_no_tar_says_so(tmp_path):
    for data, message in (
        (b"", "is empty, not a tar"),
        (b"hello", "is not a tar"),
        (b"\xff\xd8" * 999, "is not a tar"),
    ):
        path = tmp_path / "a.tar"
        path.write_bytes(data)
        with pytest.raises(DataError, match=f"^{path} {message}$"):
            _members(path)


def test_a_damaged_tar_says_where(tmp_path, write_tar):
    path = write_tar(tmp_path / "a.tar", {"a.jpg": b"x" * 700, "b.jpg": b"y" * 700})
    data = path.read_bytes()
    for damaged, message in (
        (data[:2100], "is damaged: cut short at byte 2100"),
        (data[:1700], "is damaged: no header at byte 1536"),
        (data[:1540] + b"?" + data[1541:], "is damaged: no header at byte 1536"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=f"^{path} {message}$"):
            _members(path)


def _pax(record, size=b"%011o\0"):
    """A tar whose first member is a pax header with this record."""
    header = tarfile.TarInfo("pax").tobuf(tarfile.USTAR_FORMAT)
    header = header[:124] + size % len(record) + header[136:156] + b"x" + header[157:]
    total = sum(header[:148]) + 8 * ord(" ") + sum(header[156:])
    header = header[:148] + b"%06o\0 " % total + header[156:]
    return header + record.ljust(512, b"\0") + tarfile.TarInfo("a.jpg").tobuf(tarfile.USTAR_FORMAT) + bytes(1024)


@pytest.mark.parametrize(
    "record", [b"0 path=x\n", b"-9 path=x", b"zz path=x\n", b"999 path=x\n", b"11 size=ab\n", b"14 size=-1024\n"]
)
def test_a_damaged_pax_header_says_so(tmp_path, record):
    path = tmp_path / "a.tar"
    path.write_bytes(_pax(record))
    with pytest.raises(DataError, match="damaged"):
        _members(path)


def test_a_whole_pax_header_names_the_next_member(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(_pax(b"10 path=x\n"))
    assert [member.name for member in _members(path)] == ["x"]


def test_a_size_that_is_no_number_says_so(tmp_path):
    path = tmp_path / "a.tar"
    path.write_bytes(_pax(b"10 path=x\n", size=b"99999999999%.0d\0"))
    with pytest.raises(DataError, match="damaged"):
        _members(path)
