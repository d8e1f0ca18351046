"""TernausNet's loss (released training script): binary cross-entropy minus the logarithm of the batch's soft Dice.

Shape: probabilities_N1HW and masks_N1HW are (N, 1, H, W), in [0, 1], of one floating type.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from carvana.geometry import Geometry
from carvana.recipe import Recipe, TernausLoss


def soft_dice_of_batch(probabilities_N1HW: Tensor, masks_N1HW: Tensor, epsilon: float) -> Tensor:
    """Soft Dice of all pixels of the batch together; a scalar in [0, 1]."""
    intersection = (probabilities_N1HW * masks_N1HW).sum()
    return 2 * intersection / (probabilities_N1HW.sum() + masks_N1HW.sum() + epsilon)


def loss(probabilities_N1HW: Tensor, masks_N1HW: Tensor, epsilon: float) -> Tensor:
    """Mean binary cross-entropy - log(soft Dice of the batch); a scalar."""
    # PyTorch 0.2 added 1e-12 inside the logarithm, later releases clamp it at -100: only saturated pixels differ.
    cross_entropy = functional.binary_cross_entropy(probabilities_N1HW, masks_N1HW)
    return cross_entropy - soft_dice_of_batch(probabilities_N1HW, masks_N1HW, epsilon).log()


def hard_dice(probabilities_N1HW: Tensor, masks_N1HW: Tensor, epsilon: float) -> Tensor:
    """Mean over the images of the Dice of `probability > 0.5`; a scalar in [0, 1]."""
    predicted = (probabilities_N1HW > 0.5).to(masks_N1HW.dtype)
    intersection = (predicted * masks_N1HW).sum((1, 2, 3))
    total = predicted.sum((1, 2, 3)) + masks_N1HW.sum((1, 2, 3))
    return (2 * intersection / (total + epsilon)).mean()


class Objective:
    """What is minimised, and what is reported besides."""

    def __init__(self, spec: TernausLoss) -> None:
        self.epsilon = spec.epsilon

    def terms(self, output_N1HW: Tensor, target_N1HW: Tensor) -> dict[str, Tensor]:
        """The loss of probabilities against masks."""
        return {"loss": loss(output_N1HW, target_N1HW, self.epsilon)}

    @torch.no_grad()
    def measures(self, output_N1HW: Tensor, target_N1HW: Tensor) -> dict[str, Tensor]:
        """The mean Dice at probability 0.5."""
        return {"dice": hard_dice(output_N1HW, target_N1HW, self.epsilon)}


def build(recipe: Recipe, geometry: Geometry) -> Objective:
    """The objective of a recipe whose loss is of kind `ternaus`; it is the same in every geometry."""
    assert isinstance(recipe.loss, TernausLoss)
    return Objective(recipe.loss)
