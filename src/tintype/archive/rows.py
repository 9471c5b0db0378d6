"""Lines of a report: CSV and JSON lines."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

Row = dict[str, Any]

COLUMNS = ["source", "target", "status", "error", "seconds", "size"]


@dataclass(frozen=True)
class Format:
    """How a report is written.

    Attributes:
        header: its first line, if any.
        start: what each begins with.
        line: the bytes of a row.
        read: the rows of a report, without a last one that is not whole; ValueError where it is no report.
    """

    header: bytes
    start: bytes
    line: Callable[[Row], bytes]
    read: Callable[[Path], Iterator[Row]]


def _csv_line(row: Row) -> bytes:
    text = io.StringIO()
    values = ["" if row[column] is None else row[column] for column in COLUMNS]
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue().encode(errors="surrogateescape")  # names that are no text stay the bytes they are


def _read_csv(path: Path) -> Iterator[Row]:
    with _opened(path) as file:
        rows = csv.reader(_whole(file), strict=True)
        try:
            if next(rows, COLUMNS) != COLUMNS:
                raise ValueError
            for values in rows:
                if len(values) != len(COLUMNS):
                    raise ValueError
                yield dict(zip(COLUMNS, values, strict=True))
        except csv.Error as error:
            if "unexpected end" not in str(error):
                raise ValueError from None


def _json_line(row: Row) -> bytes:
    return json.dumps(row).encode() + b"\n"


def _read_json(path: Path) -> Iterator[Row]:
    with _opened(path) as file:
        for line in _whole(file):
            row = json.loads(line)
            if not isinstance(row, dict) or not set(COLUMNS) <= row.keys():
                raise ValueError
            yield row


def _opened(path: Path) -> IO[str]:
    return open(path, encoding="utf-8", errors="surrogateescape", newline="")


def _whole(file: IO[str]) -> Iterator[str]:
    """Lines up to the last that ends."""
    return (line for line in file if line.endswith("\n"))


_HEADER = _csv_line(dict(zip(COLUMNS, COLUMNS, strict=True)))
FORMATS = {
    ".csv": Format(_HEADER, _HEADER, _csv_line, _read_csv),
    ".jsonl": Format(b"", b'{"source": "', _json_line, _read_json),
}
