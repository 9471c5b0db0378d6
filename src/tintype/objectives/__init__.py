"""What is predicted about colour: each objective knows its channels, its target, its loss and its decoding."""

from tintype.objectives.autoencoder import Autoencoder
from tintype.objectives.bins import Bins, BinsTarget
from tintype.objectives.histograms import Histograms, HistogramsTarget
from tintype.objectives.regression import Regression

Objective = Autoencoder | Bins | Histograms | Regression

__all__ = ["Autoencoder", "Bins", "BinsTarget", "Histograms", "HistogramsTarget", "Objective", "Regression"]
