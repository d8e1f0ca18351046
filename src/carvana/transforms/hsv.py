"""The shift of an 8-bit image's hue, saturation and value, to the bits that OpenCV 3 gave (released scripts).

Hue counts half degrees, saturation and value 255ths. OpenCV 4 converts to HSV as OpenCV 3 did, but back again it
truncates, and in floats it rounds some steps otherwise; so the way back is a table of all colours, made in OpenCV 3's
steps.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from carvana.arrays import Image, Pixels
from carvana.transforms.strips import STRIP, strips

# What blue, green and red are in each sixth of the hue: 0 the value, 1 the least of the three, 2 falling, 3 rising.
_ORDER: Final = ((1, 3, 0), (1, 0, 2), (3, 0, 1), (0, 2, 1), (0, 1, 3), (2, 1, 0))


def shift_hsv(image_HWC: Image, hue: float, saturation: float, value: float) -> Image:
    """Shift the 8-bit HSV channels of an image that is read as blue, green, red.

    Every shift is rounded to an integer first (half to even) and added with saturation at 0 and 255, so hue neither
    wraps below 0 nor stops at 180.

    Args:
        image_HWC: (H, W, 3) uint8, contiguous; it is not changed.
        hue: shift in half degrees.
        saturation: shift in 255ths.
        value: shift in 255ths.
    """
    table = _colours()
    # In the order of a place's bytes, whose last is 255 until it is taken away.
    shifts = np.rint([value, saturation, hue])
    strip = (min(STRIP, len(image_HWC)), image_HWC.shape[1], 4)
    ups_HW4 = np.broadcast_to(np.array([*shifts.clip(0, 255), 0], np.uint8), strip).copy()
    downs_HW4 = np.broadcast_to(np.array([*(-shifts).clip(0, 255), 255], np.uint8), strip).copy()
    result_HWC = np.empty_like(image_HWC)
    for rows in strips(len(image_HWC)):
        result_strip_HWC = result_HWC[rows]
        height = len(result_strip_HWC)
        hsv_HWC = cv2.cvtColor(image_HWC[rows], cv2.COLOR_BGR2HSV)
        place_HW4 = cv2.cvtColor(hsv_HWC, cv2.COLOR_BGR2RGBA)
        cv2.add(place_HW4, ups_HW4[:height], dst=place_HW4)
        cv2.subtract(place_HW4, downs_HW4[:height], dst=place_HW4)
        # Every place is in the table; other modes look whether it is before any is taken.
        colour_HW1 = table.take(place_HW4.view(np.uint32), mode="wrap")
        cv2.cvtColor(colour_HW1.view(np.uint8), cv2.COLOR_BGRA2BGR, dst=result_strip_HWC)
    return result_HWC


@cache
def _colours() -> NDArray[np.uint32]:
    """Blue, green, red and 0 as the bytes of a number, for every hue, saturation and value; (2^24,).

    Takes a quarter of a second and 64 MB, once in a process.
    """
    bgr_HSV4 = np.zeros((256, 256, 256, 4), np.uint8)
    for hue in range(256):
        bgr_HSV4[hue, ..., :3] = bgr_of_hue(hue)
    return bgr_HSV4.view(np.uint32).ravel()


def bgr_of_hue(hue: int) -> Pixels:
    """Blue, green and red of a hue with every saturation and value: (256, 256, 3).

    Computed in float32 in OpenCV 3's order, and rounded half to even.
    """
    levels = np.arange(256, dtype=np.float32) * np.float32(1 / 255)
    saturation, value = levels[:, None], levels
    sixths = np.float32(hue) * np.float32(6 / 180)
    if sixths >= 6:
        sixths -= np.float32(6)
    sector = int(sixths)
    part = sixths - np.float32(sector)
    least, falling, rising = (value * (1 - share) for share in (saturation, saturation * part, saturation * (1 - part)))
    shades = (np.broadcast_to(value, least.shape), least, falling, rising)
    return np.stack([np.rint(shades[shade] * 255) for shade in _ORDER[sector]], axis=-1).astype(np.uint8)
