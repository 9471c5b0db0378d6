"""The graphs that bundles hold: a network with its objective's decoding behind it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.color import bin_centres, lightness_to_grey
from tintype.color.encoding import entropy
from tintype.networks import Network
from tintype.objectives import Bins, Histograms, Objective, Regression


class TwoViews(nn.Module):
    """What a network predicts for a picture, averaged with that for the picture's mirror image at half the size.

    Test-time augmentation, at a quarter more of the network's time: mistakes that hang on the size or on the side
    cancel out, and the small view sees more of the scene at once. Logits are averaged, so probabilities geometrically.
    """

    def __init__(self, network: Network):
        super().__init__()
        self.head, self.stride = network.head, network.stride  # `BinsBundle` takes the head's last layer away
        self.network = network

    def forward(self, lightness: Tensor) -> Tensor:
        small = self.network(F.avg_pool2d(lightness, 2).flip(3)).flip(3)
        average: Tensor = (self.network(lightness) + F.interpolate(small, scale_factor=2.0, mode="bilinear")) / 2
        return average


class BinsBundle(nn.Module):
    """A classifier over the 313 bins, its annealed mean, its entropy and itself as one graph, in float32 throughout.

    The last 1x1 convolution is done as a matrix product with the channels last, where softmax wants them.
    """

    outputs = ("ab", "entropy", "logits")
    centres: Tensor
    ones: Tensor

    def __init__(self, network: Network | TwoViews):
        super().__init__()
        predict = network.head.predict
        self.weight = nn.Parameter(predict.weight.detach().flatten(1).T.contiguous())
        assert predict.bias is not None
        self.bias = nn.Parameter(predict.bias.detach().clone())
        network.head.predict = nn.Identity()  # type: ignore[assignment]
        self.network: nn.Module = network
        self.register_buffer("centres", torch.from_numpy(bin_centres()))
        self.register_buffer("ones", torch.ones(Bins.channels, 1))

    def forward(self, lightness: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        logits = self.network(lightness).permute(0, 2, 3, 1) @ self.weight + self.bias
        ab = torch.softmax(logits / temperature, dim=-1) @ self.centres
        p = torch.softmax(logits, dim=-1)
        # H = log Σ exp(z - E[z]): no term can overflow, for the sum is e^H, at most 313. ONNX Runtime's LogSoftmax and
        # Log are slow enough to take half of the whole network's time.
        mean = (p * logits) @ self.ones
        spread = ((logits - mean).exp() @ self.ones).log()
        return ab.permute(0, 3, 1, 2), spread.permute(0, 3, 1, 2), logits


class RegressionBundle(nn.Module):
    """A regression as the same graph: the temperature changes nothing and the entropy is 0."""

    outputs = ("ab", "entropy")

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        ab = Regression.scale * self.network(lightness)
        return ab, ab[:, :1] * 0 + temperature * 0


class HistogramsBundle(nn.Module):
    """Histograms of hue and chroma as the same graph: decoded upon the picture's own grey.

    The entropy is that of both together, at most 2 log K.
    """

    outputs = ("ab", "entropy")

    def __init__(self, network: nn.Module, objective: Histograms, stride: int):
        super().__init__()
        self.network, self.objective, self.stride = network, objective, stride

    def forward(self, lightness: Tensor, temperature: Tensor) -> tuple[Tensor, Tensor]:
        prediction = self.network(lightness)
        grey = F.avg_pool2d(lightness_to_grey(lightness), self.stride)
        ab = self.objective.decode(prediction, temperature, grey=grey)
        return ab, entropy_of(self.objective, prediction)


class GreyInput(nn.Module):
    """A network that was trained on (R + G + B) / 3, fed with the CIE's lightness.

    Of a grey photograph the lightness says exactly what that mean is, as it does of the photographs that are colorized
    for good. Of a colour photograph that is colorized anew to be measured it does not: a saturated blue has a mean of
    .33 and the lightness of a grey of .30. There the network sees what a black-and-white print of the photograph would
    show it, not what it was trained on.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, lightness: Tensor) -> Tensor:
        prediction: Tensor = self.network(100 * lightness_to_grey(lightness))
        return prediction


Graph = BinsBundle | RegressionBundle | HistogramsBundle


def make_graph(network: Network | TwoViews, objective: Objective, seen: str) -> Graph:
    """The graph that a bundle holds, whose results are named by its `outputs`.

    Args:
        seen: the network's input: `lightness`, or `mean` of the channels.
    """
    if isinstance(objective, Bins):
        bundle = BinsBundle(network)
        if seen == "mean":
            bundle.network = GreyInput(network)
        return bundle
    looking = GreyInput(network) if seen == "mean" else network
    if isinstance(objective, Histograms):
        return HistogramsBundle(looking, objective, network.stride)
    return RegressionBundle(looking)


def entropy_of(objective: Objective, prediction: Tensor) -> Tensor:
    """(B, 1, h, w), in nats."""
    if isinstance(objective, Bins):
        return entropy(prediction)
    if isinstance(objective, Histograms):
        hue, chroma = prediction.chunk(2, dim=1)
        return entropy(hue) + entropy(chroma)
    return torch.zeros_like(prediction[:, :1])
