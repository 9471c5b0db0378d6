import numpy as np
import pytest
import skimage.color
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from reference import lab as reference
from tintype.color.lab import lab_to_rgb, lightness, linear_to_srgb, luminance_to_lightness, rgb_to_lab, srgb_to_linear

CORNERS = np.stack(np.meshgrid([0.0, 1.0], [0.0, 1.0], [0.0, 1.0]), -1).reshape(-1, 3)


def some_rgb() -> np.ndarray:
    """(N, 3): the cube's corners, the greys, colours about the transfer curve's bend and anything else."""
    rng = np.random.default_rng(0)
    greys = np.repeat(np.linspace(0, 1, 256)[:, None], 3, 1)
    return np.concatenate([CORNERS, greys, rng.uniform(0, 0.1, (500, 3)), rng.uniform(0, 1, (2000, 3))])


def some_lab() -> np.ndarray:
    """(N, 3): far beyond sRGB's gamut on every side, Z below 0 included."""
    return np.random.default_rng(1).uniform((0, -128, -128), (100, 128, 128), (3000, 3))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-4), (np.float64, 1e-6)])
def test_rgb_to_lab_agrees_with_scikit_image(dtype, tolerance):
    rgb = some_rgb()
    # In float64: scikit-image's own float32 is no better than ours.
    np.testing.assert_allclose(rgb_to_lab(rgb.astype(dtype), axis=-1), skimage.color.rgb2lab(rgb), atol=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-8)])
def test_lab_to_rgb_agrees_with_scikit_image_within_the_gamut(dtype, tolerance):
    lab = skimage.color.rgb2lab(some_rgb())
    np.testing.assert_allclose(lab_to_rgb(lab.astype(dtype), axis=-1), skimage.color.lab2rgb(lab), atol=tolerance)


def test_lab_to_rgb_agrees_with_scikit_image_out_of_gamut_where_z_is_positive():
    lab = some_lab()
    lab = lab[(lab[:, 0] + 16) / 116 - lab[:, 2] / 200 > 0]  # elsewhere scikit-image clips before the cube, and warns
    np.testing.assert_allclose(lab_to_rgb(lab, axis=-1), skimage.color.lab2rgb(lab), atol=1e-6)


def test_rgb_to_lab_agrees_with_the_slow_twin():
    rgb = some_rgb()
    # scikit-image, whose constants ours are, rounds CIE's (29/6)²/3 to 7.787 and (6/29)³ to 0.008856.
    np.testing.assert_allclose(rgb_to_lab(rgb, axis=-1), [reference.rgb_to_lab(*c) for c in rgb], atol=2e-4)


def test_unclipped_lab_to_rgb_agrees_with_the_slow_twin_far_out_of_gamut():
    lab = some_lab()
    np.testing.assert_allclose(lab_to_rgb(lab, axis=-1, clip=False), [reference.lab_to_rgb(*c) for c in lab], atol=1e-5)


def test_clip_only_clips():
    lab = some_lab()
    unclipped = lab_to_rgb(lab, axis=-1, clip=False)
    assert unclipped.min() < 0 < 1 < unclipped.max()
    np.testing.assert_array_equal(lab_to_rgb(lab, axis=-1), unclipped.clip(0, 1))


@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb, lightness])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_numpy_and_torch_give_the_same_numbers_and_keep_the_float_type(convert, dtype):
    colours = (some_lab() if convert is lab_to_rgb else some_rgb()).astype(dtype)
    ours, theirs = convert(colours, axis=-1), convert(torch.from_numpy(colours), axis=-1)
    assert isinstance(ours, np.ndarray)
    assert isinstance(theirs, torch.Tensor)
    assert ours.dtype == dtype
    assert theirs.dtype == getattr(torch, dtype)
    rtol, atol = (1e-5, 1e-4) if dtype == "float32" else (1e-12, 1e-10)
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=rtol, atol=atol)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device: nothing to stay on")
def test_tensors_stay_on_their_device_with_the_same_numbers():
    rgb = torch.from_numpy(some_rgb()).float()
    lab = rgb_to_lab(rgb.cuda(), axis=-1)
    assert lab.device.type == "cuda"
    torch.testing.assert_close(lab.cpu(), rgb_to_lab(rgb, axis=-1), atol=2e-4, rtol=1e-5)
    back = lab_to_rgb(lab, axis=-1)
    assert back.device.type == "cuda"
    torch.testing.assert_close(back.cpu(), rgb, atol=1e-5, rtol=0)


def test_no_operation_leaves_the_device_of_its_input():
    """Fake tensors compute nothing, need no GPU, and refuse to be mixed with tensors of another device."""
    with FakeTensorMode():
        rgb = torch.empty(2, 3, 4, 5, device="cuda")
        for convert in (rgb_to_lab, lab_to_rgb, lightness):
            assert convert(rgb).device.type == "cuda"


@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb, lightness])
@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -2, -3, -4])
def test_the_channel_axis_may_stand_anywhere(convert, axis):
    colours = np.random.default_rng(2).uniform(0, 1, (4, 5, 6, 3))
    expected = np.moveaxis(convert(colours, axis=-1), -1, axis)
    np.testing.assert_array_equal(convert(np.moveaxis(colours, -1, axis), axis=axis), expected)


@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb, lightness])
def test_channels_come_third_from_last_unless_told(convert):
    colours = np.random.default_rng(3).uniform(0, 1, (2, 3, 4, 5))
    np.testing.assert_array_equal(convert(colours), convert(colours, axis=1))
    np.testing.assert_array_equal(convert(colours[0]), convert(colours, axis=1)[0])


@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb, lightness])
def test_memory_layout_does_not_matter(convert):
    colours = np.random.default_rng(4).uniform(0, 1, (6, 8, 3))
    seen_apart = torch.from_numpy(colours)[::2, 1::3].permute(2, 1, 0)
    assert not seen_apart.is_contiguous()
    torch.testing.assert_close(convert(seen_apart), convert(seen_apart.contiguous()))


def test_lightness_is_the_first_channel_of_lab():
    rgb = some_rgb()
    found = lightness(rgb, axis=-1)
    assert found.shape == (len(rgb), 1)
    np.testing.assert_allclose(found, rgb_to_lab(rgb, axis=-1)[:, :1], atol=1e-10)
    assert lightness(np.zeros((2, 3, 4, 5))).shape == (2, 1, 4, 5)


def test_black_white_and_greys_have_no_colour():
    lab = rgb_to_lab(np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, None], 3, 1), axis=-1)
    assert np.abs(lab[:, 1:]).max() < 0.02  # the matrix's rows sum to the white point to five digits only
    np.testing.assert_allclose(lab[[0, -1], 0], [0, 100], atol=1e-4)
    assert (np.diff(lab[:, 0]) > 0).all()


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_a_colour_comes_back_from_lab(dtype, tolerance):
    rgb = some_rgb().astype(dtype)
    np.testing.assert_allclose(lab_to_rgb(rgb_to_lab(rgb, axis=-1), axis=-1, clip=False), rgb, atol=tolerance)


def test_every_8_bit_colour_comes_back_exactly():
    level = np.arange(0, 256, 5, dtype=np.float32)
    rgb = np.stack(np.meshgrid(level, level, level), -1)
    back = lab_to_rgb(rgb_to_lab(rgb / 255, axis=-1), axis=-1)
    np.testing.assert_array_equal(np.round(back * 255), rgb)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("convert", [rgb_to_lab, lightness])
def test_gradients_are_finite_at_black_at_white_and_just_outside(convert, dtype):
    rgb = torch.tensor(np.concatenate([CORNERS, CORNERS - 1e-3, CORNERS + 1e-3, some_rgb()]), dtype=dtype)
    rgb.requires_grad_()
    (gradient,) = torch.autograd.grad(convert(rgb, axis=-1).sum(), rgb)
    assert gradient.isfinite().all()


@pytest.mark.parametrize("clip", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_back_to_rgb_are_finite_in_and_out_of_gamut(dtype, clip):
    edges = [[0, 0, 0], [100, 0, 0], [0, 50, -50], [100, -50, 50], [0, 0, 1e-6], [0, 0, 120], [5, 0, 127], [50, 0, 0]]
    lab = torch.tensor(np.concatenate([edges, some_lab()]), dtype=dtype, requires_grad=True)
    (gradient,) = torch.autograd.grad(lab_to_rgb(lab, axis=-1, clip=clip).sum(), lab)
    assert gradient.isfinite().all()


def test_gradients_are_those_of_finite_differences():
    # Black and white are inside straight pieces of both curves; the bends at 0.04045 and (6/29)³ have no derivative.
    rgb = np.concatenate([CORNERS, np.random.default_rng(5).uniform(0, 1, (12, 3))])
    rgb = torch.tensor(rgb[(np.abs(rgb - 0.04045) > 1e-3).all(1)], requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: rgb_to_lab(x, axis=-1), rgb)
    assert torch.autograd.gradcheck(lambda x: lightness(x, axis=-1), rgb)
    lab = torch.tensor(np.concatenate([[[0, 0, 0], [100, 0, 0]], some_lab()[:30]]), requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: lab_to_rgb(x, axis=-1, clip=False), lab)


def test_z_slightly_below_zero_is_neither_nan_nor_a_jump():
    """Rounding leaves Z of a saturated yellow or of black a hair below 0; a cube root of that would be nan."""
    below, above = (np.array([[0.0, 0.0, b], [2.0, 0.0, b + 3.45]]) for b in (27.5864, 27.5860))
    for dtype in (np.float32, np.float64):
        rgb = lab_to_rgb(np.concatenate([below, above]).astype(dtype), axis=-1, clip=False)
        assert np.isfinite(rgb).all()
        np.testing.assert_allclose(rgb[:2], rgb[2:], atol=1e-4)


def test_rgb_slightly_below_zero_is_neither_nan_nor_a_jump():
    """Resampling with a sharp kernel leaves such values."""
    lab = rgb_to_lab(np.array([[-1e-4, -1e-4, -1e-4], [0, 0, 0], [-0.05, 0.5, 1.05]], dtype=np.float32), axis=-1)
    assert np.isfinite(lab).all()
    np.testing.assert_allclose(lab[0], lab[1], atol=0.01)


@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb, lightness])
@pytest.mark.parametrize("make", [np.asarray, torch.as_tensor])
def test_bytes_are_refused_rather_than_read_as_0_to_255_floats(convert, make):
    with pytest.raises((TypeError, ValueError)):
        convert(make(np.full((3, 4, 4), 200, np.uint8)))


@pytest.mark.parametrize("convert", [rgb_to_lab, lab_to_rgb, lightness])
@pytest.mark.parametrize("shape", [(4, 8, 8), (8, 8, 3), (1, 8, 8)])
def test_an_axis_without_three_channels_is_refused(convert, shape):
    with pytest.raises(ValueError, match="3"):
        convert(np.zeros(shape))


def test_luminance_becomes_lightness_as_in_cie_15():
    y = np.array([0, 0.001, (6 / 29) ** 3, 0.18, 0.5, 1])
    expected = [reference.rgb_to_lab(*(3 * [v]))[0] for v in linear_to_srgb(y)]
    np.testing.assert_allclose(luminance_to_lightness(y), expected, atol=1e-4)
    assert luminance_to_lightness(np.float64(0.184187)) == pytest.approx(50, abs=1e-3)  # middle grey


def test_the_transfer_curve_and_its_inverse_cancel():
    v = np.linspace(-0.1, 1.1, 1001)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(v)), v, atol=1e-7)
    assert srgb_to_linear(np.float64(0.5)) == pytest.approx(0.2140411)
