from collections import Counter
from random import Random

import pytest

from tintype.study.design import draw_trials, next_method


@pytest.mark.parametrize("seed", range(20))
def test_no_picture_comes_twice_and_practice_comes_first(seed):
    trials = draw_trials(60, 10, 40, Random(seed))
    assert len({trial.picture for trial in trials}) == 50
    assert {trial.picture for trial in trials} <= set(range(60))
    assert [trial.practice for trial in trials] == [True] * 10 + [False] * 40


@pytest.mark.parametrize("seed", range(20))
def test_side_and_turn_are_balanced_within_each_part(seed):
    trials = draw_trials(60, 10, 40, Random(seed))
    assert set(Counter((t.fake_left, t.left_first) for t in trials[10:]).values()) == {10}
    practice = trials[:10]
    assert sum(t.fake_left for t in practice) == 5
    assert sum(t.left_first for t in practice) == 5


def test_neither_side_nor_turn_nor_place_tells_the_made_up_one():
    drawn = [draw_trials(50, 10, 40, Random(seed)) for seed in range(2000)]
    for place in range(50):
        for hint in ("fake_left", "left_first", "fake_first"):
            share = sum(getattr(trials[place], hint) for trials in drawn) / len(drawn)
            assert share == pytest.approx(0.5, abs=0.05), (place, hint)  # 4.5 standard errors


def test_every_picture_comes_equally_often_at_every_place():
    first = Counter(draw_trials(20, 5, 10, Random(seed))[0].picture for seed in range(4000))
    assert set(first) == set(range(20))
    assert max(first.values()) < 270  # 200 expected, standard deviation 14


def test_the_same_seed_draws_the_same():
    assert draw_trials(50, 10, 40, Random(3)) == draw_trials(50, 10, 40, Random(3))
    assert draw_trials(50, 10, 40, Random(3)) != draw_trials(50, 10, 40, Random(4))


def test_the_method_with_the_fewest_visitors_is_next_and_ties_are_drawn():
    assert next_method({"a": 3, "b": 2, "c": 3}, Random(0)) == "b"
    assert {next_method({"a": 2, "b": 2, "c": 3}, Random(seed)) for seed in range(50)} == {"a", "b"}


def test_too_few_pictures_are_refused():
    with pytest.raises(ValueError, match="need 50 pictures, not 49"):
        draw_trials(49, 10, 40, Random(0))
