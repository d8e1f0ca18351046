"""Bilinear upsampling with aligned corners, PyTorch 0.2's only way (released scripts)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import torch
from torch import Tensor

_AS_ON_GPU: Final = ContextVar("_AS_ON_GPU", default=False)


def upsampled(x_NCHW: Tensor, size_HW: tuple[int, int]) -> Tensor:
    """(N, C, H, W) at another size, which is no smaller, in the type that it comes in.

    On a GPU, PyTorch's gradient of it adds up in any order, and its deterministic algorithms get around that by
    gathering every pixel's four neighbours in both directions, which moves many times the bytes. So the gradient is
    taken by matrices there, unless it may come out in any order.
    """
    if torch.is_autocast_enabled("cuda"):
        # It would make the result float32, and with it all that is joined to it.
        with torch.autocast("cuda", enabled=False):
            return upsampled(x_NCHW, size_HW)
    in_order = torch.are_deterministic_algorithms_enabled() and (not x_NCHW.is_cpu or _AS_ON_GPU.get())
    if torch.is_grad_enabled() and in_order:
        result: Tensor = _ByMatrices.apply(x_NCHW, size_HW)
        return result
    return _forward(x_NCHW, size_HW)


@contextmanager
def as_on_gpu() -> Iterator[None]:
    """While this is entered, gradients are taken on the CPU too as they are on a GPU."""
    token = _AS_ON_GPU.set(True)
    try:
        yield
    finally:
        _AS_ON_GPU.reset(token)


def _forward(x_NCHW: Tensor, size_HW: tuple[int, int]) -> Tensor:
    # `interpolate` is the same, but gathers neighbours on a GPU wherever deterministic algorithms are on.
    result: Tensor = torch.ops.aten.upsample_bilinear2d(x_NCHW, size_HW, True)
    return result


class _ByMatrices(torch.autograd.Function):
    """The usual way forward; back, rows and columns are each multiplied by the weights that they were mixed with."""

    @staticmethod
    def forward(ctx: Any, x_NCHW: Tensor, size_HW: tuple[int, int]) -> Tensor:
        ctx.size_HW = x_NCHW.shape[2:]
        return _forward(x_NCHW, size_HW)

    @staticmethod
    def backward(ctx: Any, gradient_NCHW: Tensor) -> tuple[Tensor, None]:
        height, width = ctx.size_HW
        like = gradient_NCHW.dtype, gradient_NCHW.device
        columns = gradient_NCHW @ _weights(width, gradient_NCHW.shape[3], *like)
        return _weights(height, gradient_NCHW.shape[2], *like).T @ columns, None


def _weights(before: int, after: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """How much of each of `before` pixels in a line is in each of `after`: (after, before).

    Made anew every time, since that is a few small operations, and copying it to a GPU would wait for all others.
    """
    exact = torch.float64 if dtype == torch.float64 else torch.float32
    place = torch.arange(after, dtype=exact, device=device) * ((before - 1) / max(after - 1, 1))
    distance = (place[:, None] - torch.arange(before, dtype=exact, device=device)).abs()
    return (1 - distance).clamp(min=0).to(dtype)
