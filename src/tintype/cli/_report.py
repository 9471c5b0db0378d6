"""What a person, or a program, sees of a run over many photographs."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tintype.runtime.folders import Item

FEW = 3  # photographs for which a progress bar would only flicker


class Report:
    """Counts what came of each photograph, and says it: failures as they happen, the rest at the end.

    Everything for people goes to stderr, with a progress bar where that is a terminal; stdout has JSON only.
    """

    def __init__(self, todo: int | None, *, as_json: bool, out: TextIO | None = None) -> None:
        """`todo`: how many photographs there are to colorize; None where that is not known before the run.
        `out`: for JSON, stdout where None."""
        self.made = self.skipped = self.failed = 0
        self._as_json = as_json
        self._out = out or sys.stdout
        self._last: str | None = None
        self._bar = None
        if (todo is None or todo > FEW) and sys.stderr.isatty():
            from tqdm import tqdm

            form = "{percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} photographs, {remaining} left"
            form = form if todo else "{n_fmt} photographs in {elapsed}, {rate_fmt}"
            self._bar = tqdm(total=todo, bar_format=form, dynamic_ncols=True, file=sys.stderr)

    def add(self, item: Item) -> None:
        """Takes in one photograph that is finished, skipped or failed."""
        if item.error:
            self.failed += 1
            self.line(item.error)
        elif item.skipped:
            self.skipped += 1
        else:
            self.made += 1
            self._last = item.target
        for remark in item.remarks:
            self.line(remark)
        if self._as_json:
            self._write(_as_json(item), out=True)
        if self._bar is not None and item.seconds:  # others are not among those to do
            self._bar.update()

    def line(self, text: str) -> None:
        """Says one thing to the person, above the progress bar."""
        self._write(printable(text))

    @contextmanager
    def film(self, source: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar for the frames of a film, where stderr is a terminal; what it gives is told of each frame."""
        if not sys.stderr.isatty():
            yield lambda done, total: None
            return
        from tqdm import tqdm

        form = "{desc} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} frames, {remaining} left"
        with tqdm(desc=printable(os.path.basename(source)), dynamic_ncols=True, file=sys.stderr, leave=False) as bar:

            def progress(done: int, total: int) -> None:
                if total and bar.total != total:
                    bar.total, bar.bar_format = total, form
                bar.update(done - bar.n)

            yield progress

    def close(self, opening: str = "", ending: str = "") -> None:
        """Ends the progress bar and sums up in one line."""
        if self._bar is not None:
            self._bar.close()
        parts = [f"{self.made} colorized"] if self.made != 1 or self._last is None else [f"made {self._last}"]
        if self.skipped:
            parts.append(f"{self.skipped} skipped, as the output is there (--overwrite makes it again)")
        if self.failed:
            parts.append(f"{self.failed} failed")
        self._write(printable(opening + ", ".join(parts) + ending))

    def _write(self, text: str, *, out: bool = False) -> None:
        stream = self._out if out else sys.stderr
        if self._bar is not None:
            self._bar.write(text, file=stream)
        else:
            print(text, file=stream)
        stream.flush()


def printable(text: str) -> str:
    """The text in one line, with characters that would move the cursor or cannot be shown written as escapes."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def say(lines: Iterable[str]) -> None:
    """Says things to the person, each in one line, on stderr."""
    for line in lines:
        print(printable(line), file=sys.stderr, flush=True)


def progress(paths: Sequence[Path], what: str) -> Iterable[Path]:
    """Shows a person how far along a run through photographs is, where stderr is a terminal."""
    from tqdm import tqdm

    bar: Iterable[Path] = tqdm(paths, desc=what, unit="photo", file=sys.stderr, disable=None, leave=False)
    return bar


def _as_json(item: Item) -> str:
    answer: dict[str, object] = {"input": item.source}
    if item.error:
        answer["error"] = item.error
    else:
        answer["output"] = item.target
    if item.skipped:
        answer["skipped"] = True
    return json.dumps(answer | {"seconds": round(item.seconds, 3)})
