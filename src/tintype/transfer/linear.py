"""Linear probes: what a frozen trunk's layers tell of the class (Zhang16, section 3.2; PAPERS B2, F1).

    tintype transfer linear --weights runs/color --data imagenet/ --out runs/probe

All layers are probed in one pass: each has its own batch-norm without scale or shift, and its own linear classifier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.data import Labelled, Photos
from tintype.networks.trunk import Trunk
from tintype.recipes import RecipeError
from tintype.recipes.blocks import Count, WholeNumber
from tintype.transfer.accuracy import Accuracy
from tintype.transfer.classes import CropsRecipe, open_classes, test_batches, train_batches
from tintype.transfer.pooling import DIMENSIONS, pool
from tintype.transfer.session import Session
from tintype.transfer.sklearn_probes import quick_look


@dataclass(frozen=True, kw_only=True)
class LinearRecipe(CropsRecipe):
    """A probe of each layer.

    Attributes:
        layers: feature maps that are probed; empty: all but the input itself.
        pooling: of the maps to about `dimensions` numbers: `average`, or `resize` as in Zhang16's released networks.
        probe: `sgd`, trained as the recipe says; or, fast on small data, on features of centred crops kept in memory:
            `logistic` regression or `knn`, the `neighbours` nearest by cosine.
        per_class: train on so many photographs of each class; 0: on all.
    """

    task: Literal["linear"] = "linear"
    layers: tuple[str, ...] = ()
    pooling: Literal["average", "resize"] = "average"
    dimensions: Count = DIMENSIONS
    probe: Literal["sgd", "logistic", "knn"] = "sgd"
    neighbours: Count = 20
    per_class: WholeNumber = 0


class Probes(nn.Module):
    """A linear classifier on each of a frozen trunk's layers.

    Input: (B, C, H, W) in [0, 100].
    Output: unnormalised log-probabilities, (layers, B, classes).

    Args:
        trunk: in evaluation mode, whatever the probes are in, and not trained.
        layers: names of its feature maps.
        classes: how many.
        recipe: how maps are pooled, of pictures of which size.
        name: of the trunk.
    """

    def __init__(self, trunk: Trunk, layers: Sequence[str], classes: int, recipe: LinearRecipe, name: str):
        super().__init__()
        self.layers, self._recipe, self._name = tuple(layers), recipe, name
        self.trunk = trunk.requires_grad_(False).eval()
        with torch.no_grad():
            device = next(trunk.parameters()).device
            example = trunk(torch.zeros(1, trunk.in_chans, recipe.crop, recipe.crop, device=device))
        sizes = {layer: self.vectors(example, layer).shape[1] for layer in layers}
        self.norms = nn.ModuleList(nn.BatchNorm1d(sizes[layer], affine=False) for layer in layers)
        self.probes = nn.ModuleList(nn.Linear(sizes[layer], classes) for layer in layers)
        for probe in self.probes:
            nn.init.normal_(probe.weight, std=0.01)  # type: ignore[arg-type]
            nn.init.zeros_(probe.bias)  # type: ignore[arg-type]

    def train(self, mode: bool = True) -> "Probes":
        super().train(mode)
        self.trunk.eval()
        return self

    def vectors(self, features: dict[str, Tensor], layer: str) -> Tensor:
        """(B, D) of a layer."""
        return pool(features[layer], self._recipe.pooling, self._name, layer, self._recipe.dimensions)

    def forward(self, picture: Tensor) -> Tensor:
        with torch.no_grad():
            features = self.trunk(picture)
            vectors = [self.vectors(features, layer) for layer in self.layers]
        heads = zip(vectors, self.norms, self.probes, strict=True)
        return torch.stack([probe(norm(vector)) for vector, norm, probe in heads])


def chosen_layers(trunk: Trunk, layers: Sequence[str]) -> list[str]:
    """Those asked for, or all but the input itself. Raises RecipeError for a layer that is not there."""
    strange = next((layer for layer in layers if layer not in trunk.strides), None)
    if strange is not None:
        raise RecipeError(f"key 'layers' has {strange}; this trunk has {', '.join(trunk.strides)}")
    return list(layers) or [layer for layer in trunk.strides if layer != "data"]


def run(session: Session) -> dict[str, Any]:
    """Probe and return each layer's accuracy."""
    recipe = session.recipe
    assert isinstance(recipe, LinearRecipe)
    data = open_classes(session.sources, recipe.val_fraction, recipe.per_class, recipe.seed)
    session.facts |= data.described
    trunk = session.trunk(lambda: data.pictures(recipe.crop))
    layers = chosen_layers(trunk, recipe.layers)
    if recipe.probe != "sgd":
        return {"layers": quick_look(session, data, layers, recipe)}
    trunk.end_at(max(layers, key=list(trunk.strides).index))
    less, held_out = session.parts(data.train)

    def build() -> Probes:
        torch.manual_seed(recipe.seed)
        return Probes(trunk, layers, len(data.names), recipe, session.subject.described["trunk"])

    def loss(model: nn.Module, batch: Labelled, step: int, first: int) -> Tensor:
        logits = model(session.look(batch.pixels)).float()
        # The mean for each probe, and the sum of these: probes share nothing, so each learns as if alone.
        return F.cross_entropy(logits.flatten(0, 1), batch.classes.repeat(len(logits))) * len(logits)

    def measure(network: nn.Module, photos: Photos) -> dict[str, Accuracy]:
        counts = {layer: Accuracy() for layer in layers}
        with torch.no_grad():
            for batch in test_batches(photos, recipe.crop, recipe.scale[1], recipe.workers, *session.share):
                here = batch.to(session.device)
                for count, logits in zip(counts.values(), network(session.look(here.pixels)), strict=True):
                    count.add(logits, here.classes)
        return {layer: count.of_all_processes() for layer, count in counts.items()}

    network = session.fit(
        build,
        parts=lambda network: [(network.probes, 1.0)],
        batches=lambda without, start: train_batches(less if without else data.train, start, recipe, *session.share),
        loss=loss,
        score=lambda network: {"top1": max(found.top1 for found in measure(network, held_out).values())},
        rises="top1",
    )
    return {"layers": {layer: found.summary() for layer, found in measure(network, data.test).items()}}
