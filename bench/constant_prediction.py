"""A run's held-out loss against that of the best prediction that does not look at the photograph.

    python bench/constant_prediction.py RUN PHOTOS...

RUN is the folder of a finished `tintype pretrain`, PHOTOS what it was trained on. The constant is the mean colour, or
the mean of the target distributions weighted as the loss weighs them, of training photographs; both losses are means
over the same held-out photographs and places.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from _machine import describe
from tintype.color import rgb_to_lab
from tintype.objectives import Bins, Histograms, Objective
from tintype.pretrain import Recipe, load_recipe
from tintype.pretrain.build import make_network, make_objective
from tintype.pretrain.colorization import loss_of, points_of
from tintype.pretrain.photographs import Photographs
from tintype.pretrain.places import at_points, grid_points, sample
from tintype.pretrain.prior import load_prior

STEPS = 50  # batches of training photographs that the constant is made from


def weighted_targets(objective: Objective, recipe: Recipe, rgb: Tensor, points: Tensor | None, stride: int) -> Tensor:
    """The sum over places of what is to be predicted, weighted as in the loss: (K,), and the weights' sum after it."""
    if isinstance(objective, Histograms):
        if points is None:
            points = grid_points(rgb.shape[2], rgb.shape[3], stride, 0).expand(len(rgb), -1, -1)
        target = objective.target(rgb, points)
        hue = (target.hue * target.hue_weight[:, None]).sum((0, 2))
        return torch.cat([hue, (target.chroma * target.chroma_weight[:, None]).sum((0, 2)), torch.ones(1)])
    ab = rgb_to_lab(rgb)[:, 1:]
    ab = sample(ab, recipe.sampling, stride) if points is None else at_points(ab, points)
    if isinstance(objective, Bins):
        soft = objective.target(ab)
        weights = (soft.weights * soft.rarity[:, None]).flatten()
        return torch.cat([torch.zeros(Bins.channels).index_add_(0, soft.numbers.flatten(), weights), torch.ones(1)])
    ab = ab.flatten(2)
    return torch.cat([ab.sum((0, 2)), torch.tensor([float(len(ab) * ab.shape[2])])])


def constant(objective: Objective, total: Tensor) -> Tensor:
    """(K,) logits, or colours on the network's own scale."""
    if isinstance(objective, Histograms):
        return torch.cat([(part / part.sum()).clamp(min=1e-9).log() for part in total[:-1].chunk(2)])
    if isinstance(objective, Bins):
        return (total[:-1] / total[:-1].sum()).clamp(min=1e-9).log()
    return total[:-1] / total[-1] / objective.scale


def pictures(batches: Iterator[Tensor]) -> Iterator[Tensor]:
    for batch in batches:
        if len(batch):
            yield batch.float() / 255


def main(run: Path, photos: list[str]) -> None:
    print(describe("torch"))
    recipe = load_recipe(run / "recipe.yaml", ["data.workers=0"])
    network, photographs = make_network(recipe), Photographs(recipe, photos)
    prior = run / "prior.npy"
    objective = make_objective(recipe.objective, load_prior(prior) if prior.exists() else None)
    total = torch.zeros(1)
    for step, rgb in enumerate(pictures(photographs.first(min(STEPS, recipe.steps)))):
        total = total + weighted_targets(objective, recipe, rgb, points_of(recipe, rgb, step, 0), network.stride)
    logits = constant(objective, total)
    losses, count = 0.0, 0
    for rgb in pictures(iter(photographs.held_out())):
        points = points_of(recipe, rgb, count, 0)
        places = (points.shape[1],) if points is not None else [-(-side // network.stride) for side in rgb.shape[2:]]
        prediction = logits.view(1, -1, *[1] * len(places)).expand(len(rgb), -1, *places)
        losses += float(loss_of(objective, prediction, rgb, points, recipe.sampling, network.stride)) * len(rgb)
        count += len(rgb)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    found = [line["val_loss"] for line in lines if "val_loss" in line]
    best = losses / count
    print(f"{recipe.name}: {count} held-out photographs, {recipe.steps} steps")
    print(f"  constant prediction {best:.4f}   this run {found[-1]:.4f} = {found[-1] / best:.3f} x")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
