"""The competition's score: the Dice coefficient 2 |X n Y| / (|X| + |Y|), 1 where both masks are empty."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from carvana.rle import Mask, Runs


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
    edges_a, edges_b = (runs.ravel().astype(np.float64) for runs in (runs_a, runs_b))
    lengths_b = _lengths(edges_b)
    common = 0
    if len(runs_a) and len(runs_b):
        # The number of b's pixels in front of a position grows by 1 for each within a run, and else not: interpolation
        # between the runs' edges is exact, in float64 too.
        before = np.zeros(edges_b.size)
        np.cumsum(lengths_b, out=before[1::2])
        before[2::2] = before[1:-1:2]
        common = int(_lengths(np.interp(edges_a, edges_b, before)).sum())
    return _dice(common, int(_lengths(edges_a).sum() + lengths_b.sum()))


def _lengths(edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From every first edge to the second that follows it."""
    return edges[1::2] - edges[::2]


def _dice(common: int, total: int) -> float:
    return 2 * common / total if total else 1.0
