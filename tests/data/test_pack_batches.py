"""Batches do not tell shards from the folders and lists that they were packed from."""

import pytest
import torch

from tintype.data import batches, fingerprint, open_photos
from tintype.data.labels import study_labels
from tintype.data.pack import Packing, pack
from tintype.data.study_file import Study, write_study

# Python 3.12 and later warn of forking where there are threads; torch's workers only ever use one.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")

SMALL = Packing(shard_bytes=8_000)
RUN = {"batch_size": 8, "crop": 24, "seed": 3, "steps": 9}


@pytest.fixture
def dotted(tmp_path, write_folder, picture, encode):
    """Photographs with dots in their names, which WebDataset would cut, by folder and by list."""
    names = [f"v1.{n % 2}/{n}.{'x' * (n % 3)}.photo.jpg" for n in range(40)]
    folder = write_folder(tmp_path / "dotted", {name: encode(picture(n)) for n, name in enumerate(names)})
    (tmp_path / "lists").mkdir()
    listed = [f"../dotted/{names[0]}", *(f"{folder}/{name}" for name in names[1:])]
    (tmp_path / "lists" / "l.txt").write_text("\n".join(listed))
    return {"folder": folder, "list": tmp_path / "lists" / "l.txt"}


def _assert_same_batches(source, shards, workers=0):
    for one, other in zip(*(open_photos([path]).split(0.3) for path in (source, shards)), strict=True):
        assert [photo.key for photo in one] == [photo.key for photo in other]
        assert fingerprint(one) == fingerprint(other)
        for a, b in zip(batches(one, **RUN), batches(other, **RUN, workers=workers), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("workers", [0, 2])
def test_shards_and_folder_give_the_same_batches(tmp_path, folder, workers):
    pack(open_photos([folder]), tmp_path / "out", SMALL, jobs=2)
    _assert_same_batches(folder, tmp_path / "out", workers)


@pytest.mark.parametrize("kind", ["folder", "list"])
def test_names_with_dots_give_the_same_batches_in_shards(tmp_path, dotted, kind):
    pack(open_photos([dotted[kind]]), tmp_path / "out", SMALL)
    _assert_same_batches(dotted[kind], tmp_path / "out")


def test_a_study_of_names_with_dots_holds_for_shards_encoded_again(tmp_path, dotted):
    photos = open_photos([dotted["folder"]])
    pack(photos, tmp_path / "out", Packing(8_000, quality=90, labels="names"))
    paths = [photo.path.removeprefix(f"{dotted['folder']}/") for photo in photos]
    names = [paths[0], paths[1].removesuffix(".jpg"), photos[2].key, paths[30].replace(".jpg", ".PNG")]
    write_study(tmp_path / "s.tsv", Study((), names, ["x", "y", "x", "y"]))
    one, other = (
        study_labels(open_photos([path]), tmp_path / "s.tsv") for path in (dotted["folder"], tmp_path / "out")
    )
    assert [photo.key for photo in one.train] == [photo.key for photo in other.train]
    assert len(one.train) == 4
    assert one.fingerprint == other.fingerprint
