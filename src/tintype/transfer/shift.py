"""How far fine-tuning moved each layer: Larsson17's Figure 3 (PAPERS C7).

    tintype transfer shift --weights runs/color --set after=runs/segmentation --data photos/ --out runs/shift

Each unit's activations before and after fine-tuning are correlated over all places of all pictures; a layer's figure is
the median over its units, with the quartiles.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tintype.data import center_crops, fingerprint, open_photos
from tintype.networks import load_weights
from tintype.networks.trunk import Trunk
from tintype.recipes import Range, RecipeError, parse
from tintype.recipes.blocks import Count
from tintype.recipes.weights import REQUIRED
from tintype.transfer.linear import chosen_layers
from tintype.transfer.recipe import Surgery, TransferRecipe
from tintype.transfer.session import Session
from tintype.transfer.shift_plot import plot
from tintype.transfer.subject import PICTURES


@dataclass(frozen=True, kw_only=True)
class ShiftRecipe(TransferRecipe):
    """A comparison of a trunk with itself, fine-tuned. Nothing is trained.

    Attributes:
        after: the run of `tintype transfer` that fine-tuned the weights; its surgery is done to both.
        layers: feature maps that are compared; empty: all but the input itself.
        photographs: how many pictures they are compared on.
        crop: side of the trunk's input.
    """

    task: Literal["shift"] = "shift"
    after: str
    layers: tuple[str, ...] = ()
    photographs: Count = 500
    crop: Annotated[int, Range(8)] = 224


class Correlation:
    """Pearson's correlation of pairs of numbers for each of many units, from sums over batches.

    Sums are taken about the first batch's means, so that large activations lose nothing to rounding.
    """

    def __init__(self) -> None:
        self._sums: Tensor | None = None
        self._origin = torch.zeros(0)

    def add(self, before: Tensor, after: Tensor) -> None:
        """Take in activations, (B, units, h, w) each."""
        pair = torch.stack([before, after]).double().transpose(1, 2).flatten(2)  # (2, units, numbers)
        if self._sums is None:
            self._origin = pair.mean(dim=2, keepdim=True)
            self._sums = torch.zeros(6, pair.shape[1], dtype=torch.float64, device=pair.device)
        x, y = pair - self._origin
        one = torch.ones_like(x)
        products = ((one, x), (one, y), (x, x), (y, y), (x, y), (one, one))
        self._sums += torch.stack([(a * b).sum(1) for a, b in products])

    def value(self) -> NDArray[np.float64]:
        """(units,); NaN for a unit that does not vary before or after."""
        assert self._sums is not None
        x, y, xx, yy, xy, n = self._sums.cpu().numpy()
        spread = (xx - x * x / n) * (yy - y * y / n)
        shared = xy - x * y / n
        return np.where(spread > 0, shared / np.sqrt(np.where(spread > 0, spread, 1)), np.nan)


@torch.no_grad()
def correlations(
    before: Trunk, after: Trunk, pictures: Iterable[Tensor], layers: Sequence[str]
) -> dict[str, NDArray[np.float64]]:
    """Of each layer's units before and after, (units,) each.

    Args:
        before, after: the same trunk with two sets of weights, in evaluation mode.
        pictures: batches of their input.
    """
    found = {layer: Correlation() for layer in layers}
    for batch in pictures:
        one, other = before(batch), after(batch)
        for layer, correlation in found.items():
            correlation.add(one[layer], other[layer])
    return {layer: correlation.value() for layer, correlation in found.items()}


def summary(values: NDArray[np.float64]) -> dict[str, float | int]:
    """Median and quartiles over units, and how many units do not vary."""
    alive = values[~np.isnan(values)]
    low, middle, high = np.percentile(alive, (25, 50, 75)) if len(alive) else (np.nan,) * 3
    return {
        "median": float(middle),
        "lower_quartile": float(low),
        "upper_quartile": float(high),
        "units": len(values),
        "constant_units": len(values) - len(alive),
    }


def run(session: Session) -> dict[str, Any]:
    """Compare, and draw shift.svg."""
    recipe = session.recipe
    assert isinstance(recipe, ShiftRecipe)
    photos = open_photos(session.sources.train)
    session.facts["photographs"] = fingerprint(photos)

    def crops(count: int) -> Iterable[Tensor]:
        return center_crops(photos, batch_size=recipe.batch_size, crop=recipe.crop, count=count, workers=recipe.workers)

    if recipe.after == REQUIRED:
        raise RecipeError("say which run fine-tuned these weights: --set after=RUN")
    tensors, surgery = fine_tuned(Path(recipe.after))
    before = session.trunk(lambda: torch.cat(list(crops(PICTURES))), surgery).eval()
    session.subject.described["after"] = recipe.after
    own = before.state_dict()
    layers = chosen_layers(before, recipe.layers)
    kept = [name for name in own if name in tensors and own[name].shape == tensors[name].shape]
    lost = sorted(set(own) - set(kept))
    if lost:  # the fine-tuned network ends at a lower layer
        while layers and not _whole(before, layers[-1], lost):
            layers.pop()
    if not layers:
        raise RecipeError(f"key 'after': {recipe.after} holds another trunk than {session.weights}")
    after = deepcopy(before)
    after.load_state_dict({name: tensors[name] for name in kept}, strict=False)
    seen = (session.look(batch.to(session.device)) for batch in crops(recipe.photographs))
    found = {layer: summary(values) for layer, values in correlations(before, after, seen, layers).items()}
    if session.accelerator.is_main_process:
        (session.run / "shift.svg").write_text(plot(found), "utf-8")
    return {"layers": found}


def fine_tuned(run: Path) -> tuple[dict[str, Tensor], Surgery]:
    """The trunk's tensors that a run of transfer left, and the surgery that was done before it.

    Raises:
        RecipeError: it is no such run, or has not finished.
    """
    try:
        tensors, metadata = load_weights(run / "weights.safetensors" if run.is_dir() else run)
        surgery = parse(Surgery, metadata["surgery"])
    except (ValueError, KeyError) as error:
        raise RecipeError(f"key 'after' is {run}: not a finished run of tintype transfer ({error})") from error
    return {name.removeprefix("trunk."): value for name, value in tensors.items()}, surgery


def _whole(trunk: Trunk, layer: str, lost: Sequence[str]) -> bool:
    """Whether a layer is made without the tensors that are lost."""
    shorter = deepcopy(trunk)
    shorter.end_at(layer)
    return not set(lost) & set(shorter.state_dict())
