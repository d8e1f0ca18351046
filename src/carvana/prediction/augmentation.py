"""Test-time augmentation."""

from __future__ import annotations

from torch import Tensor

from carvana.computing.forward import Forward


def mirror_mean(forward: Forward, images_N3HW: Tensor) -> Tensor:
    """The mean of the network's output for the images and for their mirrors, mirrored back (released albu script).

    `forward` returns logits: the mean is taken before the sigmoid.

    Returns:
        logits_N1HW.
    """
    mirrored_N1HW = forward(images_N3HW.flip(3)).flip(3)
    return (forward(images_N3HW) + mirrored_N1HW) / 2
