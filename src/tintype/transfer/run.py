"""A task from its recipe to its results."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from tintype.networks import save_weights
from tintype.networks.trunk import Trunk
from tintype.recipes.optim import check_shares
from tintype.recipes.runs import open_run
from tintype.runtime.atomic import write_atomically
from tintype.training import AS_USUAL, Compute
from tintype.training.record import versions
from tintype.transfer.recipe import TransferRecipe
from tintype.transfer.recipe_file import resolved
from tintype.transfer.session import Session
from tintype.transfer.sources import parse_sources
from tintype.transfer.tasks import TASKS

RESULTS = "results.json"
FORMAT = 1


def transfer(
    accelerator: Accelerator,
    recipe: TransferRecipe,
    weights: str,
    data: Sequence[str],
    run: Path,
    resume: bool = False,
    *,
    compute: Compute = AS_USUAL,
) -> dict[str, Any]:
    """Measure what a trunk has learned.

    Args:
        accelerator: from `tintype.training.launch`.
        recipe: the task and how it is done.
        weights: of the trunk, as `open_subject` takes them.
        data: as `parse_sources` takes it.
        run: folder for recipe.yaml, checkpoints and, in the end, results.json.
        resume: go on with the run.
        compute: how the machine does it.

    Returns:
        What results.json holds: the results, and all that they follow from.

    Raises:
        RecipeError: recipe, weights and data do not go together.
        TrainingError: the run's folder is in use, or its loss became infinite.
        DataError: something is wrong with the data.
        Interrupted: the run was asked to stop; it can be resumed.
    """
    sources = parse_sources(data)
    check_shares(recipe.batch_size, accelerator.num_processes, compute.accumulate)
    if accelerator.is_main_process:
        open_run(run, asdict(recipe), resolved, resume)
    accelerator.wait_for_everyone()
    session = Session(accelerator, recipe, weights, sources, run, resume, compute)
    results = _finite(TASKS[recipe.task].run(session))
    record = {
        "task": recipe.task,
        "recipe": recipe.name,
        "results": results,
        "trunk": session.subject.described,
        "data": {"train": sources.train, "test": sources.test, **session.facts},
        "settings": asdict(recipe),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(("tintype", "torch", "timm", "scikit-learn")),
    }
    if accelerator.is_main_process:
        save_fine_tuned(session)
        line = json.dumps(record, allow_nan=False) + "\n"
        write_atomically(run / RESULTS, lambda file: file.write(line.encode()), overwrite=True)
    accelerator.wait_for_everyone()
    return record


def save_fine_tuned(session: Session) -> None:
    """Write the trunk that a task has fine-tuned, if it has, to weights.safetensors, for `shift` and others."""
    trunk = getattr(session.trained, "trunk", None)
    if not isinstance(trunk, Trunk) or not any(p.requires_grad for p in session.subject.trunk.parameters()):
        return
    subject = session.subject
    metadata = {
        "format": FORMAT,
        "name": session.recipe.name,
        "trunk": subject.described["trunk"],
        "objective": "transfer",
        "folded": session.recipe.surgery.batch_norm == "folded",
        "last_map": list(trunk.strides)[-1],
        "in_chans": trunk.in_chans,
        "input": subject.seen,
        "mean": trunk.mean,
        "std": trunk.std,
        "from": subject.described,
        "surgery": asdict(session.recipe.surgery),
        "settings": asdict(session.recipe),
        "steps": session.recipe.steps,
    }
    tensors = {f"trunk.{name}": value for name, value in trunk.state_dict().items()}
    save_weights(session.run / "weights.safetensors", tensors, metadata)


def _finite(results: Any) -> Any:
    """Results as JSON can hold them: null for what is not a number, as of a class that no test picture shows."""
    if isinstance(results, dict):
        return {key: _finite(value) for key, value in results.items()}
    return None if isinstance(results, float) and not math.isfinite(results) else results
