"""LinkNet34's loss (released training script): binary cross-entropy plus one minus the mean soft Dice.

Shape: logits_N1HW and masks_N1HW are (N, 1, H, W) of one floating type; masks in [0, 1], soft at their edges.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from carvana.geometry import Geometry
from carvana.recipe import AlbuLoss, Recipe


def mean_dice(probabilities_N1HW: Tensor, masks_N1HW: Tensor, smooth: float) -> Tensor:
    """Mean over the images of 2 (I + smooth) / (S + smooth), clamped to [0, 1]; a scalar.

    I is the sum of the product, S the sum of both; the smoothing term counts twice in the numerator, as released.
    """
    intersection = (probabilities_N1HW * masks_N1HW).sum((1, 2, 3))
    total = probabilities_N1HW.sum((1, 2, 3)) + masks_N1HW.sum((1, 2, 3))
    return (2 * (intersection + smooth) / (total + smooth)).mean().clamp(0, 1)


def loss(logits_N1HW: Tensor, masks_N1HW: Tensor, smooth: float) -> Tensor:
    """Mean binary cross-entropy + 1 - mean soft Dice; a scalar."""
    cross_entropy = functional.binary_cross_entropy_with_logits(logits_N1HW, masks_N1HW)
    return cross_entropy + (1 - mean_dice(torch.sigmoid(logits_N1HW), masks_N1HW, smooth))


def without_border(maps_N1HW: Tensor, border: int) -> Tensor:
    """The pixels that are at least `border` pixels (0 or more) from every side."""
    height, width = maps_N1HW.shape[2:]
    return maps_N1HW[:, :, border : height - border, border : width - border]


class Objective:
    """What is minimised, and the three figures that the author reported, without `border` pixels at each side."""

    def __init__(self, spec: AlbuLoss, border: int) -> None:
        self.smooth = spec.smooth
        self.border = border

    def terms(self, output_N1HW: Tensor, target_N1HW: Tensor) -> dict[str, Tensor]:
        """The loss of logits against masks."""
        return {"loss": loss(output_N1HW, target_N1HW, self.smooth)}

    @torch.no_grad()
    def measures(self, output_N1HW: Tensor, target_N1HW: Tensor) -> dict[str, Tensor]:
        """Soft Dice, Dice of rounded probabilities, and binary cross-entropy of the inner pixels."""
        probabilities = torch.sigmoid(without_border(output_N1HW, self.border))
        masks = without_border(target_N1HW, self.border)
        return {
            "soft_dice": mean_dice(probabilities, masks, self.smooth),
            "hard_dice": mean_dice(probabilities.round(), masks, self.smooth),
            "bce": functional.binary_cross_entropy(probabilities, masks),
        }


def build(recipe: Recipe, geometry: Geometry) -> Objective:
    """The objective of a recipe whose loss is of kind `albu`."""
    assert isinstance(recipe.loss, AlbuLoss)
    return Objective(recipe.loss, geometry.length(recipe.validation.border))
