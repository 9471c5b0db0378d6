"""The pictures of a devkit, their boxes, and the boxes proposed for them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from tintype.data import DataError
from tintype.data.boxes import Boxes
from tintype.data.decode import center_crop
from tintype.data.errors import DamagedPhotoError, LoadingError
from tintype.data.voc import Devkit
from tintype.transfer.detect.proposals import given, searched
from tintype.transfer.detect.recipe import IN_RUN, DetectRecipe
from tintype.transfer.early_stopping import without_held_out
from tintype.transfer.session import Session
from tintype.transfer.subject import PICTURES


@dataclass(frozen=True)
class DetectData:
    """Pictures by name, their files, true boxes, and files of proposals."""

    names: Sequence[str]
    photographs: Sequence[Path]
    boxes: Sequence[Boxes]
    proposals: Sequence[Path]

    def __len__(self) -> int:
        return len(self.names)

    def choose(self, numbers: Sequence[int]) -> "DetectData":
        """Some of the pictures."""
        held = (self.names, self.photographs, self.boxes, self.proposals)
        return DetectData(*([part[i] for i in numbers] for part in held))  # type: ignore[arg-type]

    def without_held_out(self, schedule: object) -> tuple["DetectData", "DetectData"]:
        """Without those pictures that early stopping holds out, and these; all, and none, without it."""
        less, held_out = without_held_out(self.names, schedule)
        return self.choose(less), self.choose(held_out)

    def fingerprint(self) -> str:
        """Of all that is learned from: files of proposals are named by the content of their photographs."""
        content = hashlib.sha256("\n".join(path.name for path in self.proposals).encode())
        for boxes in self.boxes:
            for part in boxes:
                content.update(part.tobytes())
        return content.hexdigest()[:16]

    def pictures(self) -> Tensor:
        """Centred squares of some of the pictures, (N, 3, 224, 224) uint8."""
        crops = []
        for path in self.photographs[:PICTURES]:
            try:
                crops.append(torch.from_numpy(center_crop(path.read_bytes(), 224)).permute(2, 0, 1))
            except (DamagedPhotoError, OSError) as error:
                raise LoadingError(f"{path} cannot be read: {error}") from error
        return torch.stack(crops)


def open_data(session: Session) -> tuple[DetectData, DetectData]:
    """What a session trains on, and what it tests on. Boxes are proposed where that has not been done yet.

    Pictures without an object that is not difficult are not trained on.

    Raises:
        DataError: the devkit is incomplete, or there is more than one; or boxes cannot be proposed.
    """
    recipe, sources = session.recipe, session.sources
    assert isinstance(recipe, DetectRecipe)
    if len(sources.train) > 1 or len(sources.test) > 1:
        raise DataError("detection is trained on one devkit, and tested on the same or another: --data VOCdevkit")
    train, test = (
        _open(session, recipe, folder, split)
        for folder, split in ((sources.train[0], recipe.train), ((sources.test or sources.train)[0], recipe.test))
    )
    train = train.choose([i for i, boxes in enumerate(train.boxes) if not boxes.difficult.all()])
    if not len(train):
        raise DataError(f"{sources.train[0]}: no picture of the list {recipe.train} has an object")
    session.facts |= {
        "train_pictures": len(train),
        "train": train.fingerprint(),
        "test_pictures": len(test),
        "test": test.fingerprint(),
    }
    return train, test


def _open(session: Session, recipe: DetectRecipe, folder: str, split: str) -> DetectData:
    names, photographs, boxes = Devkit(folder, recipe.year).detection(split)
    kept = session.run / "proposals"
    matlab = Path(recipe.proposals, f"voc_{recipe.year}_{split}.mat")
    if recipe.proposals != IN_RUN and matlab.is_file():
        proposals = given(names, matlab, kept, session.accelerator.is_main_process)
    else:
        if recipe.proposals != IN_RUN:
            kept = Path(recipe.proposals)
        proposals = searched(names, photographs, kept, recipe.search, recipe.workers, session.share)
    session.accelerator.wait_for_everyone()
    return DetectData(names, photographs, boxes, proposals)
