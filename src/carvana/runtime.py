"""How PyTorch computes: reproducibly, on a fixed number of threads, in the precision that the configuration names."""

from __future__ import annotations

import ctypes
import platform
import resource
from typing import Final

import cv2
import torch
from torch import Tensor, nn

# glibc's numbers of what `mallopt` sets, and the largest value that it takes for the second.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_LARGEST_MMAP_THRESHOLD: Final = 32 * 2**20


def configure(threads: int, precision: str, autotune: bool = False) -> None:
    """Set PyTorch's global switches; call it once, before any tensor is made.

    Args:
        threads: CPU threads of one operation. The sums of float32 convolutions depend on it, so it is part of a run.
        precision: one of `precision.PRECISIONS`.
        autotune: whether to compute with whatever is fastest, deterministic or not; for a GPU.
    """
    torch.set_num_threads(threads)
    # Images are prepared side by side, each in one thread.
    cv2.setNumThreads(0)
    torch.use_deterministic_algorithms(mode=not autotune, warn_only=True)
    # It would fill new memory with NaN, to find code that reads it unwritten: 4 % of a training step on a CPU.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = autotune
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """Have the C library reuse large blocks; from the system, each would come anew and be cleared first.

    On a CPU a training step of unet_scratch takes 14 % less time, one of ternausnet none; other C libraries are left.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, 2**30)


def compute_in(network: nn.Module, precision: str, device: torch.device) -> nn.Module:
    """The network, computing in the precision; it takes and returns float32 in any.

    Args:
        network: on `device`; in evaluation mode it is only predicted with, and its weights may be rounded for good.
        precision: one of `precision.PRECISIONS`; `configure` has been called with the same.
        device: the CPU or a GPU.
    """
    if precision != "bf16":
        return network
    if not network.training:
        # Autocast would round the same weights anew for every image.
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                module.to(torch.bfloat16)
    forward = torch.autocast(device.type, torch.bfloat16)(network.forward)

    def forward_in_bfloat16(images_N3HW: Tensor) -> Tensor:
        output_N1HW: Tensor = forward(images_N3HW)
        return output_N1HW.float()

    network.forward = forward_in_bfloat16
    return network


def device_name(device: str) -> str:
    """The device (`cuda` or `cpu`) as its maker calls it."""
    return torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()


def peak_memory_bytes() -> int:
    """The most memory that this process has occupied so far, without its loading processes."""
    # Linux counts in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
