"""Small studies: pictures that are quickly made, and visitors that answer as they are told."""

from pathlib import Path

import numpy as np
from PIL import Image

from tintype.study import visit
from tintype.study.folder import Picture, Study
from tintype.study.make import make_study
from tintype.study.storage import Storage

MEASURED = visit.Measured(1000.0, 1000.0, 700.0)


def colours(seed: int, size: tuple[int, int] = (40, 32)) -> np.ndarray:
    """Smooth patches of colour, (height, width, 3)."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC))


def faded(rgb: np.ndarray, much: float) -> np.ndarray:
    grey = rgb.mean(axis=2, keepdims=True)
    return (grey + (rgb - grey) * much).astype(np.uint8)


def folders(place: Path, pictures: int = 8) -> tuple[Path, dict[str, Path]]:
    """A folder of colour photographs, and those of two methods."""
    methods = {"half": place / "half", "faint": place / "faint"}
    for folder in (place / "true", *methods.values()):
        folder.mkdir(parents=True)
    for number in range(pictures):
        rgb = colours(number)
        Image.fromarray(rgb).save(place / "true" / f"{number}.png")
        for folder, much in ((methods["half"], 0.5), (methods["faint"], 0.2)):
            Image.fromarray(faded(rgb, much)).save(folder / f"{number}.png")
    return place / "true", methods


def make(place: Path, practice: int = 2, trials: int = 4, pictures: int = 8, exposure: float = 1.0) -> Path:
    """A study of two methods, on disk."""
    true, methods = folders(place, pictures)
    make_study(place / "study", true, methods, practice=practice, trials=trials, exposure=exposure, seed=1)
    return place / "study"


def settings(practice: int = 2, trials: int = 4, pictures: int = 8) -> Study:
    """Settings alone, without pictures."""
    names = ["half", "faint"]
    shown = [Picture(f"{n}.png", f"true{n}.png", {name: f"{name}{n}.png" for name in names}) for n in range(pictures)]
    return Study("A title", "Some text", practice, trials, 1.0, 1, "token", names, shown)


def judge(storage: Storage, study: Study, token: str, fooled: list[bool], measured: visit.Measured = MEASURED) -> None:
    """A visitor who begins and answers as many pairs as told, and is fooled as told."""
    storage.write(visit.begin, study, token).result()
    for taken_in in fooled:
        here = storage.read(visit.where, study, token)
        left = here.trial["fake_left"] != taken_in
        storage.write(visit.show, study, token, here.place, f"{token} {here.place}").result()
        side = visit.LEFT if left else visit.RIGHT
        storage.write(visit.answer, study, token, here.place, side, measured).result()
