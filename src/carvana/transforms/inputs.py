"""From 8-bit pixels to what a network and its loss take, on the device that computes: a quarter of the bytes go there.

By tables of the 256 values, made in one way for every device: on a GPU, PyTorch divides by a number by multiplying with
its inverse, which rounds otherwise.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IMAGENET_MEAN: Final[NDArray[np.float32]] = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_STD: Final[NDArray[np.float32]] = np.array([0.229, 0.224, 0.225], np.float32)

_LEVELS: Final = np.arange(256, dtype=np.float32) / np.float32(255)


def network_input(images_NHWC: Tensor, normalised: bool) -> Tensor:
    """Images as a network takes them.

    Args:
        images_NHWC: uint8.
        normalised: whether they are brought to ImageNet's mean and deviation, too.

    Returns:
        (N, 3, H, W) float32: the values divided by 255, and perhaps normalised.
    """
    number, height, width, channels = images_NHWC.shape
    x_NCHW = torch.empty(number, channels, height, width, device=images_NHWC.device)
    for channel in range(channels):
        table = _table(images_NHWC.device, channel if normalised else None)
        x_NCHW[:, channel] = _looked_up(images_NHWC[..., channel], table)
    return x_NCHW


def target(masks_NHW: Tensor) -> Tensor:
    """Masks as a loss takes them: (N, 1, H, W) float32 in [0, 1] from uint8, 255 for car."""
    return _looked_up(masks_NHW, _table(masks_NHW.device, None))[:, None]


@cache
def _table(device: torch.device, channel: int | None) -> Tensor:
    """The values that the 256 levels stand for, normalised as a channel is, if any; (256,) float32.

    Kept, since copying it to a GPU would wait for all that the GPU has been told to do.
    """
    levels = _LEVELS if channel is None else (_LEVELS - IMAGENET_MEAN[channel]) / IMAGENET_STD[channel]
    return torch.from_numpy(levels.copy()).to(device)


def _looked_up(values: Tensor, table: Tensor) -> Tensor:
    return table.index_select(0, values.flatten().int()).view(values.shape)
