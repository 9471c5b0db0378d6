"""A label study as a file: how it was made, then one line for each image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tintype.data.errors import DataError
from tintype.data.whole import write_whole

COLUMNS = ("image", "label", "true")


@dataclass(frozen=True)
class Study:
    """Images and labels.

    Attributes:
        about: how it was made, in lines.
        images: keys of photographs, or their paths below their folder.
        labels: of each image to train on; empty for those that are held out.
        true: what each image is measured by: its label before some were made wrong; None where all are as in `labels`.
    """

    about: tuple[str, ...]
    images: Sequence[str]
    labels: Sequence[str]
    true: Sequence[str] | None = None


def write_study(path: Path, study: Study) -> None:
    """Write lines "IMAGE<tab>LABEL[<tab>TRUE]" below a header: comments that begin with #, and the columns' names.

    Images that are held out have no LABEL, but a TRUE one.

    The file is replaced if it is there, and has its name only once it is complete.

    Raises:
        DataError: a name has a tab or line break in it.
        OSError: it cannot be written.
    """
    columns = [study.images, study.labels, *([] if study.true is None else [study.true])]
    wanted = columns[:1] + columns[-1:]
    for name in (name for column in columns for name in column):
        if any(character in name for character in "\t\r\n"):
            raise DataError(f"{name!r} has a tab or line break in it, which a study's file cannot hold")
    if not all(map(all, wanted)):
        raise DataError("a study's file cannot hold an empty name")
    rows = zip(*columns, strict=True)
    lines = [*(f"# {line}" for line in study.about), "\t".join(COLUMNS[: len(columns)]), *map("\t".join, rows)]
    write_whole(path, "".join(f"{line}\n" for line in lines))


def read_study(path: Path) -> Study:
    """Read what `write_study` wrote, or a file of that form.

    Raises:
        DataError: the file cannot be read, or is none.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    start = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    header = tuple(lines[start].split("\t")) if start < len(lines) else ()
    if header not in (COLUMNS[:2], COLUMNS):
        raise DataError(f"{path}: is no file of labels: a line image<tab>label comes first, then one for each image")
    rows = []
    for number, line in enumerate(lines[start + 1 :], start + 2):
        if line:
            row = line.split("\t")
            if len(row) != len(header) or not row[0] or not row[-1]:
                raise DataError(f"{path}: line {number} is not {'<tab>'.join(header).upper()}")
            rows.append(row)
    if not any(row[1] for row in rows):
        raise DataError(f"{path}: names no image to train on")
    images, labels, *true = (list(column) for column in zip(*rows, strict=True))
    return Study(tuple(line[1:].strip() for line in lines[:start]), images, labels, true[0] if true else None)
