"""Colour as two histograms, of hue and of chroma, over a small window (Larsson17, section 3; PAPERS C1, D1)."""

from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from tintype.color import rgb_to_lab
from tintype.color.hue_chroma import (
    bicone_to_rgb,
    draw,
    expectation,
    fade,
    hue_chroma,
    match_lightness,
    mean_hue,
    mode,
    quantile,
    window_histograms,
)

Decoding = Literal["median", "mode", "expectation", "sample"]


class HistogramsTarget(NamedTuple):
    """Histograms of the windows around N points."""

    hue: Tensor  # (B, K, N), sum 1 over K
    chroma: Tensor  # (B, K, N), sum 1 over K
    hue_weight: Tensor  # (B, N), each point's weight in the loss
    chroma_weight: Tensor  # (B, N)


class Histograms(nn.Module):
    """Predicts a distribution over hue and one over chroma; trained by their divergence from the window's histograms.

    A prediction holds 2 K logits for each place: K of hue, then K of chroma.

    Args:
        bins: K, of each.
        window: side of the window, in pixels, odd.
        hue_weight: λ_H. A point's hue counts this times the chroma of its own pixel, for grey has no hue; 5 is about
            1 / E[C].
        midtones: weigh chroma by 3 min(x, ⅓, 1 - x), x the point's grey value, so that black and white, whose chroma
            is bounded, count less. The released code does so, the papers do not.
        decoding: `median`: chroma's median, the mean hue, and less chroma where that is unsure (the paper's and the
            released code's default); `mode`: the likeliest of each; `expectation`: chroma's mean and the mean hue;
            `sample`: each drawn by its distribution, place by place.
        seed: of `sample`.

    Raises:
        ValueError: the window is not odd.
    """

    temperature = 1.0

    def __init__(
        self,
        bins: int = 32,
        window: int = 7,
        hue_weight: float = 5.0,
        midtones: bool = False,
        decoding: Decoding = "median",
        seed: int = 0,
    ):
        super().__init__()
        if window % 2 != 1:
            raise ValueError(f"window must be odd, got {window}")
        self.bins, self.window, self.channels = bins, window, 2 * bins
        self.hue_weight, self.midtones = hue_weight, midtones
        self.decoding, self.seed = decoding, seed

    def target(self, rgb: Tensor, points: Tensor) -> HistogramsTarget:
        """Histograms at some points of the photographs, at full resolution.

        Args:
            rgb: (B, 3, H, W) floats in [0, 1].
            points: (B, N, 2) int64, row and column of each point's pixel.
        """
        hue, chroma = window_histograms(rgb, points, self.bins, self.window)
        place = points[..., 0] * rgb.shape[3] + points[..., 1]
        pixels = rgb.flatten(2).gather(2, place[:, None].expand(-1, 3, -1))
        hue_weight = self.hue_weight * hue_chroma(pixels)[1]
        grey = pixels.mean(1)
        midtone = 3 * torch.minimum(grey, 1 - grey).clamp(max=1 / 3) if self.midtones else torch.ones_like(grey)
        return HistogramsTarget(hue, chroma, hue_weight, midtone)

    def loss(self, prediction: Tensor, target: HistogramsTarget) -> Tensor:
        """KL(chroma ‖ softmax) + λ_H C KL(hue ‖ softmax), mean over all points, whatever their weights.

        Args:
            prediction: (B, 2 K, N) logits, of any float type; summed in float32.

        Returns:
            A scalar, in nats.
        """
        hue, chroma = prediction.float().chunk(2, dim=1)
        divergence = target.hue_weight * _divergence(target.hue, hue)
        return (divergence + target.chroma_weight * _divergence(target.chroma, chroma)).mean()

    def decode(
        self, prediction: Tensor, temperature: float | Tensor | None = None, *, grey: Tensor | None = None
    ) -> Tensor:
        """Point estimate of colour from the two distributions.

        Hue and chroma make RGB upon the grey, its channel mean is brought to the grey, and of the result only ab is
        kept. Joined with another lightness, as that of the CIE, it keeps its ab, and with it about its hue and chroma.

        Args:
            prediction: (B, 2 K, h, w) logits.
            temperature: the distributions are those of logits / temperature; 1 unless given.
            grey: (B, 1, h, w), grey values in [0, 1] at the prediction's places, on which the colour is laid.

        Returns:
            ab, (B, 2, h, w), in CIE Lab units.

        Raises:
            ValueError: no grey is given.
        """
        if grey is None:
            raise ValueError("hue and chroma become ab upon a grey value only; give `grey`")
        logits = prediction.float() / (self.temperature if temperature is None else temperature)
        p_hue, p_chroma = (part.softmax(1) for part in logits.chunk(2, dim=1))
        if self.decoding == "mode":
            hue, chroma = mode(p_hue), mode(p_chroma)
        elif self.decoding == "sample":
            generator = torch.Generator(grey.device).manual_seed(self.seed)
            places = (2, len(prediction), *prediction.shape[2:])
            uniform = torch.rand(places, generator=generator, device=grey.device)
            hue, chroma = draw(p_hue, uniform[0]), draw(p_chroma, uniform[1])
        else:
            hue, length = mean_hue(p_hue)
            chroma = expectation(p_chroma) if self.decoding == "expectation" else fade(quantile(p_chroma), length)
        level = grey[:, 0].float()
        rgb = match_lightness(bicone_to_rgb(hue, chroma, level), level)
        ab: Tensor = rgb_to_lab(rgb, axis=1)[:, 1:]
        return ab


def _divergence(target: Tensor, logits: Tensor) -> Tensor:
    """KL(target ‖ softmax(logits)) over the second dimension: (B, K, N) to (B, N)."""
    return (torch.xlogy(target, target) - target * logits.log_softmax(1)).sum(1)
