"""What is predicted about colour: each objective knows its channels, its target, its loss and its decoding."""

from tintype.objectives.bins import Bins, BinsTarget
from tintype.objectives.regression import Regression

__all__ = ["Bins", "BinsTarget", "Regression"]
