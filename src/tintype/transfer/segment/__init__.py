"""Semantic segmentation, as Larsson17 and Zhang16 test their features with (PAPERS B3, C5).

tintype transfer segment --weights runs/color --data VOCdevkit/ --out runs/seg
"""

from tintype.transfer.segment.recipe import SegmentRecipe
from tintype.transfer.segment.run import run

__all__ = ["SegmentRecipe", "run"]
