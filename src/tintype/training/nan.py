"""Writing down what a network was shown when its loss stopped being finite."""

from collections.abc import Callable, Sequence
from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import gather_object

FILE = "nan-batch.txt"


def write_batches(
    accelerator: Accelerator, run: Path, names: Callable[[int], Sequence[str]] | None, step: int, loss: float
) -> str:
    """Write run/nan-batch.txt: the batch of a step, and the one before, after which the weights were last changed.

    Called by all processes at once.

    Args:
        names: what this process's share of a step's batch is known by; None writes nothing.
        loss: of this process's share.

    Returns:
        Where to look, as a part of the error's sentence.
    """
    if names is None:
        return ""
    lines = []
    for shown, said in ((step, f"loss {loss}"), (step - 1, "the step before")):
        if shown > 0:
            lines.append(f"# step {shown}, process {accelerator.process_index}: {said}")
            try:
                lines += names(shown)
            except Exception as error:  # what went wrong first is more important
                lines.append(f"# cannot be told: {error}")
    lines = gather_object(lines)
    path = run / FILE
    if accelerator.is_main_process:
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="surrogateescape")
    return f"; what it was shown is listed in {path}"
