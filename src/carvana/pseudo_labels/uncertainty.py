"""How sure a map is of itself: a measure of one image, from its map alone, taken while the map is at hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from carvana.arrays import BoolMask, Levels, Map, Mask, Sums


@dataclass(frozen=True)
class Uncertainty:
    """What is counted in one map.

    Attributes:
        unclear: pixels that are neither clearly car nor clearly background.
        outline: pixels of the mask that touch one that is not, up, down, left or right; the image's edge is none.
    """

    unclear: int
    outline: int

    @property
    def value(self) -> float:
        """Unclear pixels per pixel of outline: the width, in pixels, of the band in which the map is not sure.

        A sure map has a narrow band along the outline and nothing else. Relative to the outline, since a long one has
        more pixels at its edge however sure the map is. Infinite where the mask has no outline: there is no car.
        """
        return self.unclear / self.outline if self.outline else float("inf")


def uncertainty_of(map_HW: Map | Sums | Levels, mask_HW: Mask, unclear: tuple[int, int]) -> Uncertainty:
    """Count in one map.

    Args:
        map_HW: (H, W), 0..255; sums are of one network.
        mask_HW: (H, W), what is taken for car in it.
        unclear: the lowest and the highest level that is neither clearly car nor clearly background.
    """
    low, high = unclear
    count = int(np.count_nonzero((map_HW >= low) & (map_HW <= high)))
    return Uncertainty(count, _outline(mask_HW != 0))


def _outline(car_HW: BoolMask) -> int:
    inside_HW = np.pad(car_HW, 1, mode="edge")
    surrounded_HW = inside_HW[:-2, 1:-1] & inside_HW[2:, 1:-1] & inside_HW[1:-1, :-2] & inside_HW[1:-1, 2:]
    return int(np.count_nonzero(car_HW & ~surrounded_HW))
