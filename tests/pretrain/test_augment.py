from dataclasses import fields, replace

import pytest
import torch

from tintype.pretrain.augment import age, blur, grain, scratches, stains, tones, vignette
from tintype.pretrain.recipe import Augment

STRONG = Augment(grain=10, blur=2, fade=0.8, contrast=0.5, gamma=0.5, vignette=0.8, scratches=1, stains=1)
EFFECTS = [field.name for field in fields(Augment)]


@pytest.fixture
def photographs():
    shapes = torch.rand(6, 1, 5, 6, generator=torch.Generator().manual_seed(0)) * 100
    return torch.nn.functional.interpolate(shapes, size=(40, 48), mode="bilinear")


def draws(rows, columns, value=None):
    if value is not None:
        return torch.full((rows, columns), float(value))
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(1))


def test_at_strength_0_nothing_changes(photographs):
    assert torch.equal(age(photographs, Augment(), 1, 2), photographs)


@pytest.mark.parametrize("effect", EFFECTS)
def test_each_effect_acts_alone_and_stays_a_lightness(photographs, effect):
    aged = age(photographs, replace(Augment(), **{effect: getattr(STRONG, effect)}), 1, 2)
    assert aged.shape == photographs.shape
    assert not torch.allclose(aged, photographs, atol=0.5)
    assert float(aged.min()) >= 0
    assert float(aged.max()) <= 100
    assert torch.isfinite(aged).all()


@pytest.mark.parametrize("effect", EFFECTS)
def test_a_weaker_effect_changes_less(photographs, effect):
    def change(strength):
        aged = age(photographs, replace(Augment(), **{effect: strength}), 1, 2)
        return float((aged - photographs).abs().mean())

    strong = getattr(STRONG, effect)
    assert change(strong / 100) < change(strong)


def test_the_same_seed_gives_the_same_damage_and_another_step_another(photographs):
    first = age(photographs, STRONG, 1, 2)
    assert torch.equal(first, age(photographs, STRONG, 1, 2))
    assert not torch.equal(first, age(photographs, STRONG, 1, 3))
    assert not torch.equal(first, age(photographs, STRONG, 2, 2))


def test_damage_does_not_depend_on_how_the_joint_batch_is_shared(photographs):
    shares = [age(photographs[i : i + 2], STRONG, 1, 2, first=i) for i in (0, 2, 4)]
    torch.testing.assert_close(torch.cat(shares), age(photographs, STRONG, 1, 2))


def test_photographs_of_a_batch_are_damaged_in_different_ways(photographs):
    same = photographs[:1].expand(4, -1, -1, -1)
    aged = age(same, STRONG, 1, 2)
    assert all(not torch.allclose(aged[0], aged[i], atol=1) for i in range(1, 4))


def test_damage_leaves_the_global_random_state_alone(photographs):
    before = torch.random.get_rng_state()
    age(photographs, STRONG, 1, 2)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_fading_lifts_blacks_and_narrows_the_range_by_its_share():
    ramp = torch.linspace(0, 100, 11).reshape(1, 1, 1, 11)
    faded = tones(ramp, draws(1, 4, 1), contrast=0, gamma=0, fade=0.3)
    assert float(faded[..., 0]) == pytest.approx(30)  # the last draw puts all of the loss at the blacks
    assert float(faded[..., -1]) == pytest.approx(100)
    faded = tones(ramp, torch.tensor([[0.5, 0.5, 1.0, 0.0]]), contrast=0, gamma=0, fade=0.3)
    assert float(faded[..., 0]) == pytest.approx(15)
    assert float(faded[..., -1]) == pytest.approx(85)


def test_tones_keep_their_order_so_the_scene_stays_readable(photographs):
    ramp = torch.linspace(0, 100, 11).reshape(1, 1, 1, 11).expand(50, -1, -1, -1)
    changed = tones(ramp, draws(50, 4), contrast=0.5, gamma=0.5, fade=0.5)
    assert (changed.diff(dim=-1) >= 0).all()


def test_gamma_runs_from_its_inverse_to_itself():
    mid = torch.full((2, 1, 1, 1), 50.0)
    both = tones(mid, torch.tensor([[0.0] * 4, [1.0] * 4]), contrast=0, gamma=0.5, fade=0).flatten() / 100
    torch.testing.assert_close(both, torch.tensor([0.5 ** (1 / 1.5), 0.5**1.5]))


def test_vignette_darkens_corners_by_its_strength_and_not_the_centre():
    flat = torch.full((1, 1, 33, 33), 80.0)
    dark = vignette(flat, torch.tensor([[1.0, 0.5, 0.5]]), 0.4)[0, 0]
    assert float(dark[16, 16]) == pytest.approx(80)
    assert float(dark[0, 0]) == pytest.approx(80 * 0.6)


def test_blur_agrees_with_scipy():
    ndimage = pytest.importorskip("scipy.ndimage")
    picture = torch.rand(2, 1, 24, 20, generator=torch.Generator().manual_seed(0)) * 100
    ours = blur(picture, torch.tensor([0.5, 1.0]), 1.6)
    for photograph, given, sigma in zip(ours, picture, (0.8, 1.6), strict=True):
        theirs = ndimage.gaussian_filter(given[0].double().numpy(), sigma, mode="mirror", radius=4)
        torch.testing.assert_close(photograph[0].double(), torch.from_numpy(theirs), atol=1e-3, rtol=0)


def test_grain_has_the_spread_that_is_asked_for_fine_and_coarse():
    flat = torch.full((2, 1, 128, 128), 50.0)
    noise = torch.randn(128, 128, generator=torch.Generator().manual_seed(0))
    how = torch.tensor([[0.3, 0.6, 0.0, 0.9, 0.0, 1.0], [0.3, 0.6, 0.9, 0.0, 0.9, 0.5]])
    fine, coarse = (grain(flat, how, noise, 8.0) - 50)[:, 0]
    assert float(fine.std()) == pytest.approx(8, rel=0.03)
    assert float(coarse.std()) == pytest.approx(4, rel=0.03)
    neighbours = [float((field[:, 1:] * field[:, :-1]).mean() / field.var()) for field in (fine, coarse)]
    assert abs(neighbours[0]) < 0.05
    assert neighbours[1] == pytest.approx(0.5, abs=0.05)


def test_scratches_touch_their_share_of_photographs_and_few_pixels():
    flat = torch.full((400, 1, 64, 64), 50.0)
    changed = (scratches(flat, draws(400, 8), 0.25) != 50).float().mean(dim=(1, 2, 3))
    share = float((changed > 0).float().mean())
    assert 0.1 < share <= 0.3
    assert float(changed.max()) < 0.1


def test_stains_touch_their_share_of_photographs_by_a_bounded_amount():
    flat = torch.full((400, 1, 64, 64), 50.0)
    change = (stains(flat, draws(400, 8), 0.25) - 50).abs().amax(dim=(1, 2, 3))
    assert float((change > 0.5).float().mean()) == pytest.approx(0.25, abs=0.07)
    assert float(change.max()) <= 20
