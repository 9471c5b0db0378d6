"""The gallery: photographs that a method did best on, worst, and in the middle, as every method made them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tintype.evaluate.figures import FIGURES
from tintype.evaluate.report.parts import picture, text

Pictures = Callable[[str, str], NDArray[np.uint8]]  # photograph and method, as in the result, to (h, w, 3)

SIDE, SMALLER = 256, 192  # pixels of a picture's longer side; the smaller where there are many
MANY = 90


def gallery(result: Mapping[str, Any], pictures: Pictures) -> str:
    """Rows of pictures for each method: grey, each method, true."""
    chosen = result["gallery"]
    shown = ["grey", *chosen, "ground-truth"]
    side = SIDE if sum(map(len, chosen.values())) * len(shown) <= MANY else SMALLER
    made: dict[tuple[str, str], str] = {}

    def embedded(photograph: str, method: str) -> str:
        if (photograph, method) not in made:
            made[photograph, method] = picture(pictures(photograph, method), f"{photograph}, {method}", side)
        return made[photograph, method]

    parts = []
    score = FIGURES["auc_rebalanced_per_image"]
    for method, photographs in chosen.items():
        parts.append(f"<h3>{text(method)}</h3>")
        for one in photographs:
            value = f"{score.text(one['auc_rebalanced_per_image'])} {score.unit}"
            told = f'<span class="kind">{text(one["kind"])}</span> {value} '
            told += f'<span class="quiet small">{text(one["photograph"])}</span>'
            row = "".join(_figure(name, embedded(one["photograph"], name), name == method) for name in shown)
            parts.append(f'<div class="strip"><p>{told}</p><div class="pictures" tabindex="0">{row}</div></div>')
    return "".join(parts)


def _figure(method: str, image: str, own: bool) -> str:
    label = {"ground-truth": "true"}.get(method, method)
    return f"<figure{' class=own' if own else ''}>{image}<figcaption>{text(label)}</figcaption></figure>"
