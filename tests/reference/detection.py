"""Slow, obvious versions of what Fast R-CNN does with boxes."""

import math

import torch


def pooled_region(features, box, stride, offset, cells):
    """RoI max-pooling of one region as the released layer does it, cell by cell.

    Args:
        features: (C, h, w).
        box: left, top, right and bottom edge in pixels; the last pixel inside is one before the right and bottom.
        stride, offset: cell i lies at offset + stride * i pixels.
        cells: of the result's side.
    """
    channels, height, width = features.shape
    left, top, right, bottom = box
    last_column, last_row = width - 1, height - 1
    columns = [nearest(pixel, stride, offset, last_column) for pixel in (left, right - 1)]
    rows = [nearest(pixel, stride, offset, last_row) for pixel in (top, bottom - 1)]
    result = torch.zeros(channels, cells, cells)
    for i in range(cells):
        for j in range(cells):
            y0, y1 = bounds(rows, i, cells)
            x0, x1 = bounds(columns, j, cells)
            for c in range(channels):
                inside = [float(features[c, y, x]) for y in range(y0, y1) for x in range(x0, x1)]
                result[c, i, j] = max(inside, default=0.0)
    return result


def nearest(pixel, stride, offset, last):
    """The cell that lies nearest to a pixel; of two as near, the further one."""
    cell = min(max((pixel - offset) / stride, 0), last)
    return math.floor(cell + 0.5)


def bounds(ends, i, cells):
    """From where to before where the i-th of so many parts of a range of cells reaches; parts overlap."""
    first, last = ends
    length = max(last - first + 1, 1)
    return first + math.floor(i * length / cells), first + math.ceil((i + 1) * length / cells)


def suppressed(boxes, scores, classes, overlap):
    """Numbers of the boxes that stay: by falling score, each that overlaps no other of its class that does."""
    stay = []
    for n in sorted(range(len(boxes)), key=lambda n: -scores[n]):
        if all(classes[n] != classes[m] or shared(boxes[n], boxes[m]) <= overlap for m in stay):
            stay.append(n)
    return stay


def shared(a, b):
    """Intersection over union of two boxes given by their edges."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
