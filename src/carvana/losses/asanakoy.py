"""The U-Nets' loss (released training script): cross-entropy and soft Dice, both weighted near the outline.

Shape: logits_N1HW and masks_N1HW are (N, 1, H, W) of one floating type; masks are 0 or 1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from carvana.geometry import Geometry
from carvana.recipe import AsanakoyLoss, Recipe


def outline_weights(masks_N1HW: Tensor, kernel: int, outline: tuple[float, float], outline_weight: float) -> Tensor:
    """Weight of every pixel: `outline_weight` where the mask's local mean lies within `outline`, else 1; then scaled.

    The scale makes the weights of the whole batch sum to their count. `kernel` as in `local_mean`.
    """
    mean_N1HW = local_mean(masks_N1HW, kernel)
    near_outline = (mean_N1HW >= outline[0]) & (mean_N1HW <= outline[1])
    weights = torch.where(near_outline, outline_weight, 1.0).to(masks_N1HW.dtype)
    return weights * (weights.numel() / weights.sum())


def local_mean(masks_N1HW: Tensor, kernel: int) -> Tensor:
    """Mean of a window of `kernel` x `kernel` pixels, an odd number, around every pixel; zeros outside the image count.

    By columns, then by rows: the sums are whole numbers, so the bits are those of pooling in one.
    """
    margin = kernel // 2
    sums = functional.avg_pool2d(masks_N1HW, (kernel, 1), stride=1, padding=(margin, 0), divisor_override=1)
    return functional.avg_pool2d(sums, (1, kernel), stride=1, padding=(0, margin), divisor_override=kernel * kernel)


def weighted_cross_entropy(logits_N1HW: Tensor, masks_N1HW: Tensor, weights_N1HW: Tensor) -> Tensor:
    """Binary cross-entropy, its weighted mean over the batch; a scalar."""
    losses = functional.binary_cross_entropy_with_logits(logits_N1HW, masks_N1HW, reduction="none")
    return (weights_N1HW * losses).sum() / weights_N1HW.sum()


def weighted_dice_loss(probabilities_N1HW: Tensor, masks_N1HW: Tensor, weights_N1HW: Tensor, smooth: float) -> Tensor:
    """One minus the soft Dice with squared weights, mean over the images; a scalar."""
    squared = weights_N1HW * weights_N1HW
    intersection = (squared * probabilities_N1HW * masks_N1HW).sum((1, 2, 3))
    total = (squared * probabilities_N1HW).sum((1, 2, 3)) + (squared * masks_N1HW).sum((1, 2, 3))
    return (1 - 2 * (intersection + smooth) / (total + smooth)).mean()


def dice_at_half(logits_N1HW: Tensor, masks_N1HW: Tensor) -> Tensor:
    """Mean over the images of the Dice of `probability > 0.5`, 1 where both are empty; a scalar in [0, 1]."""
    predicted = (torch.sigmoid(logits_N1HW) > 0.5).to(masks_N1HW.dtype)
    intersection = (predicted * masks_N1HW).sum((1, 2, 3))
    total = predicted.sum((1, 2, 3)) + masks_N1HW.sum((1, 2, 3))
    return torch.where(total > 0, 2 * intersection / total, 1.0).mean()


class Objective:
    """What is minimised with its two parts, and the Dice that chooses the model."""

    def __init__(self, spec: AsanakoyLoss) -> None:
        self.spec = spec

    def terms(self, output_N1HW: Tensor, target_N1HW: Tensor) -> dict[str, Tensor]:
        """The loss of logits against masks, and its two summands."""
        spec = self.spec
        kernel = spec.kernels[target_N1HW.shape[2]]
        weights = outline_weights(target_N1HW, kernel, spec.outline, spec.outline_weight)
        cross_entropy = weighted_cross_entropy(output_N1HW, target_N1HW, weights)
        dice = weighted_dice_loss(torch.sigmoid(output_N1HW), target_N1HW, weights, spec.smooth)
        return {"loss": cross_entropy + dice, "bce": cross_entropy, "dice_loss": dice}

    @torch.no_grad()
    def measures(self, output_N1HW: Tensor, target_N1HW: Tensor) -> dict[str, Tensor]:
        """The mean Dice at probability 0.5."""
        return {"dice": dice_at_half(output_N1HW, target_N1HW)}


def build(recipe: Recipe, geometry: Geometry) -> Objective:
    """The objective of a recipe whose loss is of kind `asanakoy`; its window follows the masks' height."""
    assert isinstance(recipe.loss, AsanakoyLoss)
    return Objective(recipe.loss)
