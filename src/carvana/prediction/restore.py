"""From a network's output back to the image: its size, its probabilities, its 8-bit map."""

from __future__ import annotations

import torch
from torch import Tensor

from carvana.networks.upsampling import upsampled
from carvana.recipe import Border, To8Bits


def at_image_size(output_N1HW: Tensor, border: Border, size_HW: tuple[int, int]) -> Tensor:
    """Undo what brought the image to the network's input size.

    Args:
        output_N1HW: of the network, at its input size.
        border: what the input was given: the same number of columns at both sides (released ternausnet scripts),
            columns at the right (released albu scripts), or none: it was resized, and the output is upsampled
            (released asanakoy scripts).
        size_HW: of the image.

    Returns:
        (N, 1, H, W) at the image's size.
    """
    height, width = size_HW
    if border == "none":
        return upsampled(output_N1HW, size_HW)
    left = (output_N1HW.shape[3] - width) // 2 if border == "reflect_both_sides" else 0
    return output_N1HW[:, :, :height, left : left + width]


def to_8_bits(probabilities: Tensor, how: To8Bits) -> Tensor:
    """Probability x 255 in float32 as uint8, on the tensor's device.

    Args:
        probabilities: float32 in [0, 1], any shape.
        how: `truncate` drops the fraction (released ternausnet and albu prediction scripts); `round` takes the
            nearest, half to even (released asanakoy prediction script).
    """
    scaled = probabilities * 255
    return (torch.round(scaled) if how == "round" else scaled).to(torch.uint8)
