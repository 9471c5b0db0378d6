"""How good a colorization is: colour error, meaning and realism over colour photographs (Zhang16, section 3.1)."""

from tintype.evaluate.methods import Method, Pictures, colorized, grey, random_colours, true
from tintype.evaluate.options import Options
from tintype.evaluate.photograph import Photograph, read_photograph
from tintype.evaluate.prior import prior_of, read_prior
from tintype.evaluate.run import Evaluation, NothingMeasured, run
from tintype.evaluate.suite import Networks, Task, measure_all
from tintype.evaluate.summary import Summary

__all__ = [
    "Evaluation",
    "Method",
    "Networks",
    "NothingMeasured",
    "Options",
    "Photograph",
    "Pictures",
    "Summary",
    "Task",
    "colorized",
    "grey",
    "measure_all",
    "prior_of",
    "random_colours",
    "read_photograph",
    "read_prior",
    "run",
    "true",
]
