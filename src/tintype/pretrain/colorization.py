"""Pretraining by colorization: photographs in, a trained colorizer out (Zhang16, Larsson17)."""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from tintype.color import lightness_to_grey, rgb_to_lab
from tintype.networks import Network, save_weights
from tintype.networks.init import initialize
from tintype.objectives import Autoencoder, Histograms, Objective
from tintype.pretrain.augment import age
from tintype.pretrain.build import (
    learning_rate,
    make_network,
    make_objective,
    make_optimizer,
    make_refinement,
)
from tintype.pretrain.metadata import describe
from tintype.pretrain.photographs import HELD_OUT_BATCH, Photographs
from tintype.pretrain.places import at_points, draw_points, grid_points, sample, target_origin
from tintype.pretrain.preview import save_preview
from tintype.pretrain.prior import counted_prior, load_prior
from tintype.pretrain.recipe import BinsObjective, HypercolumnHead, Recipe
from tintype.pretrain.recipe_file import resolved
from tintype.recipes import RecipeError
from tintype.recipes.look import look
from tintype.recipes.optim import check_shares, make_plan
from tintype.recipes.runs import open_run
from tintype.training import AS_USUAL, Compute, train
from tintype.training.checkpoint import list_checkpoints

PREVIEW_ROWS = 8
INIT_PHOTOS = 32  # that the trunk's first weights are made from, where a recipe asks for it


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
    check_shares(recipe.batch_size, processes, compute.accumulate)
    torch.manual_seed(recipe.seed)  # of the first weights, the same on every process
    network = make_network(recipe)
    photographs = Photographs(recipe, data, rank, processes, max_damaged=max_damaged)
    refinement = make_refinement(recipe)
    if refinement is not None:
        refinement.to(accelerator.device)
    if recipe.init != "random" and not (resume and list_checkpoints(run / "checkpoints")):
        _initialize(network, recipe, photographs, accelerator.device)
    with accelerator.main_process_first():
        if accelerator.is_main_process:
            open_run(run, asdict(recipe), resolved, resume)
        photographs.damaged.list_in(run / "damaged.tsv")
    prior = _prior(accelerator, recipe, photographs, run, network.stride)
    objective = make_objective(recipe.objective, prior).to(accelerator.device)

    def loss(model: nn.Module, batch: Tensor, step: int, first: int) -> Tensor:
        rgb = batch.float() / 255
        seen = age(look(rgb, recipe.input), recipe.augment, recipe.seed, step, first=first)
        where = points_of(recipe, batch, step, first)
        prediction = model(seen, where)
        value = loss_of(objective, prediction, rgb, where, recipe.sampling, network.stride)
        if refinement is not None:
            light, ab = rgb_to_lab(rgb).split((1, 2), dim=1)
            grey = sample(lightness_to_grey(light), "mean", network.stride)
            decoded = objective.decode(prediction, grey=grey)
            value = value + refinement(decoded, sample(ab, recipe.sampling, network.stride), light, ab)
        return value

    def validate(model: nn.Module, step: int) -> Iterator[tuple[dict[str, float], int]]:
        held_out, shown = photographs.held_out(), not accelerator.is_main_process
        for number, batch in zip(held_out.steps, held_out, strict=True):
            if not len(batch):  # every photograph of it was damaged
                continue
            rgb = batch.to(accelerator.device).float() / 255
            seen = look(rgb, recipe.input)
            if not shown:
                shown = True
                rows = slice(PREVIEW_ROWS)
                predicted = model(seen[rows])
                light, ab = rgb_to_lab(rgb[rows]).split((1, 2), dim=1)
                grey = sample(grey_of(seen[rows], recipe.input), "mean", network.stride)
                colours = objective.decode(predicted, grey=grey)
                save_preview(run / "previews" / f"step-{step:07}.png", light, colours, ab)
            where = points_of(recipe, rgb, number * HELD_OUT_BATCH, 0)  # the same whenever it is validated
            value = loss_of(objective, model(seen, where), rgb, where, recipe.sampling, network.stride)
            yield {"val_loss": float(value) * len(batch)}, len(batch)

    trained = train(
        accelerator,
        network,
        make_optimizer(network, recipe.optimizer),
        run,
        make_plan(recipe, recipe.steps),
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


def points_of(recipe: Recipe, batch: Tensor, step: int, first: int) -> Tensor | None:
    """Where a sparse head is to predict, (B, N, 2) on the batch's device; None where it predicts everywhere."""
    head = recipe.head
    if not isinstance(head, HypercolumnHead):
        return None
    drawn = draw_points(len(batch), batch.shape[-1], head.points, head.edge, recipe.seed, step, first=first)
    return drawn.to(batch.device, non_blocking=True)


def loss_of(
    objective: Objective, prediction: Tensor, rgb: Tensor, points: Tensor | None, how: str, stride: int
) -> Tensor:
    """The objective's loss of a prediction.

    Args:
        prediction: (B, K, N) at `points`, or (B, K, h, w) on the head's grid.
        rgb: the photographs, (B, 3, H, W) in [0, 1].
        points: (B, N, 2) int64, row and column, or None.
        how: `point` or `mean`: how colours are brought to the head's grid.
        stride: of that grid.
    """
    target: Any  # each objective takes its own kind
    if isinstance(objective, Histograms):
        if points is None:
            origin = target_origin(how, stride, windows=True)
            grid = grid_points(rgb.shape[2], rgb.shape[3], stride, int(origin))
            points = grid.to(rgb.device).expand(len(rgb), -1, -1)
        target = objective.target(rgb, points)
        return objective.loss(prediction.flatten(2), target)
    light, ab = rgb_to_lab(rgb).split((1, 2), dim=1)
    shown = light if isinstance(objective, Autoencoder) else ab
    target = objective.target(sample(shown, how, stride) if points is None else at_points(shown, points))
    return objective.loss(prediction, target)


def grey_of(seen: Tensor, how: str) -> Tensor:
    """The grey value, in [0, 1], of what a network sees."""
    grey: Tensor = lightness_to_grey(seen) if how == "lightness" else seen / 100
    return grey


def _initialize(network: Network, recipe: Recipe, photographs: Photographs, device: torch.device) -> None:
    """Initialize the trunk on the first photographs, the same on every process and however large a batch is."""
    batches = photographs.first(math.ceil(INIT_PHOTOS / recipe.batch_size), whole=True)
    seen = torch.cat([look(batch, recipe.input) for batch in batches])[:INIT_PHOTOS]
    try:
        initialize(network.trunk.to(device), seen.to(device), kmeans=recipe.init == "kmeans")
    except ValueError as error:
        raise RecipeError(f"key 'init' is {recipe.init}: {error}") from error


def _prior(accelerator: Accelerator, recipe: Recipe, photographs: Photographs, run: Path, stride: int) -> Tensor | None:
    """The prior for rebalancing, if any."""
    objective = recipe.objective
    if not isinstance(objective, BinsObjective) or objective.uniform == 1:
        return None
    if objective.prior != "data":
        return load_prior(Path(objective.prior))
    steps = math.ceil(objective.prior_photos / recipe.batch_size)

    def ab() -> Iterator[Tensor]:
        if accelerator.is_main_process:
            print(f"counting the colours of {steps * recipe.batch_size} photographs", file=sys.stderr)
        for batch in photographs.first(steps):
            rgb = batch.to(accelerator.device).float() / 255
            yield sample(rgb_to_lab(rgb)[:, 1:], recipe.sampling, stride)

    return counted_prior(accelerator, run / "prior.npy", ab)
