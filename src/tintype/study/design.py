"""What a visitor is shown: which method, which pictures, in which order, and on which side."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Trial:
    """One pair: a photograph in its true colours and in the method's."""

    picture: int  # index into the study's pictures
    practice: bool
    fake_left: bool
    left_first: bool  # the two are shown in turn

    @property
    def fake_first(self) -> bool:
        return self.fake_left == self.left_first


def next_method(visitors: Mapping[str, int], rng: Random) -> str:
    """The method that the next visitor judges: the one with the fewest visitors, drawn among equals.

    Args:
        visitors: how many visitors of each method have finished or are active; those who left are made up for.
    """
    fewest = min(visitors.values())
    return rng.choice([method for method, count in visitors.items() if count == fewest])


def draw_trials(pictures: int, practice: int, trials: int, rng: Random) -> list[Trial]:
    """One visitor's pairs, practice first, no picture twice.

    Side and turn are crossed and balanced: in each part, each of the four combinations comes up equally often, up to
    one where the number is no multiple of four.

    Raises:
        ValueError: fewer pictures than pairs.
    """
    if pictures < practice + trials:
        raise ValueError(
            f"{practice} practice and {trials} test pairs need {practice + trials} pictures, not {pictures}"
        )
    drawn = rng.sample(range(pictures), practice + trials)
    layouts = _balanced(practice, rng) + _balanced(trials, rng)
    return [
        Trial(picture, place < practice, fake_left, left_first)
        for place, (picture, (fake_left, left_first)) in enumerate(zip(drawn, layouts, strict=True))
    ]


def _balanced(count: int, rng: Random) -> list[tuple[bool, bool]]:
    """(fake left, left first) for each of `count` pairs, as balanced as the count allows, in random order."""
    quarters = [(True, True), (False, False), (True, False), (False, True)]
    whole, rest = divmod(count, 4)
    # two that are left over differ in side and in turn, so that neither alone is a hint
    start = rng.choice((0, 2))
    left_over = quarters[start:] + quarters[:start]
    if rng.random() < 0.5:
        left_over = [left_over[1], left_over[0], left_over[3], left_over[2]]
    layouts = quarters * whole + left_over[:rest]
    rng.shuffle(layouts)
    return layouts
