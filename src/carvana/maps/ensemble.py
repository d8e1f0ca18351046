"""From the networks' 8-bit maps to one map per recipe, and to the ensemble's mean.

The maps of a model's networks arrive as their exact uint16 sums, so the order in which they were added does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from carvana.arrays import BoolMask, Levels, Map, Sums


def merge_truncated(sums: Sums, networks: int) -> Map:
    """Mean of the networks' 8-bit maps, the fraction dropped (released ternausnet and albu merging scripts).

    Args:
        sums: uint16 sums over the networks, any shape.
        networks: their number.
    """
    return (sums // networks).astype(np.uint8)


def merge_rounded(sums: Sums, networks: int) -> Map:
    """float32 mean of the networks' 8-bit maps, rounded half to even (released asanakoy merging script).

    Args:
        sums: uint16 sums over the networks, any shape.
        networks: their number.
    """
    mean_of_networks: Levels = sums.astype(np.float32) / np.float32(networks)
    return np.rint(mean_of_networks).astype(np.uint8)


def mean_reaches(sums: Sums, networks: int, threshold: int) -> BoolMask:
    """Where the networks' unrounded mean is at least `threshold`: 128 gives asanakoy's published masks.

    Args:
        sums: uint16 sums over the networks, any shape.
        networks: their number, at most 257.
        threshold: 8-bit level.
    """
    return sums >= threshold * networks


def mean(maps: Sequence[Map]) -> Levels:
    """float32 mean of the four recipes' 8-bit maps, 0.25 of each (released ensemble script); it is exact.

    Raises:
        ValueError: not four maps of one shape.
    """
    if len(maps) != 4:
        raise ValueError(f"the ensemble is the mean of four maps, not of {len(maps)}")
    sums = np.add(maps[0], maps[1], dtype=np.uint16)
    for more in maps[2:]:
        sums += more
    return sums * np.float32(0.25)
