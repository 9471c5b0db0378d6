import logging
import os

import numpy as np
import pytest
import torch
from PIL import Image

from tintype.data import Damaged, DataError, Photo, batches, center_crops, open_photos
from tintype.data.decode import center_crop, random_crop

# Python 3.12 and later warn of forking where there are threads; torch's workers only ever use one.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

RUN = {"batch_size": 8, "crop": 24, "seed": 3, "steps": 6}


@pytest.fixture
def folder(tmp_path, write_folder, jpegs):
    return write_folder(tmp_path / "photos", jpegs(0, 20))


@pytest.fixture
def photos(folder):
    return open_photos([folder])


def _all(batches):
    return torch.stack([batch.clone() for batch in batches])


def test_batches_are_bytes_of_the_size_asked_for(photos):
    loader = batches(photos, **RUN)
    crops = _all(loader)
    assert len(loader) == 6
    assert crops.shape == (6, 8, 3, 24, 24)
    assert crops.dtype == torch.uint8


def test_workers_change_nothing(photos):
    assert torch.equal(_all(batches(photos, **RUN)), _all(batches(photos, **RUN, workers=2)))


@pytest.mark.parametrize("world_size", [2, 8])
def test_processes_share_the_batch_of_one(photos, world_size):
    parts = [_all(batches(photos, **RUN, rank=rank, world_size=world_size)) for rank in range(world_size)]
    assert torch.equal(torch.cat(parts, dim=1), _all(batches(photos, **RUN)))


@pytest.mark.parametrize("weights", [None, [0.3, 0.7]])
def test_a_resumed_run_sees_the_batches_it_would_have_seen(tmp_path, folder, write_tar, jpegs, weights):
    photos = open_photos([folder, write_tar(tmp_path / "a.tar", jpegs(50, 60))], weights)
    whole = _all(batches(photos, **RUN))
    assert torch.equal(_all(batches(photos, **RUN, start_step=4)), whole[4:])
    assert list(batches(photos, **RUN, start_step=6)) == []


def test_each_iteration_starts_anew(photos):
    loader = batches(photos, **RUN)
    assert torch.equal(_all(loader), _all(loader))


def test_seeds_and_epochs_differ(photos):
    run = RUN | {"batch_size": 20, "steps": 2}
    first, second = _all(batches(photos, **run))
    other, _ = _all(batches(photos, **run | {"seed": 4}))
    assert not torch.equal(first, second)
    assert not torch.equal(first, other)


def test_every_photograph_comes_once_per_epoch(tmp_path, write_folder, picture, encode):
    squares = {f"{seed}.jpg": encode(picture(seed, 30, 30)) for seed in range(20)}
    photos = open_photos([write_folder(tmp_path, squares)])
    run = RUN | {"batch_size": 5, "steps": 8}
    crops = _all(batches(photos, **run, scale=(1, 1), flip=False)).permute(0, 1, 3, 4, 2).numpy()
    own = sorted(center_crop(photo.read(), 24).tobytes() for photo in photos)
    for epoch in (crops[:4], crops[4:]):
        assert sorted(crop.tobytes() for batch in epoch for crop in batch) == own


def test_crops_are_as_large_and_as_often_mirrored_as_asked(photos, monkeypatch):
    calls = []
    monkeypatch.setattr(
        "tintype.data.loader.random_crop", lambda *call: (calls.append(call[2:]), np.zeros((24, 24, 3), np.uint8))[1]
    )
    list(batches(photos, **RUN | {"steps": 60}, scale=(0.4, 0.6)))
    sides, lefts, tops, flips = np.array(calls, np.float64).T
    assert 0.4 <= sides.min() < 0.41
    assert 0.59 < sides.max() <= 0.6
    for places in (lefts, tops):
        assert 0 <= places.min() < 0.02
        assert 0.98 < places.max() < 1
    assert abs(np.corrcoef([sides, lefts, tops, flips]) - np.eye(4)).max() < 0.15
    assert 0.4 < flips.mean() < 0.6
    calls.clear()
    list(batches(photos, **RUN, flip=False))
    assert not any(flip for *_, flip in calls)


def test_a_damaged_photograph_is_replaced_and_named_once(folder, photos, caplog):
    whole = _all(batches(photos, **RUN))
    damaged = folder / "0007.jpg"
    damaged.write_bytes(damaged.read_bytes()[:200])
    loader = batches(photos, **RUN)
    crops = _all(loader)
    assert list(loader.damaged.reasons) == [str(damaged)]
    assert [record.message for record in caplog.records] == [
        f"skipped {damaged}: {loader.damaged.reasons[str(damaged)]}"
    ]
    assert caplog.records[0].levelno == logging.WARNING
    changed = (crops != whole).flatten(2).any(dim=2)
    assert 2 <= changed.sum() <= 3  # 48 draws from 20 photographs are between two and three epochs
    assert torch.equal(crops, _all(batches(photos, **RUN, workers=2)))
    assert torch.equal(crops[3:], _all(batches(photos, **RUN, start_step=3)))


def test_a_photograph_that_is_gone_is_replaced(folder, photos):
    (folder / "0003.jpg").unlink()
    loader = batches(photos, **RUN)
    list(loader)
    assert loader.damaged.reasons == {str(folder / "0003.jpg"): "No such file or directory"}


@pytest.mark.parametrize("workers", [0, 1])
def test_a_source_of_damaged_photographs_only_ends_the_run_in_one_line(tmp_path, folder, write_folder, workers):
    bad = write_folder(tmp_path / "bad", {f"{number}.jpg": b"no picture" for number in range(10)})
    loader = batches(open_photos([folder, bad], weights=[0.9, 0.1]), **RUN, workers=workers)
    with pytest.raises(
        DataError, match=rf"^64 photographs in a row cannot be decoded, the last one {bad}/\d.jpg: [^\n]+$"
    ):
        list(loader)


def test_arguments_out_of_range_are_refused(photos):
    with pytest.raises(DataError, match=r"^batch_size 8 cannot be divided by 3 processes$"):
        batches(photos, **RUN, world_size=3)
    for scale in ((0, 1), (0.5, 0.4), (0.5, 1.1)):
        with pytest.raises(DataError, match=r"^scale must be two numbers in \(0, 1\], the lower first, got "):
            batches(photos, **RUN, scale=scale)


def test_validation_sees_every_photograph_once_and_always_the_same(photos):
    loader = center_crops(photos, batch_size=8, crop=24)
    assert [len(batch) for batch in loader] == [8, 8, 4]
    crops = torch.cat(list(loader))
    own = {center_crop(photo.read(), 24).tobytes() for photo in photos}
    assert {crop.permute(1, 2, 0).numpy().tobytes() for crop in crops} == own
    assert torch.equal(crops, torch.cat(list(center_crops(photos, batch_size=20, crop=24, workers=2))))
    assert torch.equal(crops[:5], torch.cat(list(center_crops(photos, batch_size=4, crop=24, count=5))))


def test_processes_share_validation(photos):
    whole = list(center_crops(photos, batch_size=3, crop=24))
    for rank in range(2):
        loader = center_crops(photos, batch_size=3, crop=24, rank=rank, world_size=2)
        for step, batch in zip(loader.steps, loader, strict=True):
            assert torch.equal(batch, whole[step])
        assert list(loader.steps) == list(range(rank, 7, 2))


def test_validation_mixes_sources(tmp_path, folder, write_tar, jpegs):
    photos = open_photos([folder, write_tar(tmp_path / "a.tar", jpegs(50, 70))])
    (first,) = center_crops(photos, batch_size=16, crop=24, count=16)
    second = {center_crop(photo.read(), 24).tobytes() for photo in photos[20:]}
    assert 3 < sum(crop.permute(1, 2, 0).numpy().tobytes() in second for crop in first) < 13


def test_validation_leaves_out_what_is_damaged(folder, photos, caplog):
    (folder / "0011.jpg").write_bytes(b"")
    loader = center_crops(photos, batch_size=20, crop=24)
    (batch,) = loader
    assert len(batch) == 19
    assert list(loader.damaged.reasons) == [str(folder / "0011.jpg")]


def test_a_crop_in_a_batch_is_the_crop_of_its_photograph(photos, monkeypatch):
    calls = []
    monkeypatch.setattr("tintype.data.loader.random_crop", lambda *call: (calls.append(call), random_crop(*call))[1])
    (batch,) = batches(photos, **RUN | {"steps": 1})
    for crop, call in zip(batch, calls, strict=True):
        np.testing.assert_array_equal(crop.permute(1, 2, 0).numpy(), random_crop(*call))


def test_real_shards_are_read():
    if "TINTYPE_PHOTOS" not in os.environ:
        pytest.skip("TINTYPE_PHOTOS is not set")
    small = os.path.join(os.environ["TINTYPE_PHOTOS"], "small")
    photos = open_photos([small])
    assert len(photos) == 6500
    train, val = photos.split(0.02)
    assert 80 < len(val) < 180
    loader = batches(train, batch_size=32, crop=64, seed=0, steps=4, workers=1)
    for batch in loader:
        assert batch.shape == (32, 3, 64, 64)
        assert batch.float().std() > 20
    assert not loader.damaged.reasons


@pytest.mark.parametrize(("world_size", "workers"), [(1, 0), (2, 2), (4, 1)])
@pytest.mark.parametrize("kind", ["folder", "shards"])
def test_each_photograph_comes_once_per_epoch_over_ranks_workers_and_resumes(
    tmp_path, write_folder, write_tar, encode, world_size, workers, kind
):
    # 24 photographs, each of a colour of its own, so that they can be counted in the batches.
    files = {f"{number}.png": encode(Image.new("RGB", (9, 9), (10 * number, 0, 0)), "PNG") for number in range(24)}
    names = sorted(files)
    sources = [tmp_path / "f"] if kind == "folder" else [tmp_path / "a.tar", tmp_path / "b.tar"]
    if kind == "folder":
        write_folder(sources[0], files)
    for part, path in enumerate(sources if kind == "shards" else []):
        write_tar(path, {name: files[name] for name in names[12 * part : 12 * part + 12]})
    run = {"batch_size": 8, "crop": 8, "seed": 5, "world_size": world_size, "workers": workers}
    counts = np.zeros((3, 24), int)
    for first, stop in ((0, 2), (2, 7), (7, 9)):  # three batches an epoch, stopped in the middle of two of them
        for rank in range(world_size):
            loader = batches(open_photos(sources), rank=rank, start_step=first, steps=stop, **run)
            for step, batch in enumerate(loader, first):
                for colour in batch[:, 0].flatten(1).float().mean(dim=1):
                    counts[step // 3, round(float(colour) / 10)] += 1
    assert (counts == 1).all()


def test_the_names_of_a_batch_are_those_of_its_photographs(folder, photos, monkeypatch):
    read = []
    original = Photo.read
    monkeypatch.setattr(Photo, "read", lambda photo: (read.append(photo.path), original(photo))[1])
    loader = batches(photos, **RUN, world_size=2, rank=1)
    list(loader)
    by_batch = [read[first : first + 4] for first in range(0, 24, 4)]
    assert [loader.paths(step) for step in range(6)] == by_batch
    (folder / "0007.jpg").write_bytes(b"")
    assert str(folder / "0007.jpg") not in {path for step in range(6) for path in loader.paths(step)}


def test_more_damaged_photographs_than_may_be_end_the_run_and_are_listed(tmp_path, folder, photos):
    for number in (3, 7, 11):
        (folder / f"{number:04}.jpg").write_bytes(b"")
    listing = tmp_path / "damaged.tsv"
    few, enough = Damaged(20, 0.1), Damaged(20, 0.15)
    for damaged in (few, enough):
        damaged.list_in(listing)
    message = r"^3 of 20 photographs are damaged, more than 10.00% \(--max-damaged\), the last one [^\n]+ listed in "
    with pytest.raises(DataError, match=message + str(listing)):
        list(batches(photos, **RUN, damaged=few))
    listed = dict(line.split("\t") for line in listing.read_text().splitlines())
    assert listed == few.reasons
    assert set(listed) == {str(folder / f"{number:04}.jpg") for number in (3, 7, 11)}
    list(batches(photos, **RUN, damaged=enough))
    assert dict(line.split("\t") for line in listing.read_text().splitlines()) == listed
    assert len(listing.read_text().splitlines()) == 3
    with pytest.raises(DataError, match=r"^3 of 20 photographs are damaged"):
        list(center_crops(photos, batch_size=4, crop=24, damaged=Damaged(20, 0.1)))
