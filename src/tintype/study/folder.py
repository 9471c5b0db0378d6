"""A study on disk: its settings, and where its pictures and answers lie.

A folder STUDY holds

- `study.json`: the settings, the token in the visitors' link, and which file shows which picture;
- `pictures/`: PNG files of 256 x 256 pixels, whose random names tell nothing of what they show;
- `study.db`: the answers, unless another database was named, with `study.db-wal` beside it while a server runs.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

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
        seed: what each visitor's trials are drawn from, with his number.
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
        StudyError: there are none, or they are of another format.
    """
    path = folder / SETTINGS
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
        if settings.pop("format") != FORMAT:
            raise StudyError(
                f"{path}: made by another version of tintype; make the study again with `tintype study new`"
            )
        pictures = [Picture(**picture) for picture in settings.pop("pictures")]
        return Study(**settings, pictures=pictures)
    except FileNotFoundError as error:
        raise StudyError(f"{folder}: not a study; `tintype study new` makes one") from error
    except OSError as error:
        raise StudyError(f"{path}: {error.strerror}") from error
    except StudyError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StudyError(f"{path}: damaged; put back the file that `tintype study new` wrote") from error
