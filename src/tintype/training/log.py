"""What a run says while it goes: metrics.jsonl, TensorBoard, and a progress bar or plain lines."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

PLAIN_SECONDS = 30.0  # between two plain lines where there is no terminal


class Log:
    """Writes a run's metrics. On processes other than the first (`main` false) it does nothing.

    Args:
        run: the run's folder; lines in metrics.jsonl beyond `start` are cut, a resumed run makes them again.
        start: updates made so far.
        steps: updates in all.
        main: whether this process is the one that writes.
    """

    def __init__(self, run: Path, start: int, steps: int, main: bool = True):
        self._main, self._steps = main, steps
        self._bar: tqdm[Any] | None = None
        self._spoke = 0.0
        if not main:
            return
        from torch.utils.tensorboard import SummaryWriter  # a second's import, which `--help` should not wait for

        path = run / "metrics.jsonl"
        cut_metrics(path, start)
        self._file = path.open("a", encoding="utf-8")
        self._board = SummaryWriter(str(run), purge_step=start + 1)
        if sys.stderr.isatty():
            self._bar = tqdm(total=steps, initial=start, unit="step", dynamic_ncols=True, smoothing=0.05)

    def metrics(self, step: int, **values: float) -> None:
        """Note some figures after a step."""
        if not self._main:
            return
        self._file.write(json.dumps({"step": step, **values}) + "\n")
        self._file.flush()
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def progress(self, step: int, loss: float, images_per_second: float, seconds_per_step: float) -> None:
        """Show how far the run is."""
        if not self._main:
            return
        if self._bar is not None:
            self._bar.update(step - self._bar.n)
            self._bar.set_postfix_str(f"loss {loss:.4g}, {images_per_second:.0f} images/s")
        elif step >= self._steps or time.monotonic() - self._spoke >= PLAIN_SECONDS:
            self._spoke = time.monotonic()
            left = tqdm.format_interval((self._steps - step) * seconds_per_step)
            self.say(f"step {step}/{self._steps}  loss {loss:.4g}  {images_per_second:.0f} images/s  {left} left")

    def say(self, line: str) -> None:
        """Print a line for people, above the progress bar if there is one."""
        if self._main:
            tqdm.write(line, file=sys.stderr)

    def close(self) -> None:
        if not self._main:
            return
        if self._bar is not None:
            self._bar.close()
        self._board.close()
        self._file.close()


def cut_metrics(path: Path, step: int) -> None:
    """Drop the lines of metrics.jsonl that come after a step, and a last line that a kill left half written."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text("".join(kept), encoding="utf-8")
    os.replace(temporary, path)
