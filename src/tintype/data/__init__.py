"""Photographs for training: finding them, reading them, and drawing the same batches whatever the machine.

    photos = open_photos(["shards/train-{00..04}.tar", "~/Pictures"], weights=[0.8, 0.2])
    train, val = photos.split(val_fraction=0.02)
    for batch in batches(train, batch_size=256, crop=128, seed=0, steps=10_000, workers=8):
        ...  # uint8, (256, 3, 128, 128)

Knows nothing of colour: a batch is RGB as the files hold it.
"""

from tintype.data.damaged import Damaged
from tintype.data.errors import DamagedPhotoError, DataError, LoadingError
from tintype.data.loader import Batches, Labelled, batches, center_crops
from tintype.data.photos import Photo, Photos, fingerprint, open_photos

__all__ = [
    "Batches",
    "Damaged",
    "DamagedPhotoError",
    "DataError",
    "Labelled",
    "LoadingError",
    "Photo",
    "Photos",
    "batches",
    "center_crops",
    "fingerprint",
    "open_photos",
]
