"""Scores of classification, detection and segmentation, as their definitions stand: one image, box or pixel at a time.

The first two follow the programs of the VOC devkits line by line (VOCevalcls.m, VOCevaldet.m, VOCap.m).
"""

import math
from fractions import Fraction


def curve(answers, positives):
    """(recall, precision) after each answer; answers: True, False, or None for those that do not count."""
    points, tp, fp = [], 0, 0
    for answer in answers:
        tp, fp = tp + (answer is True), fp + (answer is False)
        if tp + fp:
            points.append((Fraction(tp, positives), Fraction(tp, tp + fp)))
    return points


def eleven_point(points):
    total = Fraction(0)
    for tenth in range(11):
        total += max((p for r, p in points if r >= Fraction(tenth, 10)), default=Fraction(0))
    return float(total / 11)


def area(points):
    recall = [Fraction(0), *(r for r, _ in points), Fraction(1)]
    precision = [Fraction(0), *(p for _, p in points), Fraction(0)]
    for i in range(len(precision) - 2, -1, -1):
        precision[i] = max(precision[i], precision[i + 1])
    return float(sum((recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall))))


def points_101(points):
    """COCO's area: mean of the best precision at or above each recall 0, .01, ..., 1."""
    return float(
        sum(max((p for r, p in points if r >= Fraction(k, 100)), default=Fraction(0)) for k in range(101)) / 101
    )


def classified(scores, labels):
    """Answers in order, and how many to find; labels: 1, 0, or 255 for those that do not count."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    return [None if labels[i] == 255 else bool(labels[i]) for i in order], sum(label == 1 for label in labels)


def overlap(a, b, plus):
    """Intersection over union of boxes (left, top, right, bottom); `plus`: what is added to each side's length."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]) + plus, min(a[3], b[3]) - max(a[1], b[1]) + plus
    if width <= 0 or height <= 0:
        return -math.inf
    areas = [(box[2] - box[0] + plus) * (box[3] - box[1] + plus) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def detected(detections, truths, plus):
    """Answers in order, and how many to find.

    Args:
        detections: of each image, pairs of box and score.
        truths: of each image, pairs of box and whether it is difficult.
        plus: see `overlap`.
    """
    every = [(score, image, box) for image, boxes in enumerate(detections) for box, score in boxes]
    every.sort(key=lambda one: -one[0])
    taken, answers = set(), []
    for _, image, box in every:
        most, nearest = -math.inf, None
        for number, (true, _) in enumerate(truths[image]):
            if overlap(box, true, plus) > most:
                most, nearest = overlap(box, true, plus), number
        if most >= 0.5:
            if truths[image][nearest][1]:
                answers.append(None)
            else:
                answers.append((image, nearest) not in taken)
                taken.add((image, nearest))
        else:
            answers.append(False)
    return answers, sum(not difficult for boxes in truths for _, difficult in boxes)


def segmented(pairs, classes, void):
    """Intersection over union and accuracy of each class (NaN without), and share of pixels that are right."""
    pixels = [(p, t) for predicted, true in pairs for p, t in zip(predicted, true, strict=True) if t != void]
    iu, accuracy = [], []
    for c in range(classes):
        both = sum(p == c and t == c for p, t in pixels)
        either, true = sum(p == c or t == c for p, t in pixels), sum(t == c for _, t in pixels)
        iu.append(both / either if either else math.nan)
        accuracy.append(both / true if true else math.nan)
    return iu, accuracy, sum(p == t for p, t in pixels) / len(pixels)
