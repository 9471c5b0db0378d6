"""Fine-tuning on few labelled photographs of each class (Larsson17, ImNt-100k and ImNt-10k; PAPERS C5).

tintype transfer low-shot --weights runs/color --data imagenet/ --set per_class=10 --out runs/10k
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.data import Labelled, Photos
from tintype.networks.classifier import Pooled
from tintype.networks.trunk import Trunk
from tintype.recipes import RecipeError
from tintype.recipes.blocks import WholeNumber
from tintype.transfer.accuracy import Accuracy
from tintype.transfer.classes import CropsRecipe, open_classes, test_batches, train_batches
from tintype.transfer.session import Session


@dataclass(frozen=True, kw_only=True)
class LowShotRecipe(CropsRecipe):
    """Fine-tuning of a whole trunk with a linear layer on the mean of its last feature map.

    Attributes:
        per_class: photographs of each class that are trained on, exactly; 0: all.
        layer: the feature map under the classifier; `last`.
    """

    task: Literal["low-shot"] = "low-shot"
    per_class: WholeNumber = 100
    layer: str = "last"


class FineTuned(nn.Module):
    """Pictures, (B, C, H, W) in [0, 100], to unnormalised log-probabilities of classes, (B, classes).

    Args:
        trunk: what is fine-tuned.
        layer: its feature map under the classifier; the trunk ends there.
        classes: how many.
    """

    def __init__(self, trunk: Trunk, layer: str, classes: int):
        super().__init__()
        names = list(trunk.strides)
        self.layer = names[-1] if layer == "last" else layer
        if self.layer not in names:
            raise RecipeError(f"key 'layer' is {layer}; this trunk has {', '.join(names)}")
        trunk.end_at(self.layer)
        self.trunk = trunk
        self.head = Pooled(trunk.channels[self.layer], classes)

    def forward(self, picture: Tensor) -> Tensor:
        logits: Tensor = self.head(self.trunk(picture)[self.layer])
        return logits


def run(session: Session) -> dict[str, Any]:
    """Fine-tune and return the accuracy."""
    recipe = session.recipe
    assert isinstance(recipe, LowShotRecipe)
    data = open_classes(session.sources, recipe.val_fraction, recipe.per_class, recipe.seed)
    session.facts |= data.described
    less, held_out = session.parts(data.train)

    def build() -> FineTuned:
        trunk = session.trunk(lambda: data.pictures(recipe.crop))
        torch.manual_seed(recipe.seed)
        return FineTuned(trunk, recipe.layer, len(data.names)).to(session.device)

    def loss(model: nn.Module, batch: Labelled, step: int, first: int) -> Tensor:
        return F.cross_entropy(model(session.look(batch.pixels)).float(), batch.classes)

    def measure(network: nn.Module, photos: Photos) -> Accuracy:
        count = Accuracy()
        with torch.no_grad():
            for batch in test_batches(photos, recipe.crop, recipe.scale[1], recipe.workers, *session.share):
                here = batch.to(session.device)
                count.add(network(session.look(here.pixels)), here.classes)
        return count.of_all_processes()

    def score(network: nn.Module) -> Mapping[str, float]:
        return {"top1": measure(network, held_out).top1}

    network = session.fit(
        build,
        parts=lambda network: [(network.trunk, recipe.optimizer.trunk_lr), (network.head, 1.0)],
        batches=lambda without, start: train_batches(less if without else data.train, start, recipe, *session.share),
        loss=loss,
        score=score,
        rises="top1",
    )
    return measure(network, data.test).summary()
