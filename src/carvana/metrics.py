"""The competition's score: the Dice coefficient 2 |X n Y| / (|X| + |Y|), 1 where both masks are empty."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carvana.arrays import Mask
from carvana.mask_runs import Runs


def dice(mask_a_HW: Mask, mask_b_HW: Mask) -> float:
    """Dice coefficient of two masks of one shape; every value other than 0 is set.

    Raises:
        ValueError: the shapes differ.
    """
    if mask_a_HW.shape != mask_b_HW.shape:
        raise ValueError(f"masks of different shapes: {mask_a_HW.shape} and {mask_b_HW.shape}")
    a_HW, b_HW = mask_a_HW != 0, mask_b_HW != 0
    return _dice(int(np.count_nonzero(a_HW & b_HW)), int(np.count_nonzero(a_HW) + np.count_nonzero(b_HW)))


def dice_of_runs(runs_a: Runs, runs_b: Runs) -> float:
    """Dice coefficient of two masks given as the runs of their RLE (`carvana.rle.runs`), without making images."""
    edges = np.concatenate((runs_a, runs_b)).ravel()
    total = _covered(edges)
    # Sorted together, the edges of both masks bound what is in one mask only; an edge that both have comes twice and
    # bounds an empty run. Both halves are in order already, which a stable sort makes use of.
    edges.sort(kind="stable")
    return _dice((total - _covered(edges)) // 2, total)


def _covered(edges: NDArray[np.int32]) -> int:
    """Pixels from every first edge to the second that follows it."""
    return int((edges[1::2] - edges[::2]).sum())


def _dice(common: int, total: int) -> float:
    return 2 * common / total if total else 1.0
