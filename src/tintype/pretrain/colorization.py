"""Pretraining by colorization: photographs in, a trained colorizer out (Zhang16)."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.color import rgb_to_lab, smoothed_prior
from tintype.networks import Network, save_weights
from tintype.objectives import Bins, Regression
from tintype.pretrain.augment import age
from tintype.pretrain.build import (
    check_shares,
    learning_rate,
    make_network,
    make_objective,
    make_optimizer,
    make_plan,
    make_refinement,
)
from tintype.pretrain.metadata import describe
from tintype.pretrain.photographs import Photographs
from tintype.pretrain.preview import save_preview
from tintype.pretrain.prior import count_bins, load_prior
from tintype.pretrain.recipe import BinsObjective, Recipe
from tintype.pretrain.runs import open_run
from tintype.training import AS_USUAL, Compute, train

PREVIEW_ROWS = 8


def pretrain(
    accelerator: Accelerator,
    recipe: Recipe,
    data: Sequence[str],
    run: Path,
    resume: bool = False,
    *,
    compute: Compute = AS_USUAL,
    max_damaged: float = 1.0,
) -> Path:
    """Train a colorizer as a recipe says, on photographs.

    Args:
        accelerator: from `tintype.training.launch`.
        data: folders, file lists or WebDataset tars of colour photographs (`tintype.data.open_photos`).
        run: folder for recipe.yaml, metrics.jsonl, checkpoints/, previews/, TensorBoard events, and in the end
            weights.safetensors.
        resume: go on from the run's last checkpoint.
        compute: how the machine does it.
        max_damaged: share of the photographs that may be damaged; they are listed in damaged.tsv.

    Returns:
        The file of trained weights.

    Raises:
        RecipeError: the recipe does not work out, or is not the one that the run was started with.
        TrainingError: the run's folder is in use, or its loss became infinite.
        DataError: there are no photographs, or something is wrong with them.
        Interrupted: the run was asked to stop; it can be resumed.
    """
    rank, processes = accelerator.process_index, accelerator.num_processes
    check_shares(recipe, processes, compute.accumulate)
    torch.manual_seed(recipe.seed)  # of the first weights, the same on every process
    network = make_network(recipe)
    photographs = Photographs(recipe, data, rank, processes, max_damaged=max_damaged, listing=run / "damaged.tsv")
    refinement = make_refinement(recipe)
    if refinement is not None:
        refinement.to(accelerator.device)
    if accelerator.is_main_process:
        open_run(run, recipe, resume)
    accelerator.wait_for_everyone()
    objective = make_objective(recipe.objective, _prior(accelerator, recipe, photographs, run)).to(accelerator.device)

    def loss(model: nn.Module, batch: Tensor, step: int, first: int) -> Tensor:
        lightness, ab = split(batch)
        seen = age(lightness, recipe.augment, recipe.seed, step, first=first)
        prediction, target = model(seen), sample(ab, recipe.sampling)
        value = loss_of(objective, prediction, target)
        return value if refinement is None else value + refinement(objective.decode(prediction), target, lightness, ab)

    def validate(model: nn.Module, step: int) -> dict[str, float]:
        total, count = 0.0, 0
        for batch in photographs.held_out():
            if not len(batch):  # every photograph of it was damaged
                continue
            lightness, ab = split(batch.to(accelerator.device))
            prediction = model(lightness)
            if not count:
                rows = slice(PREVIEW_ROWS)
                colours = objective.decode(prediction[rows])
                save_preview(run / "previews" / f"step-{step:07}.png", lightness[rows], colours, ab[rows])
            total += float(loss_of(objective, prediction, sample(ab, recipe.sampling))) * len(batch)
            count += len(batch)
        return {"val_loss": total / count} if count else {}

    trained = train(
        accelerator,
        network,
        make_optimizer(network, recipe.optimizer),
        run,
        make_plan(recipe),
        batches=photographs.training,
        loss=loss,
        learning_rate=learning_rate(recipe),
        validate=validate,
        names=photographs.names,
        facts={"photographs": photographs.fingerprint},
        compute=compute,
        resume=resume,
    )
    weights = run / "weights.safetensors"
    if accelerator.is_main_process:
        metadata = describe(recipe, network, objective, recipe.steps, photographs.description)
        save_weights(weights, trained.state_dict(), metadata)
    accelerator.wait_for_everyone()
    return weights


def loss_of(objective: Bins | Regression, prediction: Tensor, ab: Tensor) -> Tensor:
    """The objective's loss of a prediction, (B, K, h, w), for colours at its resolution, (B, 2, h, w)."""
    target: Any = objective.target(ab)  # each objective takes its own kind
    return objective.loss(prediction, target)


def split(batch: Tensor) -> tuple[Tensor, Tensor]:
    """RGB, (B, 3, H, W) uint8, to L, (B, 1, H, W) in [0, 100], and ab, (B, 2, H, W), CIE Lab."""
    lab = rgb_to_lab(batch.float() / 255)
    return lab[:, :1], lab[:, 1:]


def sample(ab: Tensor, how: str) -> Tensor:
    """Bring ab, (B, 2, H, W), to the head's resolution, (B, 2, H/4, W/4).

    Args:
        how: `point` takes pixels 0, 4, 8 … (as the released code of Zhang16 does), `mean` averages 4x4 pixels.
    """
    stride = Network.stride
    return ab[:, :, ::stride, ::stride] if how == "point" else F.avg_pool2d(ab, stride)


def _prior(accelerator: Accelerator, recipe: Recipe, photographs: Photographs, run: Path) -> Tensor | None:
    """The prior for rebalancing, if any; counted once and kept in the run's folder for when it is resumed."""
    objective = recipe.objective
    if not isinstance(objective, BinsObjective) or objective.uniform == 1:
        return None
    if objective.prior != "data":
        return load_prior(Path(objective.prior))
    kept = run / "prior.npy"
    if not kept.exists():
        steps = math.ceil(objective.prior_photos / recipe.batch_size)
        if accelerator.is_main_process:
            print(f"counting the colours of {steps * recipe.batch_size} photographs", file=sys.stderr)
        counts = torch.zeros(Bins.channels, dtype=torch.int64, device=accelerator.device)
        for batch in photographs.training(steps=steps):
            counts += count_bins(sample(split(batch.to(accelerator.device))[1], recipe.sampling))
        counts = accelerator.reduce(counts, "sum")
        accelerator.wait_for_everyone()
        if accelerator.is_main_process:
            temporary = run / ".prior.npy"
            np.save(temporary, smoothed_prior(counts.cpu().numpy()))
            temporary.replace(kept)
        accelerator.wait_for_everyone()
    return load_prior(kept)
