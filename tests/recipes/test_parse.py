from dataclasses import dataclass, field
from typing import Annotated, Literal

import pytest

from tintype.recipes import Range, RecipeError, parse


@dataclass(frozen=True)
class Near:
    name: Literal["near"]
    reach: float = 1.0


@dataclass(frozen=True)
class Far:
    name: Literal["far"]
    years: int = 1


@dataclass(frozen=True)
class Optimizer:
    lr: Annotated[float, Range(0, open_low=True)]


@dataclass(frozen=True)
class Trip:
    steps: Annotated[int, Range(1)]
    optimizer: Optimizer
    goal: Near | Far = field(default_factory=lambda: Near("near"))
    colour: Literal["red", "green"] = "red"
    sizes: tuple[int, ...] = ()
    fast: bool = False
    note: str = ""


GOOD = {"steps": 3, "optimizer": {"lr": 0.1}}


def test_defaults_fill_what_is_not_given():
    assert parse(Trip, GOOD) == Trip(3, Optimizer(0.1))


def test_a_union_takes_the_member_that_the_name_picks():
    assert parse(Trip, {**GOOD, "goal": {"name": "far", "years": 4}}).goal == Far("far", 4)


@pytest.mark.parametrize(("value", "number"), [("3e-5", 3e-5), ("1E-3", 1e-3), (1, 1.0), ("0.5", 0.5)])
def test_numbers_written_as_yaml_reads_them_as_text_are_numbers(value, number):
    lr = parse(Trip, {**GOOD, "optimizer": {"lr": value}}).optimizer.lr
    assert lr == number
    assert type(lr) is float


def test_whole_numbers_may_be_written_with_an_exponent():
    steps = parse(Trip, {**GOOD, "steps": "1e5"}).steps
    assert steps == 100_000
    assert type(steps) is int


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"optimiser": {"lr": 1}}, "unknown key 'optimiser.lr'; did you mean 'optimizer.lr'?"),
        ({"optimizer": {"lr": 1, "rl": 1}}, "unknown key 'optimizer.rl'; did you mean 'optimizer.lr'?"),
        ({"lr": 1}, "unknown key 'lr'; there are steps, optimizer, goal, colour, sizes, fast, note"),
        ({"goal": {"name": "near", "distance": 3}}, "unknown key 'goal.distance'; there are goal.name, goal.reach"),
        ({"optimizer": {}}, "missing key 'optimizer.lr'"),
        ({"goal": {"years": 3}}, "missing key 'goal.name'; it must be near or far"),
        ({"goal": {"name": "home"}}, "key 'goal.name' is 'home'; it must be near or far"),
        ({"goal": "near"}, "key 'goal' is 'near'; it must be a block with a name: near or far"),
        ({"steps": 0}, "key 'steps' is 0; it must be at least 1"),
        ({"steps": 1.5}, "key 'steps' is 1.5; it must be a whole number"),
        ({"steps": True}, "key 'steps' is True; it must be a whole number"),
        ({"steps": None}, "key 'steps' is None; it must be a whole number"),
        ({"optimizer": {"lr": "fast"}}, "key 'optimizer.lr' is 'fast'; it must be a number"),
        ({"optimizer": {"lr": "nan"}}, "key 'optimizer.lr' is 'nan'; it must be a number"),
        ({"optimizer": {"lr": 0}}, "key 'optimizer.lr' is 0.0; it must be above 0"),
        ({"optimizer": 3}, "key 'optimizer' is 3; it must be a block of keys and values"),
        ({"colour": "blue"}, "key 'colour' is 'blue'; it must be red or green"),
        ({"sizes": 3}, "key 'sizes' is 3; it must be a list such as [1, 2]"),
        ({"sizes": [1, "x"]}, "key 'sizes[1]' is 'x'; it must be a whole number"),
        ({"fast": 1}, "key 'fast' is 1; it must be true or false"),
        ({"note": 1}, "key 'note' is 1; it must be text"),
    ],
)
def test_errors_name_the_key_the_value_and_what_is_allowed(change, message):
    with pytest.raises(RecipeError) as error:
        parse(Trip, {**GOOD, **change})
    assert str(error.value) == message


def test_something_other_than_a_mapping_is_refused():
    with pytest.raises(RecipeError, match="the recipe is \\[1\\]; it must be a block"):
        parse(Trip, [1])
