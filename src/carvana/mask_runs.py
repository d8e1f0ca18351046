"""A mask as its runs of set pixels, and back. Pixels are numbered from 1, row by row."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from carvana.arrays import ByteMask, Mask

Runs = NDArray[np.int32]
"""A mask's runs in ascending order, (n, 2): the number of each run's first pixel, and of the pixel behind its last."""

NO_RUNS: Final = np.empty((0, 2), np.int32)


def runs_of_mask(mask_HW: Mask) -> Runs:
    """A mask's maximal runs.

    Args:
        mask_HW: (H, W) bool or uint8; every value other than 0 is set.
    """
    pixels = mask_HW.ravel().view(np.uint8)
    if not pixels.size:
        return NO_RUNS
    # Eight pixels at a time: nearly all words are without a change.
    differs = np.empty((-(-pixels.size // 8), 8), np.bool_)
    differs[-1] = False
    np.not_equal(pixels[1:], pixels[:-1], out=differs.reshape(-1)[: pixels.size - 1])
    words = np.flatnonzero(differs.view(np.uint64) != 0)
    word, byte = differs[words].nonzero()
    last = words[word] * 8 + byte
    # Different values may both be set.
    changes = last[(pixels[last] != 0) != (pixels[last + 1] != 0)] + 2
    edges = np.concatenate([[1] if pixels[0] else [], changes, [pixels.size + 1] if pixels[-1] else []])
    return edges.astype(np.int32).reshape(-1, 2)


def mask_of_runs(edges: Runs, size_HW: tuple[int, int]) -> ByteMask:
    """The mask (H, W), uint8 of 0 and 1, that has these runs, which lie within it."""
    lengths = np.diff(edges.ravel(), prepend=1, append=size_HW[0] * size_HW[1] + 1)
    values = (np.arange(lengths.size) % 2).astype(np.uint8)
    return np.repeat(values, lengths).reshape(size_HW)
