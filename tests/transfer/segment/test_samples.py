import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tintype.transfer.segment.loss import segmentation_loss
from tintype.transfer.segment.samples import Batch, crop_pair, draw_points, make_sample, pad_pair

VOID = 255


def pair(height: int, width: int):
    """An image whose first two channels say where a pixel is from, and a mask that follows from them."""
    y, x = np.indices((height, width))
    return np.stack([y, x, 0 * x + 7], axis=2).astype(np.uint8), ((3 * y + x) % 5).astype(np.uint8)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("size", [(40, 60), (24, 24), (70, 24)])
def test_a_crop_is_the_same_square_of_image_and_mask(size, flip):
    rng = np.random.default_rng(0)
    corners, mirrored = set(), 0
    for _ in range(60):
        pixels, mask = crop_pair(*pair(*size), rng, side=24, flip=flip, void=VOID)
        y, x = pixels[..., 0].astype(int), pixels[..., 1].astype(int)
        assert mask.shape == (24, 24)
        np.testing.assert_array_equal(mask, (3 * y + x) % 5)
        mirrored += x[0, 0] > x[0, -1]
        corners.add((y[0, 0], min(x[0])))
        np.testing.assert_array_equal(np.diff(y, axis=0), 1)
    assert 15 < mirrored < 45 if flip else not mirrored
    assert len(corners) in {(40, 60): range(45, 61), (24, 24): range(1, 2), (70, 24): range(25, 48)}[size]


def test_an_image_smaller_than_the_crop_lies_in_its_middle_on_black_and_void():
    pixels, mask = crop_pair(*pair(10, 40), np.random.default_rng(0), side=25, flip=False, void=VOID)
    assert pixels.shape == (25, 25, 3)
    outside = np.ones((25, 25), bool)
    outside[7:17] = False
    assert (mask[outside] == VOID).all()
    assert not pixels[outside].any()
    assert (pixels[~outside][:, 2] == 7).all()
    np.testing.assert_array_equal(pixels[7:17, 0, 0], np.arange(10))
    np.testing.assert_array_equal(mask[7:17], (3 * pixels[7:17, :, 0].astype(int) + pixels[7:17, :, 1]) % 5)


def test_padding_to_a_multiple_repeats_the_last_pixels_and_is_void():
    pixels, mask = pad_pair(*pair(33, 64), 32, VOID)
    assert pixels.shape == (64, 64, 3)
    assert mask.shape == (64, 64)
    np.testing.assert_array_equal(pixels[33:], np.broadcast_to(pixels[32], (31, 64, 3)))
    assert (mask[33:] == VOID).all()
    assert (mask[:33] != VOID).all()


@pytest.mark.parametrize("edge", [0, 5])
def test_points_are_drawn_evenly_inside_the_edge_and_have_their_pixels_labels(edge):
    pixels, mask = pair(30, 40)
    points = draw_points(mask, np.random.default_rng(0), count=30_000, edge=edge)
    counts = np.zeros((30, 40))
    np.add.at(counts, (points[:, 0], points[:, 1]), 1)
    inner = counts[edge : 30 - edge, edge : 40 - edge]
    assert counts.sum() == inner.sum() == 30_000
    assert inner.min() > 0
    expected = 30_000 / inner.size
    assert ((inner - expected) ** 2 / expected).sum() < inner.size + 6 * (2 * inner.size) ** 0.5  # chi-squared
    np.testing.assert_array_equal(make_sample(pixels, mask, points).labels, (3 * points[:, 0] + points[:, 1]) % 5)


class Given(nn.Module):
    """Gives logits that were made before, by the first pixel of each image."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def forward(self, seen, points=None):
        chosen = [self.logits[int(x[0, 0, 0])] for x in seen]
        return torch.stack(chosen)


def samples(shapes, sparse):
    rng = np.random.default_rng(0)
    made, logits = [], []
    for number, (height, width) in enumerate(shapes):
        mask = rng.integers(0, 4, (height, width)).astype(np.uint8)
        mask[rng.random(mask.shape) < 0.2 * (number + 1)] = VOID
        pixels = np.full((height, width, 3), number, np.uint8)
        points = draw_points(mask, rng, count=20, edge=0) if sparse else None
        made.append(make_sample(pixels, mask, points))
        shape = (4, 20) if sparse else (4, height, width)
        logits.append(torch.from_numpy(rng.normal(size=shape)).float().requires_grad_())
    return made, logits


def total(logits, batch):
    return segmentation_loss(Given(logits), lambda pixels: pixels.float(), batch, VOID)


def test_the_loss_at_points_is_the_mean_over_all_of_the_batch_that_are_not_void():
    made, logits = samples([(12, 12)] * 4, sparse=True)
    found = total(logits, Batch.of(made, VOID))
    labels = torch.from_numpy(np.stack([sample.labels for sample in made])).long()
    torch.testing.assert_close(found, F.cross_entropy(torch.stack(logits), labels, ignore_index=VOID))


def test_the_loss_of_whole_images_of_any_sizes_is_the_mean_of_their_own():
    made, logits = samples([(12, 9), (7, 30), (5, 5), (5, 5)], sparse=False)
    found = total(logits, Batch.of(made, VOID))
    each = [
        F.cross_entropy(x[None], torch.from_numpy(sample.labels).long()[None], ignore_index=VOID)
        for x, sample in zip(logits, made, strict=True)
    ]
    torch.testing.assert_close(found, torch.stack(each).mean())


@pytest.mark.parametrize("sparse", [False, True])
def test_parts_of_a_batch_have_losses_and_gradients_whose_mean_is_the_batchs(sparse):
    made, logits = samples([(8, 8)] * 4 if sparse else [(8, 8), (5, 9), (9, 5), (8, 8)], sparse)
    batch = Batch.of(made, VOID)
    whole = total(logits, batch)
    expected = torch.autograd.grad(whole, logits)
    parts = [total(logits, batch[i : i + 1]) for i in range(4)]
    torch.testing.assert_close(torch.stack(parts).mean(), whole)
    for ours, theirs in zip(torch.autograd.grad(sum(parts) / 4, logits), expected, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("sparse", [False, True])
def test_what_is_predicted_at_void_counts_for_nothing(sparse):
    made, logits = samples([(8, 8)] * 2, sparse)
    batch = Batch.of(made, VOID)
    before = total(logits, batch)
    gradients = torch.autograd.grad(before, logits)
    voids = [torch.from_numpy(sample.labels == VOID) for sample in made]
    assert all(void.any() for void in voids)
    with torch.no_grad():
        for x, void, gradient in zip(logits, voids, gradients, strict=True):
            assert not gradient[:, void].any()
            assert gradient[:, ~void].all()
            x[:, void] = 1e4 * torch.randn(4, int(void.sum()))
    assert total(logits, batch).equal(before)


def test_an_image_that_is_void_all_over_has_no_loss():
    sample = make_sample(np.zeros((6, 6, 3), np.uint8), np.full((6, 6), VOID, np.uint8), None)
    logits = [torch.randn(4, 6, 6, requires_grad=True)]
    assert total(logits, Batch.of([sample], VOID)) == 0
