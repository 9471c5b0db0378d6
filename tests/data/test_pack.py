"""Packing: the same bytes whatever happens in between."""

import io
import json
import os
import tarfile
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from tintype.data import DataError, open_photos, tar_writer
from tintype.data.pack import Packing, pack

# Python 3.12 and later warn of forking where there are threads; torch's workers only ever use one.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

SMALL = Packing(shard_bytes=8_000)


def _members(folder):
    members = {}
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path) as tar:
            members |= {info.name: tar.extractfile(info).read() for info in tar}
    return members


def _files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_verbatim_shards_hold_the_files_byte_by_byte(tmp_path, folder):
    packed = pack(open_photos([folder]), tmp_path / "out", SMALL)
    members = _members(tmp_path / "out")
    assert members == {
        str(path.relative_to(folder)).replace("PNG", "png"): path.read_bytes() for path in folder.rglob("*.*")
    }
    assert (packed.images, packed.damaged) == (43, {})
    assert packed.shards == len(list((tmp_path / "out").glob("shard-*.tar"))) > 5
    assert packed.bytes == sum(path.stat().st_size for path in (tmp_path / "out").glob("*.tar"))


def test_shards_are_as_large_as_may_be_and_no_larger(tmp_path, folder):
    pack(open_photos([folder]), tmp_path / "out", SMALL)
    shards = sorted((tmp_path / "out").glob("*.tar"))
    sizes = [path.stat().st_size for path in shards]
    assert max(sizes) <= 8_000
    for path, following in pairwise(shards):
        with tarfile.open(following) as tar:
            first = next(iter(tar)).size
        assert path.stat().st_size + 512 + -(-first // 512) * 512 > 8_000


def test_a_photograph_larger_than_a_shard_has_one_to_itself(tmp_path, folder, picture, encode):
    (folder / "a" / "005.jpg").write_bytes(encode(picture(5, 400, 400), quality=100))
    pack(open_photos([folder]), tmp_path / "out", SMALL)
    large = [path for path in (tmp_path / "out").glob("*.tar") if path.stat().st_size > 8_000]
    assert len(large) == 1
    with tarfile.open(large[0]) as tar:
        assert tar.getnames() == ["a/005.jpg"] or len(tar.getnames()) == 1


def test_jobs_change_nothing(tmp_path, folder):
    packing = Packing(shard_bytes=8_000, short_side=24, quality=90, labels="names")
    for jobs in (1, 3):
        pack(open_photos([folder]), tmp_path / str(jobs), packing, jobs=jobs)
    assert _files(tmp_path / "1") == _files(tmp_path / "3")


@pytest.mark.parametrize(("stop", "jobs"), [(0, 1), (1, 1), (7, 1), (20, 2), (42, 1), (43, 2)])
def test_an_interrupted_packing_goes_on_to_the_same_bytes(tmp_path, folder, stop, jobs):
    (folder / "a" / "010.jpg").write_bytes(b"damaged")
    photos = open_photos([folder])
    pack(photos, tmp_path / "whole", SMALL)

    class PowerCut(BaseException):
        pass

    def cut(done):
        if done == stop:
            raise PowerCut

    with pytest.raises(PowerCut):
        pack(photos, tmp_path / "cut", SMALL, jobs=jobs, progress=cut)
    assert not list((tmp_path / "cut").glob(".*"))
    pack(photos, tmp_path / "cut", SMALL, jobs=jobs)
    assert _files(tmp_path / "cut") == _files(tmp_path / "whole")


def test_what_a_kill_leaves_is_recognised(tmp_path, folder):
    photos, out = open_photos([folder]), tmp_path / "out"
    pack(photos, out, SMALL)
    whole = _files(out)
    lines = whole["shards.jsonl"].splitlines(keepends=True)
    for journal in (lines[0] + lines[1][:20], lines[0], b"", b"".join(lines[:3])):
        (out / "shards.jsonl").write_bytes(journal)
        (out / ".shard-000003.tar.part").write_bytes(b"half")
        pack(photos, out, SMALL)
        assert _files(out) == whole
    (out / "shard-000002.tar").write_bytes(b"cut short")
    (out / "shard-000004.tar").unlink()
    pack(photos, out, SMALL)
    assert _files(out) == whole
    for path in out.iterdir():
        path.unlink()
    (out / ".pack.json.part").write_bytes(b"{")
    (out / ".lock").touch()
    pack(photos, out, SMALL)
    assert _files(out) == whole


@pytest.mark.parametrize("number", range(1, 5))
def test_a_kill_while_the_first_files_are_written_is_no_obstacle(tmp_path, folder, monkeypatch, number):
    photos, out = open_photos([folder]), tmp_path / "out"
    packing = Packing(8_000, labels="numbers")
    pack(photos, tmp_path / "whole", packing)

    class Kill(BaseException):
        pass

    replace, calls = os.replace, []

    def until(source, target):
        calls.append(target)
        if len(calls) == number:
            raise Kill
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", until)
        with pytest.raises(Kill):
            pack(photos, out, packing)
    pack(photos, out, packing)
    assert _files(out) == _files(tmp_path / "whole")


def test_packing_again_when_all_is_done_does_nothing(tmp_path, folder, monkeypatch):
    photos = open_photos([folder])
    first = pack(photos, tmp_path / "out", SMALL)
    monkeypatch.setattr("tintype.data.pack.check", lambda data: pytest.fail("read again"))
    assert pack(photos, tmp_path / "out", SMALL) == first


def test_a_full_disk_leaves_whole_shards_and_packing_goes_on(tmp_path, folder, monkeypatch):
    photos, out = open_photos([folder]), tmp_path / "out"
    pack(photos, tmp_path / "whole", SMALL)
    finish, calls = tar_writer.TarWriter.finish, []

    def full(self):
        calls.append(self)
        if len(calls) == 4:
            raise OSError(28, "No space left on device")
        return finish(self)

    monkeypatch.setattr(tar_writer.TarWriter, "finish", full)
    with pytest.raises(OSError, match="No space left"):
        pack(photos, out, SMALL)
    assert sorted(path.name for path in out.glob("*.tar")) == [f"shard-{n:06}.tar" for n in range(3)]
    assert not list(out.glob(".*"))
    pack(photos, out, SMALL)
    assert _files(out) == _files(tmp_path / "whole")


def test_a_disk_that_is_really_full_leaves_whole_shards(small_disk, tmp_path, picture, encode, write_folder):
    data = encode(picture(0, 300, 300), quality=100)
    photos = open_photos(
        [write_folder(tmp_path / "large", {f"{n:03}.jpg": data for n in range(3_000_000 // len(data))})]
    )
    with pytest.raises(OSError, match="No space left"):
        pack(photos, small_disk / "out", Packing(shard_bytes=400_000))
    shards = sorted((small_disk / "out").glob("*.tar"))
    assert len(shards) >= 3
    assert all(len(open_photos([shard])) for shard in shards)
    assert not list((small_disk / "out").glob(".*"))


def test_photographs_are_reduced_to_their_short_side_and_never_enlarged(tmp_path, write_folder, picture, encode):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    files = {
        "wide.jpg": encode(picture(0, 60, 100)),
        "small.png": encode(picture(1, 20, 30), "PNG"),
        "turned.jpg": encode(picture(2, 60, 120), exif=exif),
    }
    pack(
        open_photos([write_folder(tmp_path / "f", files)]), tmp_path / "out", Packing(10**6, short_side=30, quality=95)
    )
    made = {name: Image.open(io.BytesIO(data)) for name, data in _members(tmp_path / "out").items()}
    assert {name: image.size for name, image in made.items()} == {
        "wide.jpg": (50, 30),
        "small.jpg": (30, 20),
        "turned.jpg": (30, 60),
    }
    assert all(image.format == "JPEG" and not image.getexif() for image in made.values())
    assert all(image.layer[0][1:3] == image.layer[1][1:3] == (1, 1) for image in made.values())  # 4:4:4
    expected = picture(0, 60, 100).resize((50, 30), Image.Resampling.LANCZOS)
    assert np.abs(np.asarray(made["wide.jpg"], float) - np.asarray(expected, float)).mean() < 2


def test_a_colour_profile_stays(tmp_path, write_folder, picture, encode):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    files = {"1.jpg": encode(picture(0, 60, 60), icc_profile=profile), "2.jpg": encode(picture(0, 60, 60))}
    pack(
        open_photos([write_folder(tmp_path / "f", files)]), tmp_path / "out", Packing(10**6, short_side=30, quality=95)
    )
    kept = [Image.open(io.BytesIO(data)).info.get("icc_profile") for data in _members(tmp_path / "out").values()]
    assert kept == [profile, None]


def test_labels_go_with_their_photographs_by_name_and_by_number(tmp_path, folder):
    photos = open_photos([folder])
    for labels in ("names", "numbers"):
        pack(photos, tmp_path / labels, Packing(8_000, labels=labels))
        members = _members(tmp_path / labels)
        classes = {key: data.decode() for key, data in members.items() if key.endswith(".cls")}
        assert len(classes) == 43
        number = {"a": "0", "b": "1", "c": "2"}
        for key, label in classes.items():
            assert label == (key[0] if labels == "names" else number[key[0]])
            assert list(members).index(key) % 2 == 1  # right after its photograph
    assert (tmp_path / "numbers" / "classes.txt").read_text() == "a\nb\nc\n"
    assert [photo.label for photo in open_photos([tmp_path / "names"])] == [photo.label for photo in photos]


def test_labels_are_wanted_of_every_photograph(tmp_path, write_folder, picture, encode):
    photos = open_photos([write_folder(tmp_path / "f", {"1.jpg": encode(picture(0)), "a/2.jpg": encode(picture(1))})])
    with pytest.raises(DataError, match=r"1.jpg has no label"):
        pack(photos, tmp_path / "out", Packing(8_000, labels="names"))
    assert not (tmp_path / "out").exists()


def test_damaged_photographs_are_left_out_and_listed(tmp_path, folder):
    for name in ("a/000.jpg", "b/003.jpg", "c/52.PNG"):
        (folder / name).write_bytes((folder / name).read_bytes()[:300])
    notes = []
    packed = pack(open_photos([folder]), tmp_path / "out", SMALL, max_damaged=0.1, note=notes.append)
    damaged = [str(folder / name) for name in ("a/000.jpg", "b/003.jpg", "c/52.PNG")]
    assert list(packed.damaged) == damaged
    assert packed.images == len(_members(tmp_path / "out")) == 40
    listed = [line.split("\t") for line in (tmp_path / "out" / "damaged.tsv").read_text().splitlines()]
    assert [path for path, _ in listed] == damaged
    assert notes == [f"skipped {path}: {reason}" for path, reason in listed]


def test_too_many_damaged_photographs_end_it_until_more_are_allowed(tmp_path, folder):
    for n in range(0, 40, 4):
        (folder / "a" / f"{n:03}.jpg").write_bytes(b"")
    photos, out = open_photos([folder]), tmp_path / "out"
    with pytest.raises(
        DataError, match=r"^3 of 43 photographs are damaged, more than 5.00% \(--max-damaged\), .*out/damaged.tsv$"
    ):
        pack(photos, out, SMALL)
    assert len((out / "damaged.tsv").read_text().splitlines()) == 3
    assert len(pack(photos, out, SMALL, max_damaged=0.5).damaged) == 10
    pack(photos, tmp_path / "whole", SMALL, max_damaged=0.5)
    assert _files(out) == _files(tmp_path / "whole")


def test_only_damaged_photographs_are_an_error(tmp_path, write_folder):
    photos = open_photos([write_folder(tmp_path / "f", {"1.jpg": b"x", "2.jpg": b"y"})])
    with pytest.raises(DataError, match=r"^none of the 2 photographs can be decoded$"):
        pack(photos, tmp_path / "out", SMALL, max_damaged=1)


def test_other_settings_and_other_photographs_are_refused_and_nothing_is_touched(tmp_path, folder):
    out = tmp_path / "out"
    pack(open_photos([folder]), out, SMALL)
    before = _files(out)
    with pytest.raises(DataError, match=r"out: holds shards made with shard_bytes 8000, quality 0: choose another"):
        pack(open_photos([folder]), out, Packing(9_000, quality=80))
    (folder / "a" / "000.jpg").unlink()
    with pytest.raises(DataError, match=r"out: holds shards made with photographs 43 \([0-9a-f]{16}\): choose another"):
        pack(open_photos([folder]), out, SMALL)
    assert _files(out) == before
    for name in ("diary.txt", "package.lock", "film.part", ".film.part"):
        other = tmp_path / f"with {name}"
        other.mkdir()
        (other / name).write_text("dear diary")
        with pytest.raises(DataError, match=rf"{name}: is not empty, and holds no shards to go on with"):
            pack(open_photos([folder]), other, SMALL)
        assert os.listdir(other) == [name]
    with pytest.raises(DataError, match=r"diary.txt: is no folder"):
        pack(open_photos([folder]), tmp_path / "with diary.txt" / "diary.txt", SMALL)


def test_names_are_made_fit_for_webdataset(tmp_path, write_folder, picture, encode):
    data = encode(picture(0))
    write_folder(tmp_path, {"f/a.b.c.jpg": data, "f/v1.0/d.jpg": data, "in/e.jpg": data})
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "l.txt").write_text(f"../in/e.jpg\n{tmp_path}/f/v1.0/d.jpg")
    pack(open_photos([tmp_path / "f", tmp_path / "lists" / "l.txt"]), tmp_path / "out", SMALL)
    below = str(tmp_path).lstrip("/")
    names = ["a_b_c.jpg", "v1.0/d.jpg", "in/e.jpg", f"{below}/f/v1.0/d.jpg"]
    assert list(_members(tmp_path / "out")) == names
    assert [photo.key for photo in open_photos([tmp_path / "out"])] == [name.removesuffix(".jpg") for name in names]


def test_two_photographs_of_one_key_are_named(tmp_path, write_folder, picture, encode):
    for names in (("a.b.jpg", "a_b.jpg"), ("1.jpg", "1.jpg")):
        paths = [write_folder(tmp_path / names[0] / str(n), {name: encode(picture(n))}) for n, name in enumerate(names)]
        with pytest.raises(DataError, match=rf"0/{names[0]} and .*1/{names[1]} would both be \w+ in the shards"):
            pack(open_photos(paths), tmp_path / "out", SMALL)


def test_shards_can_be_packed_again(tmp_path, folder):
    pack(open_photos([folder]), tmp_path / "one", Packing(8_000, labels="names"))
    pack(open_photos([tmp_path / "one"]), tmp_path / "two", Packing(30_000, labels="names"))
    assert _members(tmp_path / "one") == _members(tmp_path / "two")
    assert len(list((tmp_path / "two").glob("*.tar"))) < len(list((tmp_path / "one").glob("*.tar")))


def test_the_journal_says_what_each_shard_holds(tmp_path, folder):
    packed = pack(open_photos([folder]), tmp_path / "out", SMALL)
    lines = [json.loads(line) for line in (tmp_path / "out" / "shards.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines] == [f"shard-{n:06}.tar" for n in range(packed.shards)]
    ends = [line["next"] for line in lines]
    assert ends[-1] == 43
    for line, first, end in zip(lines, [0, *ends], ends, strict=False):
        with tarfile.open(tmp_path / "out" / line["name"]) as tar:
            assert len(tar.getnames()) == end - first


def test_names_in_any_letters_come_back(tmp_path, write_folder, picture, encode):
    names = ["ünïcödé/é.jpg", "long/" + "n" * 120 + "/" + "m" * 120 + ".jpg"]
    pack(
        open_photos([write_folder(tmp_path / "f", {name: encode(picture(0)) for name in names})]), tmp_path / "o", SMALL
    )
    assert sorted(_members(tmp_path / "o")) == sorted(names)
    assert sorted(photo.key + ".jpg" for photo in open_photos([tmp_path / "o"])) == sorted(names)


def test_two_processes_do_not_pack_into_one_folder(tmp_path, folder):
    photos, out = open_photos([folder]), tmp_path / "out"

    def again(done):
        if done == 5:
            with pytest.raises(DataError, match=r"out: another process is packing there$"):
                pack(photos, out, SMALL)

    pack(photos, out, SMALL, progress=again)
    assert len(_members(out)) == 43
    assert not list(out.glob(".*"))
