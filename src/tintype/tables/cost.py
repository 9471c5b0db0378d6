"""What a plan will take, told before anything runs: room on the disk, and floating-point operations."""

from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from tintype.recipes import RecipeError
from tintype.tables.blank import Known, blank_network, operations_of_one, recipe_of
from tintype.tables.plan import Plan, Run
from tintype.transfer.recipe import EarlyStopping


@dataclass(frozen=True)
class Cost:
    """Of one run.

    Attributes:
        stored: bytes of its weights and of the checkpoints that it keeps, at most; 0: next to nothing, or not known.
        operations: of its training, at most; 0: not known.
    """

    stored: int = 0
    operations: float = 0.0


def costs(plan: Plan, todo: Iterable[Run]) -> dict[str, Cost]:
    """What each run takes, by its name. A network is built once for all runs, such as seeds, that take the same.

    Operations are counted only of runs for which no minutes are known.

    Raises:
        RecipeError: something in a recipe or setting is wrong; in one line.
    """
    found: dict[tuple[Known, bool], Cost] = {}
    by_name = {}
    for run in todo:
        recipe = recipe_of(run, plan.runs)
        if recipe is None:
            by_name[run.name] = Cost()
            continue
        alike = recipe, bool(run.minutes)
        if alike not in found:
            found[alike] = _cost(*alike)
        by_name[run.name] = found[alike]
    return by_name


def _cost(recipe: Known, timed: bool) -> Cost:
    passes = 2 if isinstance(recipe.schedule, EarlyStopping) else 1  # once without what is held out, once with it
    try:
        network = blank_network(recipe)
        if network is None:
            return Cost()
        one = 0.0 if timed else operations_of_one(network, recipe)
    except RecipeError:
        raise
    except ValueError:  # the run itself will tell, which knows its weights and pictures
        return Cost()
    return Cost(stored(network, recipe, passes), passes * recipe.steps * recipe.batch_size * one)


def stored(network: nn.Module, recipe: Known, passes: int = 1) -> int:
    """Bytes that a run leaves behind: weights, and in each checkpoint weights, their average and the optimizer's state.

    Args:
        passes: trainings, each of which keeps its own checkpoints.
    """
    weights = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    trained = sum(p.numel() * p.element_size() for p in network.parameters() if p.requires_grad)
    moments = (1 if recipe.optimizer.betas[0] else 0) if recipe.optimizer.name == "sgd" else 2
    checkpoint = weights * (2 if recipe.ema else 1) + moments * trained
    return int(weights + passes * recipe.keep * checkpoint)
