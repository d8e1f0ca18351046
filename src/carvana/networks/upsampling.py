"""Bilinear upsampling with aligned corners, PyTorch 0.2's only way (released scripts)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def upsampled(x_NCHW: Tensor, size_HW: tuple[int, int]) -> Tensor:
    """(N, C, H, W) at another size.

    On a GPU, PyTorch's deterministic algorithms take a slow way here, for the sake of the gradient, which alone is not
    deterministic otherwise; where none is wanted, this is not taken.
    """
    if torch.is_grad_enabled():
        return interpolate(x_NCHW, size=size_HW, mode="bilinear", align_corners=True)
    result: Tensor = torch.ops.aten.upsample_bilinear2d(x_NCHW, size_HW, True)
    return result
