"""The ensemble's rule for an unreliable top: where linknet34 doubts much of the upper half, a hull replaces it.

Released ensemble script. Lengths and areas are given in pixels of the full image and scale with the geometry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from carvana.arrays import BoolMask, ByteMask, Levels, Map
from carvana.geometry import Geometry
from carvana.maps.threshold import THRESHOLD

# linknet34 is unsure strictly between these values of its 8-bit map.
UNSURE_ABOVE: Final = 30
UNSURE_BELOW: Final = 210
# The published call hands (55, 55) to OpenCV as the kernel itself, which is then 2 rows by 1 column, not 55 x 55.
EROSION_ITERATIONS: Final = 10
# A larger contour of unsure pixels makes the rule act.
MIN_CONTOUR_AREA: Final = 40_000
BOX_MARGIN: Final = 50
# Inside the box linknet34 counts as car above this value.
BOX_THRESHOLD: Final = 55


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels.

    Attributes:
        top: first row.
        left: first column.
        height: rows; the box may go past the image's last row.
        width: columns; likewise.
        top_was_clamped: the margin would have put the top above the image, where the released script fails.
    """

    top: int
    left: int
    height: int
    width: int
    top_was_clamped: bool

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an (H, W) array."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


@dataclass(frozen=True)
class Ensembled:
    """What the ensemble makes of one image.

    Attributes:
        mask: (H, W) bool, True for car.
        levels: (H, W) float32, what is cut at 128 for the mask: the unrounded mean or, where the rule acted, 0 and 255.
        box: the box whose content was replaced, None where the rule did not act.
    """

    mask: BoolMask
    levels: Levels
    box: Box | None


def _between(map_HW: Map, lowest: int, highest: int) -> ByteMask:
    inside_HW = cv2.inRange(map_HW, np.array([lowest]), np.array([highest]))
    return inside_HW.astype(np.uint8, copy=False)


def unsure_pixels(linknet34_HW: Map) -> ByteMask:
    """(H, W) uint8: 255 where linknet34's 8-bit map is unsure, else 0."""
    return _between(linknet34_HW, UNSURE_ABOVE + 1, UNSURE_BELOW - 1)


def erode_upwards(mask_HW: ByteMask, iterations: int) -> ByteMask:
    """What `cv2.erode(mask, (55, 55), iterations=...)` does in OpenCV 3 to 5.

    OpenCV reads the tuple as a kernel of 2 rows and 1 column anchored at its lower row. `iterations` of it are one
    erosion: a pixel stays if it and the `iterations` pixels above it are set; those outside the image count as set.
    """
    kernel = np.ones((iterations + 1, 1), np.uint8)
    return cv2.erode(mask_HW, kernel, anchor=(0, iterations)).astype(np.uint8, copy=False)


def _largest_contour(mask_HW: ByteMask) -> NDArray[Any] | None:
    """The outer contour with the largest polygon area, the first found of equals; None for an empty mask."""
    contours, _ = cv2.findContours(mask_HW, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return max(contours, key=cv2.contourArea, default=None)


def unreliable_box(linknet34_HW: Map, geometry: Geometry) -> Box | None:
    """The box that the rule replaces, None where it does not act.

    Args:
        linknet34_HW: (H, W) uint8, linknet34's merged map, of the geometry's image size.
        geometry: scales the rule's lengths and areas.
    """
    # The erosion looks upwards only, so the lower half need not take part in it.
    top_half_HW = linknet34_HW[: linknet34_HW.shape[0] // 2]
    eroded_HW = erode_upwards(unsure_pixels(top_half_HW), geometry.length(EROSION_ITERATIONS))
    contour = _largest_contour(eroded_HW)
    if contour is None or cv2.contourArea(contour) <= geometry.area(MIN_CONTOUR_AREA):
        return None
    left, top, width, height = cv2.boundingRect(contour)
    margin = geometry.length(BOX_MARGIN)
    return Box(
        top=max(top - margin, 0),
        left=max(left - margin, 0),
        height=height + 2 * margin,
        width=width + 2 * margin,
        top_was_clamped=top < margin,
    )


def _linknet34_hull(linknet34_HW: Map) -> ByteMask:
    """255 where linknet34's map is above the box threshold, its largest contour's convex hull filled."""
    car_HW = _between(linknet34_HW, BOX_THRESHOLD + 1, 255)
    contour = _largest_contour(car_HW)
    # The released script has no answer to a box without car; there is no hull to fill then.
    if contour is not None:
        cv2.fillPoly(car_HW, [cv2.convexHull(contour)], 255)
    return car_HW


def apply(mean_HW: Levels, linknet34_HW: Map, geometry: Geometry) -> Ensembled:
    """The ensemble's mask and levels, with the unreliable top replaced where the rule acts.

    Args:
        mean_HW: (H, W) float32, the unrounded mean of the four 8-bit maps.
        linknet34_HW: (H, W) uint8, linknet34's merged map.
        geometry: of the run; both arrays have its image size.

    Returns:
        Car where the unrounded mean, or the replaced map, is at least 128.
    """
    box = unreliable_box(linknet34_HW, geometry)
    if box is None:
        return Ensembled(mean_HW >= THRESHOLD, mean_HW, None)
    picture_HW = np.where(mean_HW > THRESHOLD - 1, np.uint8(255), np.uint8(0))
    picture_HW[box.slices] = _linknet34_hull(linknet34_HW[box.slices])
    return Ensembled(picture_HW >= THRESHOLD, picture_HW.astype(np.float32), box)
