"""How PyTorch computes: reproducibly, on a fixed number of threads, in the precision that the configuration names."""

from __future__ import annotations

import platform
import resource

import cv2
import torch


def configure(threads: int, precision: str) -> None:
    """Set PyTorch's global switches; call it once, before any tensor is made.

    Args:
        threads: CPU threads of one operation. The sums of float32 convolutions depend on it, so it is part of a run.
        precision: `exact` is float32 throughout; `tf32` lets a GPU's matrix units round their inputs to 10 bits.
    """
    torch.set_num_threads(threads)
    # Images are prepared side by side, each in one thread.
    cv2.setNumThreads(0)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def device_name(device: str) -> str:
    """The device (`cuda` or `cpu`) as its maker calls it."""
    return torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()


def peak_memory_bytes() -> int:
    """The most memory that this process has occupied so far, without its loading processes."""
    # Linux counts in KiB.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
