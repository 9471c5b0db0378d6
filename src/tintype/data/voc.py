"""A PASCAL VOC devkit as people have it on disk, for classification, detection and segmentation.

    VOCdevkit/VOC2007/  Annotations  ImageSets/Main  ImageSets/Segmentation  JPEGImages  SegmentationClass

torchvision's VOCDetection and VOCSegmentation read the same folders, but only by the devkit's own lists (not trainaug);
they have no labels for classification, and notice that a file is missing once they come to it.
"""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tintype.data.boxes import Boxes, read_annotation
from tintype.data.errors import DataError
from tintype.data.masks import Pair, Part, Segmented
from tintype.data.missing import require_all

CLASSES = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)
IGNORED = 255  # a label that counts neither for nor against
VOID = 255  # id of pixels between objects

_LABELS = {"1": 1, "-1": 0, "0": IGNORED}
_MASKS = ("SegmentationClass", "SegmentationClassAug")
_SBD = ("SBD", "sbd", "benchmark_RELEASE/dataset")


class Classified(NamedTuple):
    """Images with labels.

    Attributes:
        names: of the images, such as 000005.
        photographs: their files.
        labels: (images, 20) uint8: 1 where an object of the class is seen, 0 where none is, `IGNORED` where only
            difficult ones are.
    """

    names: Sequence[str]
    photographs: Sequence[Path]
    labels: NDArray[np.uint8]


class Detected(NamedTuple):
    """Images with boxes of classes 0..19; `names` and `photographs` as in `Classified`."""

    names: Sequence[str]
    photographs: Sequence[Path]
    boxes: Sequence[Boxes]


def is_devkit(path: str) -> bool:
    """Whether a path is a VOC devkit, of whatever year and perhaps half unpacked, or holds one."""
    folder = Path(path)
    below = {name for name in ("ImageSets", "VOCdevkit", "JPEGImages", "Annotations") if (folder / name).is_dir()}
    named = re.fullmatch(r"VOC20\d\d", folder.resolve().name) and folder.is_dir()
    return bool(below & {"ImageSets", "VOCdevkit"} or len(below) == 2 or named or any(folder.glob("VOC20??")))


class Devkit:
    """The images of one year.

    Args:
        folder: VOCdevkit/VOC2007, or VOCdevkit, or what holds VOCdevkit.
        year: such as 2007 or 2012.

    Raises:
        DataError: there is no such devkit, or it has no lists.
    """

    def __init__(self, folder: str | Path, year: int):
        places = [Path(folder), Path(folder, f"VOC{year}"), Path(folder, "VOCdevkit", f"VOC{year}")]
        if re.fullmatch(r"VOC\d{4}", places[0].name) and places[0].name != f"VOC{year}":
            del places[0]
        found = next((place for place in places if (place / "ImageSets").is_dir()), None)
        if found is None:
            raise DataError(
                f"{folder} has no VOC devkit of {year} in it: expected VOCdevkit/VOC{year} with folders ImageSets, "
                "JPEGImages and Annotations or SegmentationClass"
            )
        self.root = found

    def classification(self, split: str) -> Classified:
        """The images of ImageSets/Main/SPLIT.txt, labelled by the 20 files CLASS_SPLIT.txt beside it.

        Where there is none of these files, labels follow from the Annotations.

        Raises:
            DataError: a list, photograph or annotation is missing or damaged.
        """
        names = self._list("Main", split)
        lists = [f"ImageSets/Main/{name}_{split}.txt" for name in CLASSES]
        if not any((self.root / path).is_file() for path in lists) and (self.root / "Annotations").is_dir():
            detected = self.detection(split)
            return Classified(names, detected.photographs, np.stack([labels_of_boxes(each) for each in detected.boxes]))
        wanted = [*_in("JPEGImages", names, ".jpg"), *lists]
        self._require(wanted)
        labels = np.stack([self._labels(path, names) for path in lists], axis=1)
        return Classified(names, self._photographs(names), labels)

    def detection(self, split: str) -> Detected:
        """The images of ImageSets/Main/SPLIT.txt, with the boxes of their Annotations.

        Raises:
            DataError: the list, a photograph or an annotation is missing or damaged.
        """
        names = self._list("Main", split)
        self._require([*_in("JPEGImages", names, ".jpg"), *_in("Annotations", names, ".xml")])
        boxes = [read_annotation(self.root / "Annotations" / f"{name}.xml", CLASSES) for name in names]
        return Detected(names, self._photographs(names), boxes)

    def segmentation(self, split: str) -> Segmented:
        """The images of ImageSets/Segmentation/SPLIT.txt, with masks of 21 classes: background, then the 20 in order.

        trainaug is the list that the Semantic Boundaries Dataset (SBD, Hariharan et al. 2011) adds to. An image's mask
        is VOC's own (SegmentationClass) where there is one, or else that of SegmentationClassAug, or else SBD's
        cls/NAME.mat, in SBD or benchmark_RELEASE/dataset beside VOC2012 or beside VOCdevkit. Without trainaug.txt the
        images are all that VOC's train and SBD list, less VOC's val: 10,582 for VOC2012.

        Raises:
            DataError: the list, a photograph or a mask is missing.
        """
        names = self._list("Segmentation", split) if split != "trainaug" else self._augmented()
        self._require(_in("JPEGImages", names, ".jpg"))
        folders = [(self.root / folder, ".png") for folder in _MASKS]
        folders += [(sbd / "cls", ".mat") for sbd in self._sbd()]
        masks: dict[str, Path] = {}
        for folder, suffix in folders:
            have = _listed(folder)
            masks |= {n: folder / (n + suffix) for n in names if n not in masks and n + suffix in have}
        require_all(self.root, len(names), _in(_MASKS[0], [n for n in names if n not in masks], ".png"))
        pairs = [
            Pair(name, Part.of(photograph), Part.of(masks[name]))
            for name, photograph in zip(names, self._photographs(names), strict=True)
        ]
        return Segmented(pairs, 1 + len(CLASSES), VOID)

    def _list(self, task: str, split: str) -> list[str]:
        path = self.root / "ImageSets" / task / f"{split}.txt"
        names = _lines(path) if path.is_file() else None
        if names is None:
            others = sorted({Path(name).stem for name in _listed(path.parent) if "_" not in name})
            have = f"its lists are {', '.join(others)}" if others else "nor any other list there"
            raise DataError(f"{self.root} has no ImageSets/{task}/{split}.txt; {have}")
        if not names:
            raise DataError(f"{path} is empty")
        return names

    def _augmented(self) -> list[str]:
        sbd = next(iter(self._sbd()), None)
        if (self.root / "ImageSets" / "Segmentation" / "trainaug.txt").is_file() or sbd is None:
            return self._list("Segmentation", "trainaug")
        lists = [sbd / "train.txt", sbd / "val.txt"]
        require_all(sbd, len(lists), [path.name for path in lists if not path.is_file()])
        every = {name for path in lists for name in _lines(path)} | set(self._list("Segmentation", "train"))
        return sorted(every - set(self._list("Segmentation", "val")))

    def _sbd(self) -> list[Path]:
        beside = [place / name for place in (self.root.parent, self.root.parent.parent) for name in _SBD]
        return [place for place in beside if (place / "cls").is_dir()]

    def _labels(self, name: str, images: Sequence[str]) -> NDArray[np.uint8]:
        labels = {}
        for line in _lines(self.root / name):
            image, _, label = line.partition(" ")
            if label.strip() not in _LABELS:
                raise DataError(f"{self.root / name}: expected an image and 1, 0 or -1 on each line, got {line!r}")
            labels[image] = _LABELS[label.strip()]
        without = [image for image in images if image not in labels]
        if without:
            raise DataError(f"{self.root / name} has no line for {len(without)} of its images, {without[0]} first")
        return np.array([labels[image] for image in images], np.uint8)

    def _photographs(self, names: Sequence[str]) -> list[Path]:
        return [self.root / "JPEGImages" / f"{name}.jpg" for name in names]

    def _require(self, wanted: Sequence[str]) -> None:
        # Folders are listed once: asking for each of 10,000 files takes seconds over a network.
        have = {folder: _listed(self.root / folder) for folder in {os.path.dirname(path) for path in wanted}}
        missing = [path for path in wanted if os.path.basename(path) not in have[os.path.dirname(path)]]
        require_all(self.root, len(wanted), missing)


def labels_of_boxes(boxes: Boxes) -> NDArray[np.uint8]:
    """Which of the 20 classes are seen, (20,): 1, 0, or `IGNORED` where all objects of the class are difficult."""
    labels = np.zeros(len(CLASSES), np.uint8)
    labels[boxes.classes] = IGNORED
    labels[boxes.classes[~boxes.difficult]] = 1
    return labels


def _in(folder: str, names: Sequence[str], suffix: str) -> list[str]:
    return [f"{folder}/{name}{suffix}" for name in names]


def _listed(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()
    except OSError as error:
        raise DataError(f"cannot read {folder}: {error.strerror or error}") from error


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text("utf-8", errors="surrogateescape").splitlines() if line.strip()]
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
