"""Detection by Fast R-CNN (Girshick, ICCV 2015) on boxes proposed by selective search.

Boxes here are edges, (left, top, right, bottom) in pixels: pixel i reaches from i to i + 1, and a box is right - left
wide, so that boxes scale and mirror with their picture. `tintype.data.Boxes` and the devkit name the outermost pixels.
"""
