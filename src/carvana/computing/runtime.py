"""How PyTorch computes: reproducibly, on a fixed number of threads, in the precision that the configuration names."""

from __future__ import annotations

import os
import resource
import sys

import cv2
import torch

from carvana.computing.allocation import keep_freed_memory
from carvana.computing.cpu import cpu_name


def configure(threads: int, precision: str, autotune: bool = False) -> None:
    """Set PyTorch's global switches, for all that is computed afterwards; before the first product on a GPU.

    Args:
        threads: CPU threads of one operation. The sums of float32 convolutions depend on it, so it is part of a run.
        precision: one of `precision.PRECISIONS`.
        autotune: whether to compute with whatever is fastest, deterministic or not; for a GPU.
    """
    torch.set_num_threads(threads)
    # Images are prepared side by side, each in one thread.
    cv2.setNumThreads(0)
    # Without it, cuBLAS promises no order of sums. It is read when the first product is computed.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=not autotune, warn_only=True)
    # It would fill new memory with NaN, to find code that reads it unwritten: 4 % of a training step on a CPU.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = autotune
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    keep_freed_memory()


def device_name(device: str) -> str:
    """The device (`cuda` or `cpu`) as its maker calls it; a CPU with its maker's numbers, see `cpu.cpu_name`."""
    return torch.cuda.get_device_name() if device == "cuda" else cpu_name()


def peak_memory_bytes() -> int:
    """The most memory that this process has occupied so far, without its loading processes."""
    # Linux counts in KiB, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
