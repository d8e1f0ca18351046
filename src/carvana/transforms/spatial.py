"""Geometric transforms with explicit parameters; image and mask go through the same ones.

Shape: an array is (H, W) or (H, W, C), uint8 and contiguous, and so is every result. Nothing is changed in place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image as PillowImage

from carvana.arrays import ByteMask, Image, Pixels

ZERO_COLUMNS: Final = 2


@dataclass(frozen=True)
class ShiftScaleRotate:
    """One draw: degrees, factor, and shifts in pixels to the right and down."""

    angle: float
    scale: float
    shift_x: float
    shift_y: float


def flip(array: Pixels) -> Pixels:
    """The mirror image, left and right exchanged."""
    return cv2.flip(array, 1).astype(np.uint8, copy=False)


def shift_scale_rotate(array: Pixels, draw: ShiftScaleRotate) -> Pixels:
    """Rotate and scale about the centre, then shift; bilinear, reflected at the borders (released scripts).

    The transform goes through four float32 corners and a perspective matrix, as released, since the matrix decides the
    last bit of every coordinate.
    """
    height, width = array.shape[:2]
    angle = draw.angle / 180 * math.pi
    cosine, sine = draw.scale * math.cos(angle), draw.scale * math.sin(angle)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    centre = np.array([width / 2, height / 2])
    moved = (corners - centre) @ np.array([[cosine, -sine], [sine, cosine]]).T
    moved += centre + np.array([draw.shift_x, draw.shift_y])
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    warped = cv2.warpPerspective(
        array, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return warped.astype(np.uint8, copy=False)


def joined(image_HWC: Image, mask_HW: ByteMask, reverse_channels: bool = False, columns_right: int = 0) -> Pixels:
    """Image and mask as one array (H, W, 4), to go through the same transforms in one: for a warp, finding the
    coordinates is half of the work.

    Args:
        image_HWC: three channels.
        mask_HW: becomes the fourth.
        reverse_channels: whether the image's channels change their order, which takes no time here.
        columns_right: of zeros, added as by `zeros_right`.
    """
    height, width = mask_HW.shape
    both_HW4 = np.empty((height, width + columns_right, 4), np.uint8)
    inside_HW4 = both_HW4[:, :width]
    cv2.cvtColor(image_HWC, cv2.COLOR_BGR2RGBA if reverse_channels else cv2.COLOR_BGR2BGRA, dst=inside_HW4)
    cv2.insertChannel(mask_HW, inside_HW4, 3)
    both_HW4[:, width:] = 0
    return both_HW4


def parted(both_HW4: Pixels) -> tuple[Image, ByteMask]:
    """Image and mask of what `joined` made."""
    image_HWC = cv2.cvtColor(both_HW4, cv2.COLOR_BGRA2BGR).astype(np.uint8, copy=False)
    return image_HWC, cv2.extractChannel(both_HW4, 3).astype(np.uint8, copy=False)


def reflect_both_sides(array: Pixels) -> Pixels:
    """One more column left and right, mirrored without repeating the edge (1918 -> 1920)."""
    bordered = cv2.copyMakeBorder(array, 0, 0, 1, 1, cv2.BORDER_REFLECT_101)
    return bordered.astype(np.uint8, copy=False)


def zeros_right(array: Pixels) -> Pixels:
    """Columns of zeros at the right (1918 -> 1920)."""
    bordered = cv2.copyMakeBorder(array, 0, 0, 0, ZERO_COLUMNS, cv2.BORDER_CONSTANT, value=(0, 0, 0, 0))
    return bordered.astype(np.uint8, copy=False)


def resize_bilinear(array: Pixels, size: tuple[int, int]) -> Pixels:
    """Pillow's bilinear resizing (which averages when it shrinks) to (H, W)."""
    height, width = size
    # Of four channels none is transparency, by which Pillow would multiply the others.
    image = PillowImage.fromarray(array, mode="RGBX" if array.shape[2:] == (4,) else None)
    return np.array(image.resize((width, height), PillowImage.Resampling.BILINEAR))
