"""What all trunks have in common."""

from collections.abc import Sequence
from functools import cached_property

from torch import Tensor, nn

from tintype.networks.geometry import survey
from tintype.networks.surgery import Freezable

Step = tuple[str, Sequence[nn.Module]]  # a feature map's name, and the layers that make it out of the one before


class Trunk(Freezable):
    """Grey picture, (B, 1, H, W) in [0, 100], to feature maps by name.

    Attributes:
        mean, std: of the input; the trunk itself subtracts the one and divides by the other.
        multiple: height and width must be multiples of this.
        strides: of each feature map, from the picture to the top.
        channels: likewise.
        columns: the maps that the paper's hypercolumn reads; empty where no paper says.
        example: side of a square picture that it takes, in pixels.
    """

    mean, std = 50.0, 1.0
    multiple = 1
    example = 224
    strides: dict[str, int]
    channels: dict[str, int]
    columns: tuple[str, ...] = ()

    def __init__(self, in_chans: int = 1):
        super().__init__()
        self.in_chans = in_chans

    @cached_property
    def offsets(self) -> dict[str, float]:
        """Where the first cell of each feature map lies, in pixels from the first pixel's middle."""
        layers = survey(self, self.in_chans, self.example)
        # Where the stride is reached in ways that were not followed, cells are taken to tile the picture.
        return {
            name: layers[name].grid.offset if layers[name].grid.stride == stride else (stride - 1) / 2
            for name, stride in self.strides.items()
        }

    def normalize(self, picture: Tensor) -> Tensor:
        """What the first layer is given of a picture."""
        return (picture - self.mean) / self.std

    def end_at(self, last: str) -> None:
        """Drop, or at least freeze, what no map up to `last` needs: DDP stops at parameters without gradient."""
        raise NotImplementedError

    def freeze(self, below: str) -> None:
        """Freeze everything that the feature map `below` is made by.

        Raises:
            ValueError: there is no such feature map.
        """
        raise NotImplementedError

    def train_from(self, first: str) -> None:
        """Freeze everything below the feature map `first`, whose own layers and all above them are trained.

        Raises:
            ValueError: there is no such feature map.
        """
        names = [name for name in self.strides if name != "data"]
        if first not in names:
            raise ValueError(f"this trunk has no feature map {first!r}; it has {', '.join(names)}")
        if first != names[0]:
            self.freeze(names[names.index(first) - 1])


class Chain(Trunk):
    """A trunk whose feature maps are made one out of the other; `chain` says how."""

    def __init__(self, in_chans: int = 1):
        super().__init__(in_chans)
        self.steps: list[tuple[str, list[str]]] = []  # layers by name, for others may be put in their places
        self.data = False

    def chain(self, steps: Sequence[Step], data: bool = True) -> None:
        """Set the layers, in the order of the computation. They must be this module's own already.

        Args:
            data: also give the normalized input itself, as the map `data`.
        """
        names = {layer: name for name, layer in self.named_modules()}
        self.steps, self.data = [(name, [names[layer] for layer in layers]) for name, layers in steps], data
        self.measure()

    def measure(self) -> None:
        """Find the strides, channels and offsets of the feature maps, again where layers have been changed."""
        self.__dict__.pop("offsets", None)
        layers = survey(self, self.in_chans, self.example)
        self.strides = {name: int(layer.grid.stride) for name, layer in layers.items()}
        self.channels = {name: layer.channels for name, layer in layers.items()}

    def freeze(self, below: str) -> None:
        last = self._position(below)
        self.freeze_parts(self.get_submodule(name) for _, layers in self.steps[: last + 1] for name in layers)

    def end_at(self, last: str) -> None:
        end = 0 if last == "data" else self._position(last) + 1
        for name, layers in self.steps[end:]:
            del self.strides[name], self.channels[name]
            for layer in layers:
                parent, _, child = layer.rpartition(".")
                setattr(self.get_submodule(parent), child, nn.Identity())
        self.steps = self.steps[:end]

    def forward(self, lightness: Tensor) -> dict[str, Tensor]:
        x = self.normalize(lightness)
        features = {"data": x} if self.data else {}
        for name, layers in self.steps:
            for layer in layers:
                x = self.get_submodule(layer)(x)
            features[name] = x
        return features

    def _position(self, name: str) -> int:
        names = [step for step, _ in self.steps]
        if name not in names:
            raise ValueError(f"this trunk has no feature map {name!r}; it has {', '.join(names)}")
        return names.index(name)
