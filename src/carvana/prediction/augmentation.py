"""Test-time augmentation."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def mirror_mean(network: nn.Module, images_N3HW: Tensor) -> Tensor:
    """The mean of the network's output for the images and for their mirrors, mirrored back (released albu script).

    The network returns logits: the mean is taken before the sigmoid.

    Returns:
        logits_N1HW.
    """
    logits_N1HW = network(images_N3HW)
    mirrored_N1HW = network(images_N3HW.flip(3)).flip(3)
    return torch.add(logits_N1HW, mirrored_N1HW) / 2
