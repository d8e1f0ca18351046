"""Test-time augmentation."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def mirror_mean(network: Callable[[Tensor], Tensor], images_N3HW: Tensor) -> Tensor:
    """The mean of the network's output for the images and for their mirrors, mirrored back (released albu script).

    The network returns logits: the mean is taken before the sigmoid.

    Returns:
        logits_N1HW.
    """
    mirrored_N1HW = network(images_N3HW.flip(3)).flip(3)
    return (network(images_N3HW) + mirrored_N1HW) / 2
