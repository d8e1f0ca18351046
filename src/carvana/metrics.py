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
    common = 0
    if len(runs_a) and len(runs_b):
        # The number of b's pixels in front of a position grows by 1 for each within a run, and else not: interpolation
        # between the runs' edges is exact, in float64 too.
        starts_and_ends = _edges(runs_b)
        before = np.zeros(starts_and_ends.size)
        before[1::2] = np.cumsum(runs_b[:, 1])
        before[2::2] = before[1:-1:2]
        found = np.interp(_edges(runs_a), starts_and_ends, before)
        common = int(found[1::2].sum() - found[::2].sum())
    return _dice(common, int(runs_a[:, 1].sum()) + int(runs_b[:, 1].sum()))


def _edges(runs: Runs) -> npt.NDArray[np.float64]:
    """First positions in the runs and behind them, in turns."""
    edges = runs.astype(np.float64)
    edges[:, 1] += edges[:, 0]
    return edges.ravel()


def _dice(common: int, total: int) -> float:
    return 2 * common / total if total else 1.0
