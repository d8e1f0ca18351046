import numpy as np
import pytest
import torch

from carvana.losses import ternaus

EPSILON = 1e-15


@pytest.fixture
def example():
    state = np.random.RandomState(3)
    probabilities = state.uniform(0.05, 0.95, (3, 1, 5, 7))
    masks = (state.rand(3, 1, 5, 7) > 0.5).astype(np.float64)
    return probabilities, masks


def test_cross_entropy_minus_the_logarithm_of_the_whole_batchs_dice(example):
    p, t = example
    cross_entropy = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    dice = 2 * (p * t).sum() / (p.sum() + t.sum() + EPSILON)
    found = ternaus.loss(torch.from_numpy(p), torch.from_numpy(t), EPSILON)
    assert found.item() == pytest.approx(cross_entropy - np.log(dice), rel=1e-12)


def test_gradient(example):
    p, t = (torch.from_numpy(array) for array in example)
    assert torch.autograd.gradcheck(lambda p: ternaus.loss(p, t, EPSILON), p.requires_grad_())


def test_images_without_car_still_have_a_finite_loss(example):
    p = torch.from_numpy(example[0])
    assert ternaus.soft_dice_of_batch(p, torch.zeros_like(p), EPSILON) == 0
    mixed = torch.from_numpy(example[1].copy())
    mixed[0] = 0
    assert torch.isfinite(ternaus.loss(p, mixed, EPSILON))


def test_hard_dice_is_a_mean_over_images_of_probabilities_above_a_half():
    p = torch.tensor([[0.9, 0.5, 0.6, 0.1], [0.2, 0.3, 0.8, 0.7]]).reshape(2, 1, 2, 2)
    t = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]).reshape(2, 1, 2, 2)
    assert ternaus.hard_dice(p, t, EPSILON).item() == pytest.approx((0.5 + 1) / 2)
