"""How a run can end before its last step."""

from pathlib import Path


class TrainingError(RuntimeError):
    """A run cannot start or go on. The message is one line for people."""


class Interrupted(Exception):
    """A run was asked to stop (Ctrl-C or SIGTERM) and has written a checkpoint.

    Attributes:
        signal: which signal.
        step: updates made so far.
        checkpoint: where they are kept.
    """

    def __init__(self, signal: int, step: int, checkpoint: Path):
        super().__init__(f"stopped at step {step}, kept in {checkpoint}")
        self.signal, self.step, self.checkpoint = signal, step, checkpoint
