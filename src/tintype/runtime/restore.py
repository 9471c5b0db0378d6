"""What the network is shown of a photograph that time or a press has marked: tones drawn apart, the screen taken out.

Only the network sees this. The result keeps the photograph's own lightness. A photograph on which nothing is found is
shown as it is, to the last bit.
"""

import numpy as np

from tintype.runtime.buffers import Plane

FADED = 50.0  # span of L, under which a photograph counts as faded
FULL = (3.0, 97.0)  # where the darkest and lightest parts of a faded one are drawn to
TAIL = 0.5  # percent of the pixels left out on either side
STEEPEST = 4.0  # most contrast to be given
COARSEST = 0.12  # cycles per pixel of the coarsest screen that is looked for: dots more than 8 pixels apart are texture
STANDS_OUT = 25.0  # times the usual strength at that frequency: held-out photographs reach 12, screens begin at 57
UPRIGHT = 12.0  # degrees from the axes, within which peaks are of windows, boards and JPEG's blocks
ACROSS = 8.0  # degrees that the second direction of a screen may be off the right angle
WEAKEST = 1.0  # L: amplitude of the waves that dots make
KEPT = 0.42  # standard deviation, over the screen's frequency, of what is kept: at the peaks themselves 6 %
_MIDDLE = 256  # pixels along a side in which a screen is looked for


def restore(lightness: Plane) -> Plane:
    """CIE L, (h, w), with the screen of a print taken out and a faded range stretched, each where it is found."""
    return stretch(descreen(lightness))


def stretch(lightness: Plane) -> Plane:
    """Draws the tones of a faded photograph apart; others are returned as they are."""
    low, high = np.percentile(lightness, (TAIL, 100 - TAIL))
    span = high - low
    if not 0 < span < FADED:
        return lightness
    gain = min(STEEPEST, (FULL[1] - FULL[0]) / span)
    middle = (low + high) / 2
    centre = np.clip(middle, FULL[0] + gain * span / 2, FULL[1] - gain * span / 2)
    return np.asarray(np.clip(centre + gain * (lightness - middle), 0, 100), dtype=np.float32)


def descreen(lightness: Plane) -> Plane:
    """Takes the dots of a halftone screen out; a picture without one is returned as it is."""
    peaks = screen(lightness)
    if not peaks:
        return lightness
    lowest = min(np.hypot(*peak) for peak in peaks)
    down, across = _frequencies(*lightness.shape)
    keep = np.exp(-(down**2 + across**2) / (2 * (KEPT * lowest) ** 2))
    return np.asarray(np.fft.irfft2(np.fft.rfft2(lightness) * keep, lightness.shape), dtype=np.float32)


def screen(lightness: Plane) -> list[tuple[float, float]]:
    """The two frequencies of a halftone screen, (down, across) in cycles per pixel; empty where there is none.

    A screen has two peaks in the spectrum, at right angles, equally far from the middle, that tower over what is
    usual there. A fence or a cloth has one, or several on a line.
    """
    top, left = (max(0, (side - _MIDDLE) // 2) for side in lightness.shape)
    lightness = lightness[top : top + _MIDDLE, left : left + _MIDDLE]
    height, width = lightness.shape
    if min(height, width) < 32:
        return []
    window = np.hanning(height)[:, None] * np.hanning(width)
    strength = np.abs(np.fft.rfft2((lightness - lightness.mean()) * window))
    down, across = _frequencies(height, width)
    radius = np.hypot(down, across)
    rings = (radius * 64).astype(int)
    usual = np.zeros(rings.max() + 1)
    for ring in np.unique(rings):
        usual[ring] = np.median(strength[rings == ring])
    weakest = WEAKEST * window.sum() / 2
    relative = np.where((radius >= COARSEST) & (strength > weakest), strength / (usual[rings] + 1e-6), 0)
    steep = np.minimum(np.abs(down), across) < np.tan(np.radians(UPRIGHT)) * np.maximum(np.abs(down), across)
    relative[steep] = 0
    first = np.unravel_index(relative.argmax(), relative.shape)
    if relative[first] < STANDS_OUT:
        return []
    v, u = down[first[0], 0], across[0, first[1]]
    best: tuple[float, tuple[float, float]] = (0.0, (0.0, 0.0))
    reach = np.hypot(v, u) * np.radians(ACROSS)
    for sign in (1, -1):
        near = np.hypot(down - sign * u, across + sign * v) <= max(reach, 1.5 / min(height, width))
        second = np.where(near, relative, 0)
        place = np.unravel_index(second.argmax(), second.shape)
        best = max(best, (float(second[place]), (float(down[place[0], 0]), float(across[0, place[1]]))))
    return [(float(v), float(u)), best[1]] if best[0] >= STANDS_OUT else []


def _frequencies(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
