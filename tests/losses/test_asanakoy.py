import numpy as np
import pytest
import torch

from carvana.geometry import FULL, SMALL
from carvana.losses import asanakoy
from carvana.recipe_files import load_recipe
from tests.golden.inputs import ellipse_mask

OUTLINE = (0.01, 0.99)


def masks_of(*arrays):
    return torch.from_numpy(np.stack(arrays)[:, None].astype(np.float64))


def test_weights_by_the_local_mean_with_zeros_outside_scaled_over_the_batch():
    masks = np.zeros((2, 12, 14))
    masks[0, 3:8, 4:11] = 1
    masks[1] = 1
    kernel = 5
    raw = np.ones_like(masks)
    for n, y, x in np.ndindex(*masks.shape):
        window = masks[n, max(0, y - 2) : y + 3, max(0, x - 2) : x + 3]
        local_mean = window.sum() / kernel**2
        raw[n, y, x] = 3 if 0.01 <= local_mean <= 0.99 else 1
    found = asanakoy.outline_weights(masks_of(*masks), kernel, OUTLINE, 3.0).numpy()[:, 0]
    assert found == pytest.approx(raw * raw.size / raw.sum(), rel=1e-12)
    assert found.sum() == pytest.approx(raw.size)
    assert found[0].sum() != pytest.approx(raw[0].size, rel=1e-3)  # not image by image
    assert (raw[1, 0] == 3).all()  # car at the image's edge counts as outline


@pytest.mark.parametrize("kernel", [11, 41])
def test_the_local_mean_is_that_of_whole_windows_bit_for_bit(kernel):
    masks = (torch.rand(2, 1, 60, 70, generator=torch.Generator().manual_seed(1)) > 0.98).float()
    found = asanakoy.local_mean(masks, kernel)
    assert torch.equal(found, torch.nn.functional.avg_pool2d(masks, kernel, stride=1, padding=kernel // 2))
    assert len(found.unique()) > 10


@pytest.mark.parametrize(("model", "geometry", "kernel"), [("unet_scratch", SMALL, 11), ("unet_vgg11", FULL, 41)])
def test_the_window_goes_by_the_masks_height(model, geometry, kernel):
    masks = masks_of(ellipse_mask(geometry.unet_size[0], 64))  # narrow, to be quick
    logits = torch.zeros_like(masks)
    recipe = load_recipe(model)
    weights = asanakoy.outline_weights(masks, kernel, OUTLINE, 3.0)
    # At logit 0 only the weights decide the Dice term.
    expected = asanakoy.weighted_dice_loss(torch.sigmoid(logits), masks, weights, 1.0)
    other = asanakoy.outline_weights(masks, kernel + 2, OUTLINE, 3.0)
    assert asanakoy.build(recipe, geometry).terms(logits, masks)["dice_loss"] == expected
    assert asanakoy.weighted_dice_loss(torch.sigmoid(logits), masks, other, 1.0) != expected


def test_both_terms_by_hand():
    state = np.random.RandomState(6)
    shape = (2, 1, 4, 5)
    logits, t, w = state.randn(*shape), (state.rand(*shape) > 0.5).astype(float), state.uniform(0.5, 2, shape)
    p = 1 / (1 + np.exp(-logits))
    cross_entropy = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    tensors = [torch.from_numpy(array) for array in (logits, t, w)]
    found = asanakoy.weighted_cross_entropy(*tensors).item()
    assert found == pytest.approx((w * cross_entropy).sum() / w.sum(), rel=1e-12)
    dices = [
        2 * ((v * q * u).sum() + 1) / ((v * q).sum() + (v * u).sum() + 1) for q, u, v in zip(p, t, w**2, strict=True)
    ]
    found = asanakoy.weighted_dice_loss(torch.sigmoid(tensors[0]), tensors[1], tensors[2], 1.0).item()
    assert found == pytest.approx(1 - np.mean(dices), rel=1e-12)


def test_gradient():
    masks = masks_of(ellipse_mask(128, 16))
    logits = torch.randn(masks.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    objective = asanakoy.build(load_recipe("unet_scratch"), SMALL)
    assert torch.autograd.gradcheck(
        lambda x: objective.terms(x, masks)["loss"], logits.requires_grad_(), fast_mode=True
    )


def test_dice_at_half_is_a_mean_over_images():
    logits = torch.tensor([[1.0, 0.0, 2.0, -1.0], [-1.0, -2.0, -1.0, -0.5]]).reshape(2, 1, 2, 2)
    masks = torch.tensor([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]).reshape(2, 1, 2, 2)
    # A logit of 0 is a probability of exactly one half: not car. The second image is rightly empty.
    assert asanakoy.dice_at_half(logits, masks).item() == pytest.approx((0.5 + 1) / 2)
