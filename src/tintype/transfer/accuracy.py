"""Accuracy of answers, with the interval that so many test pictures leave."""

from collections.abc import Iterable
from typing import Any

from accelerate.utils import gather_object
from scipy.stats import binomtest
from torch import Tensor

CONFIDENCE = 0.95


class Accuracy:
    """Counts answers among the likeliest and among the five likeliest.

    Attributes:
        count: answers so far; right, right5: those of them whose class is the likeliest, or among the five likeliest.
    """

    def __init__(self) -> None:
        self.count = self.right = self.right5 = 0

    def add(self, logits: Tensor, classes: Tensor) -> None:
        """Take in answers, (B, K), and what is right, (B,)."""
        ranked = logits.topk(min(5, logits.shape[1]), dim=1).indices == classes[:, None]
        self.count += len(classes)
        self.right += int(ranked[:, 0].sum())
        self.right5 += int(ranked.sum())

    def of_all_processes(self) -> "Accuracy":
        """All processes' answers, of which each had its share of the test pictures."""
        everyone: Iterable[tuple[int, ...]] = gather_object([(self.count, self.right, self.right5)])
        total = Accuracy()
        total.count, total.right, total.right5 = (sum(each) for each in zip(*everyone, strict=True))
        return total

    @property
    def top1(self) -> float:
        """In per cent; NaN without answers."""
        return 100 * self.right / self.count if self.count else float("nan")

    def summary(self) -> dict[str, Any]:
        """In per cent, with the 95 % interval of Wilson's score, and the number of test pictures."""
        return {
            "top1": self.top1,
            "top1_interval": interval(self.right, self.count),
            "top5": 100 * self.right5 / self.count,
            "top5_interval": interval(self.right5, self.count),
            "images": self.count,
        }


def interval(right: int, count: int) -> list[float]:
    """Wilson's 95 % interval of a share, in per cent."""
    found = binomtest(right, count).proportion_ci(CONFIDENCE, "wilson")
    return [100 * float(found.low), 100 * float(found.high)]
