"""How PyTorch computes: reproducibly, on a fixed number of threads, in the precision that the configuration names."""

from __future__ import annotations

from typing import Final

import torch

PRECISIONS: Final = ("exact", "tf32")


def configure(threads: int, precision: str) -> None:
    """Set PyTorch's global switches; call it once, before any tensor is made.

    Args:
        threads: CPU threads of one operation. The sums of float32 convolutions depend on it, so it is part of a run.
        precision: `exact` is float32 throughout; `tf32` lets a GPU's matrix units round their inputs to 10 bits.
    """
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
