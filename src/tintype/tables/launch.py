"""How many processes share a run's batches."""

import re
from collections.abc import Sequence


def shared(launch: Sequence[str], batch_size: int) -> list[str]:
    """Words that launch a run, with as many processes as its batches can be parted among.

    Batches of 10 cannot be parted among 8 processes; 5 take them. What `--nproc-per-node` (torchrun) or
    `--num_processes` (Accelerate, of all machines together) says is the most there may be. Where that is no number, or
    no number up to it will do, the words stay as they are.

    Args:
        launch: the words.
        batch_size: of the run; 0 where it has none.
    """
    words = list(launch)
    _, nodes = _number(words, "nnodes") or (0, 1)
    _, machines = _number(words, "num[-_]machines") or (0, 1)
    for option, apart, step in (("nproc[-_]per[-_]node", nodes, 1), ("num[-_]processes", 1, machines)):
        place, most = _number(words, option) or (0, 0)
        fitting = [
            number for number in range(step, most + 1, step) if batch_size and batch_size % (number * apart) == 0
        ]
        if fitting:
            words[place] = re.sub(r"\d+$", str(fitting[-1]), words[place])
    return words


def _number(words: Sequence[str], option: str) -> tuple[int, int] | None:
    """The place of the word that an option's number stands in, and the number."""
    for place, (word, after) in enumerate(zip(words, [*words, ""][1:], strict=True)):
        found = re.fullmatch(rf"--{option}(?:=(\d+))?", word)
        if found and found[1]:
            return place, int(found[1])
        if found and re.fullmatch(r"\d+", after):
            return place + 1, int(after)
    return None
