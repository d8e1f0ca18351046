import numpy as np
import pytest
import torch

from carvana.geometry import FULL, SMALL
from carvana.losses import albu
from carvana.recipe import AlbuLoss
from carvana.recipe_files import load_recipe

MODEL = "linknet34_fma_s44"


@pytest.fixture
def example():
    state = np.random.RandomState(4)
    return state.randn(3, 1, 6, 8), state.rand(3, 1, 6, 8)


def test_cross_entropy_plus_one_minus_the_mean_of_the_images_dice(example):
    logits, t = example
    p = 1 / (1 + np.exp(-logits))
    cross_entropy = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean()
    dices = [2 * ((q * u).sum() + 1) / (q.sum() + u.sum() + 1) for q, u in zip(p, t, strict=True)]
    found = albu.loss(torch.from_numpy(logits), torch.from_numpy(t), smooth=1.0)
    assert found.item() == pytest.approx(cross_entropy + 1 - np.mean(dices), rel=1e-12)


def test_gradient(example):
    logits, t = (torch.from_numpy(array) for array in example)
    assert torch.autograd.gradcheck(lambda x: albu.loss(x, t, 1.0), logits.requires_grad_())


def test_the_mean_dice_is_clamped_not_each_images():
    """A rightly empty image has a Dice of 2: alone it is clamped to 1, with others it raises the mean."""
    empty, full = torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)
    assert albu.mean_dice(empty, empty, 1.0) == 1
    found = albu.mean_dice(torch.cat([empty, full, full]), torch.zeros(3, 1, 4, 4), 1.0)
    assert found.item() == pytest.approx((2 + 2 * 2 / 17) / 3)


@pytest.mark.parametrize(("geometry", "border"), [(FULL, 6), (SMALL, 1)])
def test_what_is_reported_leaves_the_border_out_and_the_loss_does_not(geometry, border):
    objective = albu.build(load_recipe(MODEL), geometry)
    torch.manual_seed(5)
    logits, masks = torch.randn(2, 1, 20, 24), (torch.rand(2, 1, 20, 24) > 0.5).float()
    changed = logits.clone()
    changed[:, :, :border] += 3
    changed[:, :, :, -border:] -= 3
    assert objective.measures(changed, masks) == objective.measures(logits, masks)
    assert objective.terms(changed, masks)["loss"] != objective.terms(logits, masks)["loss"]
    changed[:, :, border, border] += 3
    assert objective.measures(changed, masks)["soft_dice"] != objective.measures(logits, masks)["soft_dice"]


def test_reported_values():
    objective = albu.Objective(AlbuLoss(kind="albu", smooth=1.0), border=0)
    p = np.array([0.9, 0.6, 0.4, 0.2])
    t = np.array([1.0, 0.0, 1.0, 0.0])
    logits = torch.from_numpy(np.log(p / (1 - p))).reshape(1, 1, 2, 2)
    found = objective.measures(logits, torch.from_numpy(t).reshape(1, 1, 2, 2))
    assert found["soft_dice"].item() == pytest.approx(2 * (1.3 + 1) / (2.1 + 2 + 1))
    assert found["hard_dice"].item() == pytest.approx(2 * (1 + 1) / (2 + 2 + 1))
    assert found["bce"].item() == pytest.approx(-np.log([0.9, 0.4, 0.4, 0.8]).mean())
