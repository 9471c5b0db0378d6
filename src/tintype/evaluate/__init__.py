"""How good a colorization is: colour error (AuC), PSNR, SSIM and colourfulness over colour photographs."""

from tintype.evaluate.methods import Method, colorized, grey, true
from tintype.evaluate.photograph import Photograph, read_photograph
from tintype.evaluate.prior import prior_of, read_prior
from tintype.evaluate.suite import FIGURES, Evaluation, evaluate

__all__ = [
    "FIGURES",
    "Evaluation",
    "Method",
    "Photograph",
    "colorized",
    "evaluate",
    "grey",
    "prior_of",
    "read_photograph",
    "read_prior",
    "true",
]
