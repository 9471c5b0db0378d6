import numpy as np
import pytest
from scipy import stats

from tintype.data.sampling import Sampler, _mix, permute, uniform

SIZES = [1, 2, 3, 1000, 65_536, 65_537, 100_001]  # above 65,536 an order is not sorted out but computed


def test_mix_is_that_of_splitmix64():
    # The first outputs for seed 1234567 as Rosetta Code gives them ("Pseudo-random numbers/Splitmix64").
    states = np.uint64(1234567) + np.arange(1, 6, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert _mix(states).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_uniform_numbers_are_uniform_and_unrelated_to_their_neighbours_and_other_streams():
    one, other = uniform(np.arange(50_000), 7, 1), uniform(np.arange(50_000), 7, 2)
    assert stats.kstest(one, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(one[:-1], one[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.02


def test_uniform_numbers_do_not_depend_on_which_others_are_asked_for():
    numbers = uniform(np.arange(1000), 3)
    np.testing.assert_array_equal(uniform(np.array([999, 5]), 3), numbers[[999, 5]])


@pytest.mark.parametrize("size", SIZES)
def test_a_permutation_takes_every_index_once(size):
    np.testing.assert_array_equal(np.sort(permute(np.arange(size), size, 5)), np.arange(size))


@pytest.mark.parametrize("size", SIZES)
def test_a_permutation_does_not_depend_on_which_indices_are_asked_for(size):
    whole = permute(np.arange(size), size, 5)
    some = np.array([size - 1, 0, size // 2])
    np.testing.assert_array_equal(permute(some, size, 5), whole[some])


@pytest.mark.parametrize("size", [1000, 100_001])
def test_a_permutation_leaves_no_order(size):
    orders = [permute(np.arange(size), size, 0, epoch) for epoch in range(2)]
    for order in orders:
        assert abs(np.corrcoef(order, np.arange(size))[0, 1]) < 0.1
        counts, _, _ = np.histogram2d(np.arange(size), order, bins=10)
        assert stats.chisquare(counts.ravel()).pvalue > 1e-4
    assert (orders[0] == orders[1]).mean() < 0.01


@pytest.mark.parametrize("weights", [None, [0.7, 0.3]])
def test_draws_do_not_depend_on_where_drawing_starts(weights):
    whole = Sampler([30, 50], weights, seed=1).draw(0, 1000)
    late = Sampler([30, 50], weights, seed=1)
    np.testing.assert_array_equal(late.draw(617, 83), whole[617:700])
    np.testing.assert_array_equal(late.draw(5, 10), whole[5:15])
    np.testing.assert_array_equal(late.draw(990, 10), whole[990:])


def test_without_weights_every_photograph_of_every_source_comes_once_per_epoch():
    sampler = Sampler([3, 10], None, seed=0)
    drawn = np.concatenate([sampler.draw(first, 5) for first in range(0, 130, 5)]).reshape(10, 13)
    np.testing.assert_array_equal(np.sort(drawn), np.tile(np.arange(13), (10, 1)))
    assert len({tuple(epoch) for epoch in drawn.tolist()}) == 10


def test_seeds_give_different_draws():
    drawn = [Sampler([1000], None, seed).draw(0, 100) for seed in (0, 1)]
    assert (drawn[0] == drawn[1]).sum() < 5


def test_sources_are_drawn_by_weight_whatever_their_sizes():
    drawn = Sampler([10, 1000, 500], [1.0, 2.0, 5.0], seed=4).draw(0, 20_000)
    counts = np.histogram(drawn, bins=[0, 10, 1010, 1510])[0]
    assert stats.chisquare(counts, np.array([1, 2, 5]) / 8 * 20_000).pvalue > 0.001


def test_with_weights_every_photograph_of_a_source_comes_once_per_epoch_of_that_source():
    drawn = Sampler([7, 5], [0.2, 0.8], seed=2).draw(0, 400)
    for low, high in ((0, 7), (7, 12)):
        own = drawn[(drawn >= low) & (drawn < high)]
        epochs = own[: len(own) // (high - low) * (high - low)].reshape(-1, high - low)
        assert len(epochs) > 5
        np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(low, high), (len(epochs), 1)))


def test_a_replacement_comes_from_the_same_source_where_sources_have_weights():
    sampler = Sampler([40, 60], [0.5, 0.5], seed=0)
    replacements = [
        [sampler.replace(number, draw, attempt) for attempt in range(30)] for number, draw in ((10, 3), (70, 4))
    ]
    assert all(0 <= number < 40 for number in replacements[0])
    assert all(40 <= number < 100 for number in replacements[1])
    assert len(set(replacements[0])) > 10
    assert sampler.replace(10, 3, 5) == Sampler([40, 60], [0.5, 0.5], seed=0).replace(10, 3, 5)
