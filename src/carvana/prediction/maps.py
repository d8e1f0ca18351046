"""The 8-bit map of an image, as each author stored it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from carvana.arrays import Sums
from carvana.computing.arrival import Arrival
from carvana.computing.forward import Forward
from carvana.prediction.augmentation import mirror_mean
from carvana.prediction.restore import at_image_size, to_8_bits
from carvana.recipe import Recipe


def probabilities(forward: Forward, images_N3HW: Tensor, recipe: Recipe, size_HW: tuple[int, int]) -> Tensor:
    """Probabilities of car, (N, 1, H, W) float32 at the images' size.

    Args:
        forward: of a network in evaluation mode.
        images_N3HW: as the recipe's transforms prepare them.
        recipe: the network's.
        size_HW: of the images before they were prepared.
    """
    output_N1HW = mirror_mean(forward, images_N3HW) if recipe.prediction.mirror else forward(images_N3HW)
    output_N1HW = at_image_size(output_N1HW, recipe.input.border, size_HW)
    return output_N1HW if recipe.network.output == "probabilities" else torch.sigmoid(output_N1HW)


@torch.inference_mode()
def sum_on_device(forwards: Iterable[Forward], image_3HW: Tensor, recipe: Recipe, size_HW: tuple[int, int]) -> Tensor:
    """The sum of the networks' 8-bit maps of one image; each map is quantised as the recipe says before it is added.

    The image is a batch of its own: convolutions on a CPU round differently in other batches, and a map must not
    depend on the images that share its shard.

    Args:
        forwards: of networks in evaluation mode, on the device of `image_3HW`.
        image_3HW: as the recipe's transforms prepare it.
        recipe: the networks'.
        size_HW: of the image before it was prepared.

    Returns:
        (H, W) int32 on the device, which may still be computing it.
    """
    total_HW = torch.zeros(size_HW, dtype=torch.int32, device=image_3HW.device)
    for forward in forwards:
        total_HW += to_8_bits(
            probabilities(forward, image_3HW[None], recipe, size_HW)[0, 0], recipe.prediction.to_8_bits
        )
    return total_HW


def sum_of_maps(forwards: Iterable[Forward], image_3HW: Tensor, recipe: Recipe, size_HW: tuple[int, int]) -> Sums:
    """What `sum_on_device` gives of at most 257 networks, as an array."""
    return Arrival(sum_on_device(forwards, image_3HW, recipe, size_HW)).array().astype(np.uint16)
