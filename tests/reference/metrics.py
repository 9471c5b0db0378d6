"""The figures of an evaluation, written from their definitions, one pixel at a time in plain Python.

Pictures are nested lists or arrays of 8-bit (r, g, b), indexed [row][column][channel].
"""

import math

from reference.bins import bin_centres
from reference.lab import rgb_to_lab

CENTRES = [(float(a), float(b)) for a, b in bin_centres()]


def ab_of(pixel) -> tuple[float, float]:
    _, a, b = rgb_to_lab(*(float(v) / 255 for v in pixel))
    return a, b


def pixels(picture) -> list[tuple[int, int, int]]:
    return [tuple(int(v) for v in pixel) for row in picture for pixel in row]


def nearest_bin(ab: tuple[float, float]) -> int:
    return min(range(len(CENTRES)), key=lambda q: math.dist(CENTRES[q], ab))


def colour_errors(true, picture) -> list[float]:
    return [math.dist(ab_of(t), ab_of(p)) for t, p in zip(pixels(true), pixels(picture), strict=True)]


def auc(errors: list[float], weights: list[float]) -> float:
    """Percent: trapezoids under the share of the weight whose error is within 0, 1, ..., 150."""
    total = sum(weights)
    share = [sum(w for e, w in zip(errors, weights, strict=True) if e <= t) / total for t in range(151)]
    area = sum((share[t] + share[t + 1]) / 2 for t in range(150))
    return 100 * area / 150


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def psnr(true, picture) -> float:
    squares = [
        (a - b) ** 2 for t, p in zip(pixels(true), pixels(picture), strict=True) for a, b in zip(t, p, strict=True)
    ]
    return math.inf if not any(squares) else 10 * math.log10(255**2 / mean(squares))


def ssim(true, picture, window: int = 7) -> float:
    """Wang et al. 2004, eq. 13, over every whole window, with sample covariance; mean over windows and channels."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    height, width = len(true), len(true[0])
    scores = []
    for channel in range(3):
        for top in range(height - window + 1):
            for left in range(width - window + 1):
                places = [(top + i, left + j) for i in range(window) for j in range(window)]
                x = [float(true[i][j][channel]) for i, j in places]
                y = [float(picture[i][j][channel]) for i, j in places]
                mx, my, n = mean(x), mean(y), len(places) - 1
                vx, vy = sum((v - mx) ** 2 for v in x) / n, sum((v - my) ** 2 for v in y) / n
                vxy = sum((v - mx) * (u - my) for v, u in zip(x, y, strict=True)) / n
                scores.append((2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2)))
    return mean(scores)


def colourfulness(picture) -> float:
    rg = [r - g for r, g, b in pixels(picture)]
    yb = [(r + g) / 2 - b for r, g, b in pixels(picture)]
    variances = [mean([(v - mean(values)) ** 2 for v in values]) for values in (rg, yb)]
    return math.sqrt(sum(variances)) + 0.3 * math.hypot(mean(rg), mean(yb))


def rmse_ab(errors: list[float]) -> float:
    """Over pixels and both channels, from Euclidean errors."""
    return math.sqrt(sum(error**2 for error in errors) / (2 * len(errors)))


def neutral_chroma(pairs) -> float:
    """Mean chroma predicted where the true chroma is under 4, over the pixels of all pictures; NaN without any."""
    chroma = [
        math.hypot(*ab_of(p))
        for true, picture in pairs
        for t, p in zip(pixels(true), pixels(picture), strict=True)
        if math.hypot(*ab_of(t)) < 4
    ]
    return mean(chroma) if chroma else math.nan


def figures(pairs, prior) -> dict[str, float]:
    """All figures of one method's colours. `pairs`: true and predicted picture; `prior`: probability of each bin."""
    errors = [colour_errors(true, picture) for true, picture in pairs]
    weights = [[1 / prior[nearest_bin(ab_of(pixel))] for pixel in pixels(true)] for true, _ in pairs]
    every_error, every_weight = ([value for image in values for value in image] for values in (errors, weights))
    own, others = ([colourfulness(pair[side]) for pair in pairs] for side in (1, 0))
    return {
        "auc": auc(every_error, [1.0] * len(every_error)),
        "auc_rebalanced": auc(every_error, every_weight),
        "auc_rebalanced_per_image": mean([auc(e, w) for e, w in zip(errors, weights, strict=True)]),
        "rmse_ab": rmse_ab(every_error),
        "neutral_chroma": neutral_chroma(pairs),
        "psnr": mean([psnr(true, picture) for true, picture in pairs]),
        "ssim": mean([ssim(true, picture) for true, picture in pairs]),
        "colourfulness": mean(own),
        "colourfulness_difference_per_image": mean([abs(a - b) for a, b in zip(own, others, strict=True)]),
        "colourfulness_difference_of_means": abs(mean(own) - mean(others)),
    }
