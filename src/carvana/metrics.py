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
    if not len(runs_a) or not len(runs_b):
        common = 0
    else:
        starts, ends = runs_a[:, 0], runs_a.sum(axis=1)
        common = int((_set_pixels_before(runs_b, ends) - _set_pixels_before(runs_b, starts)).sum())
    return _dice(common, int(runs_a[:, 1].sum()) + int(runs_b[:, 1].sum()))


def _set_pixels_before(runs: Runs, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number of pixels of the runs in front of each of the 1-based positions."""
    starts, lengths = runs[:, 0], runs[:, 1]
    begun = np.searchsorted(starts, positions)
    before = np.concatenate([[0], np.cumsum(lengths)])[begun]
    last = np.maximum(begun - 1, 0)
    not_yet = np.where(begun > 0, np.maximum(starts[last] + lengths[last] - positions, 0), 0)
    pixels: npt.NDArray[np.int64] = before - not_yet
    return pixels


def _dice(common: int, total: int) -> float:
    return 2 * common / total if total else 1.0
