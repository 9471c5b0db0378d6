"""Pretraining by classification: labelled photographs in, a trained trunk out (Larsson17, Table 4)."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional as F

from tintype.data import Labelled
from tintype.data.labels import own_labels, study_labels
from tintype.networks import save_weights
from tintype.networks.classifier import Classifier
from tintype.pretrain.build import learning_rate, make_classifier, make_optimizer
from tintype.pretrain.classification_recipe import ClassificationRecipe
from tintype.pretrain.metadata import FORMAT
from tintype.pretrain.photographs import Photographs
from tintype.pretrain.recipe_file import resolved
from tintype.recipes import RecipeError
from tintype.recipes.look import look
from tintype.recipes.optim import check_shares, make_plan
from tintype.recipes.runs import open_run
from tintype.recipes.weights import file_of
from tintype.training import AS_USUAL, Compute, train
from tintype.training.record import versions


def pretrain(
    accelerator: Accelerator,
    recipe: ClassificationRecipe,
    data: Sequence[str],
    run: Path,
    resume: bool = False,
    *,
    labels: Path | None = None,
    compute: Compute = AS_USUAL,
    max_damaged: float = 1.0,
) -> Path:
    """Train a classifier as a recipe says, on labelled photographs.

    Args:
        accelerator: from `tintype.training.launch`.
        data: folders, file lists or WebDataset tars of colour photographs (`tintype.data.open_photos`).
        run: folder for recipe.yaml, metrics.jsonl, checkpoints/ and TensorBoard events, and in the end
            weights.safetensors.
        resume: go on from the run's last checkpoint.
        labels: the file of a label study; without one, photographs have the classes that they come with.
        compute: how the machine does it.
        max_damaged: share of the photographs that may be damaged; they are listed in damaged.tsv.

    Returns:
        The file of trained weights.

    Raises:
        RecipeError: the recipe does not work out, is not the one that the run was started with, or wants labels of a
            study.
        TrainingError: the run's folder is in use, or its loss became infinite.
        DataError: there are no photographs or labels, or something is wrong with them.
        Interrupted: the run was asked to stop; it can be resumed.
    """
    rank, processes = accelerator.process_index, accelerator.num_processes
    check_shares(recipe.batch_size, processes, compute.accumulate)
    file_of(recipe.pretrained, "pretrained", recipe.name)  # before all photographs are looked for
    if recipe.study != "none" and labels is None:
        raise RecipeError(
            f"recipe {recipe.name} learns the labels of a study: make its file with `tintype labels {recipe.study} "
            f"{' '.join(f'--data {path}' for path in data)} -o FILE.tsv`, and give it with --labels FILE.tsv"
        )
    photographs = Photographs(
        recipe,
        data,
        rank,
        processes,
        max_damaged=max_damaged,
        label=lambda photos: (
            own_labels(photos, recipe.data.val_fraction) if labels is None else study_labels(photos, labels)
        ),
    )
    assert photographs.labels is not None
    if accelerator.is_main_process and not photographs.labels.held_out:
        print(f"{labels} holds out no photographs: nothing is measured on the way", file=sys.stderr)
    torch.manual_seed(recipe.seed)  # of the first weights, the same on every process
    network = make_classifier(recipe, len(photographs.labels.names))
    with accelerator.main_process_first():
        if accelerator.is_main_process:
            open_run(run, asdict(recipe), resolved, resume)
        photographs.damaged.list_in(run / "damaged.tsv")

    def loss(model: nn.Module, batch: Labelled, step: int, first: int) -> Tensor:
        return F.cross_entropy(model(look(batch.pixels, recipe.input)), batch.classes)

    def validate(model: nn.Module, step: int) -> Iterator[tuple[dict[str, float], int]]:
        for batch in photographs.held_out().labelled():
            if len(batch):  # not every photograph of it was damaged
                here = batch.to(accelerator.device)
                totals = sums(model(look(here.pixels, recipe.input)), here.classes).tolist()
                yield dict(zip(("val_loss", "top1", "top5"), totals, strict=True)), len(batch)

    trained = train(
        accelerator,
        network,
        make_optimizer(network, recipe.optimizer),
        run,
        make_plan(recipe, recipe.steps),
        batches=photographs.labelled_training,
        loss=loss,
        learning_rate=learning_rate(recipe),
        validate=validate,
        names=photographs.names,
        facts={"photographs": photographs.fingerprint, "labels": photographs.labels.fingerprint},
        compute=compute,
        resume=resume,
    )
    weights = run / "weights.safetensors"
    if accelerator.is_main_process:
        save_weights(weights, trained.state_dict(), describe(recipe, network, photographs))
    accelerator.wait_for_everyone()
    return weights


def sums(logits: Tensor, classes: Tensor) -> Tensor:
    """Over a batch: cross-entropy, and 100 for each whose class is the likeliest, or among the five likeliest; (3,)."""
    ranked = logits.topk(min(5, logits.shape[1]), dim=1).indices == classes[:, None]
    loss = F.cross_entropy(logits.float(), classes, reduction="sum")
    return torch.stack([loss, 100.0 * ranked[:, 0].sum(), 100.0 * ranked.sum()]).cpu()


def describe(recipe: ClassificationRecipe, network: Classifier, photographs: Photographs) -> dict[str, object]:
    """The metadata of a recipe's trained weights (DESIGN: Formats)."""
    assert photographs.labels is not None
    return {
        "format": FORMAT,
        "name": recipe.name,
        "trunk": recipe.trunk,
        "head": "pooled",
        "last_map": network.last,
        "objective": "classification",
        "in_chans": 3 if recipe.input == "colour" else 1,
        "input": recipe.input,
        "mean": network.trunk.mean,  # of the input in [0, 100]; the trunk itself subtracts it and divides by std
        "std": network.trunk.std,
        "classes": list(photographs.labels.names),
        "recipe": recipe.name,
        "settings": asdict(recipe),
        "data": photographs.description,
        "labels": photographs.labels.fingerprint,
        "steps": recipe.steps,
        "versions": versions(("tintype", "torch", "timm")),
    }
