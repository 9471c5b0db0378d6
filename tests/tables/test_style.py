"""Colours of a table's page, measured."""

import re

import numpy as np
import pytest
from skimage.color import rgb2lab

from tintype.tables.style import STYLE


def channels(colour):
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def schemes():
    """Colours by their names, on white and on black."""
    light, dark = STYLE.split("@media (prefers-color-scheme: dark)")
    found = [re.findall(r"--(\w+): #([0-9a-f]{3,6})", part) for part in (light, dark)]
    return [{name: f"#{colour if len(colour) == 6 else ''.join(2 * c for c in colour)}" for name, colour in each}
            for each in found]  # fmt: skip


@pytest.mark.parametrize("scheme", schemes())
def test_text_and_marks_stand_out_from_the_page(scheme):
    def contrast(one, other):  # WCAG 2
        low, high = sorted(float(channels(scheme[name]) @ [0.2126, 0.7152, 0.0722]) for name in (one, other))
        return (high + 0.05) / (low + 0.05)

    assert all(contrast(name, "paper") >= 4.5 for name in ("ink", "dim", "link"))
    assert all(contrast(name, "paper") >= 3 for name in ("bar", "c1", "c2", "c3", "c4", "c5", "c6"))
    assert contrast("ink", "bar") >= 3  # whiskers on it


@pytest.mark.parametrize("scheme", schemes())
@pytest.mark.parametrize(
    "sight",
    [  # Machado, Oliveira, Fernandes 2009: nothing missing, and the red, green and blue cones
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ],
)
def test_colours_of_lines_can_be_told_apart_whatever_cones_are_missing(scheme, sight):
    seen = np.clip(np.array([channels(scheme[f"c{i}"]) for i in range(1, 7)]) @ np.array(sight).T, 0, 1)
    lab = rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)[None])[0]
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)[np.triu_indices(6, 1)]
    assert apart.min() > 20
