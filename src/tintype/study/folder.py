"""A study on disk: its settings, and where its pictures and answers lie.

A folder STUDY holds

- `study.json`: the settings, the token in the visitors' link, and which file shows which picture;
- `pictures/`: PNG files of 256 x 256 pixels, whose random names tell nothing of what they show;
- `study.db`: the answers, unless another database was named, with `study.db-wal` beside it while a server runs.
"""

import json
import math
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from tintype.runtime.atomic import write_atomically
from tintype.study.errors import StudyError

FORMAT = 1
SETTINGS, PICTURES, ANSWERS = "study.json", "pictures", "study.db"


@dataclass(frozen=True)
class Picture:
    """One photograph: the files with its true colours and with each method's, by names within `pictures/`."""

    name: str
    true: str
    methods: dict[str, str]


@dataclass(frozen=True)
class Study:
    """The settings of a study.

    Attributes:
        token: the part of the visitors' link that cannot be guessed.
        seed: what each visitor's trials are drawn from, with the hash of his token.
        exposure: how long each picture of a pair is shown, in seconds.
    """

    title: str
    consent: str
    practice: int
    trials: int
    exposure: float
    seed: int
    token: str
    methods: list[str]
    pictures: list[Picture]

    def file(self, picture: int, method: str | None) -> str:
        """The name of the file that shows a picture in a method's colours, or in its true ones."""
        shown = self.pictures[picture]
        return shown.true if method is None else shown.methods[method]


def write_study(folder: Path, study: Study) -> None:
    """Writes the settings into a folder that is there. Raises OSError."""
    text = json.dumps({"format": FORMAT, **asdict(study)}, indent=1)
    write_file(folder / SETTINGS, text.encode())


def write_file(path: Path, data: bytes) -> None:
    """Writes a new file whole, or not at all. Raises OSError."""

    def write(file: BinaryIO) -> None:
        file.write(data)

    write_atomically(path, write)


def read_study(folder: Path) -> Study:
    """Reads the settings.

    Raises:
        StudyError: there are none, or they are of another format or damaged.
    """
    path = folder / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        if settings.pop("format") != FORMAT:
            raise StudyError(
                f"{path}: made by another version of tintype; make the study again with `tintype study new`"
            )
        pictures = [Picture(**picture) for picture in settings.pop("pictures")]
        study = Study(**settings, pictures=pictures)
        if not _makes_sense(study):
            raise ValueError
        return study
    except FileNotFoundError as error:
        raise StudyError(f"{folder}: not a study; `tintype study new` makes one") from error
    except OSError as error:
        raise StudyError(f"{path}: {error.strerror}") from error
    except StudyError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise StudyError(f"{path}: damaged; put back the file that `tintype study new` wrote") from error


def is_text(value: Any) -> bool:
    """Whether it is a string in which something can be seen, and which UTF-8 and every database can hold."""
    return (
        isinstance(value, str)
        and any(c.isprintable() and not c.isspace() for c in value)
        and not re.search("[\0\ud800-\udfff]", value)
    )


def _makes_sense(study: Study) -> bool:
    """Whether every setting is of its type and can be used; TypeError or AttributeError where it is far off."""
    methods = study.methods
    return (
        all(map(is_text, (study.title, study.consent, *methods)))
        and all(type(value) is int and value >= 0 for value in (study.practice, study.trials, study.seed))
        and type(study.exposure) in (int, float)
        and 0 < study.exposure < math.inf
        and re.fullmatch(r"[\w-]+", study.token, re.ASCII) is not None
        and 0 < len(methods) == len(set(methods))
        and 0 < study.trials <= len(study.pictures) - study.practice
        and all(_is_complete(picture, methods) for picture in study.pictures)
    )


def _is_complete(picture: Picture, methods: list[str]) -> bool:
    files = (picture.true, *picture.methods.values())
    return (
        is_text(picture.name)
        and picture.methods.keys() == set(methods)
        and all(re.fullmatch(r"\w+\.png", file, re.ASCII) for file in files)
    )
