"""The shift of an 8-bit image's hue, saturation and value, to the bits that OpenCV 3 gave (released scripts).

Shape: image_HWC and hsv_HWC are (H, W, 3) uint8 and contiguous; hue counts half degrees, saturation and value 255ths.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Number = TypeVar("Number", np.uint8, np.float32)

# Rows that are worked on at once, so that their floats stay in the processor's cache.
_STRIP: Final = 32

# Colours that are worked on at once where their floats are many.
_AT_ONCE: Final = 2**16

# Of a level: float32 that is rounded in another order differs by less; OpenCV 4's did by 0.00002, over all colours.
_UNSURE: Final = 1e-4

# What one level is in OpenCV's floats: degrees, and parts of 1.
_UNITS: Final = np.array([2, 1 / 255, 1 / 255], np.float32)

# What blue, green and red are in each sixth of the hue: 0 the value, 1 the least of the three, 2 falling, 3 rising.
_ORDER: Final = np.array([(1, 3, 0), (1, 0, 2), (3, 0, 1), (0, 2, 1), (0, 1, 3), (2, 1, 0)])


def shift_hsv(image_HWC: Image, hue: float, saturation: float, value: float) -> Image:
    """Shift the 8-bit HSV channels of an image that is read as blue, green, red.

    Every shift is rounded to an integer first (half to even) and added with saturation at 0 and 255, so hue neither
    wraps below 0 nor stops at 180.

    Args:
        image_HWC: the image; it is not changed.
        hue: shift in half degrees.
        saturation: shift in 255ths.
        value: shift in 255ths.
    """
    shifts = np.rint([hue, saturation, value])
    ups, downs = (_repeated(np.clip(part, 0, 255).astype(np.uint8), image_HWC) for part in (shifts, -shifts))
    hsv_HWC = np.empty_like(image_HWC)
    for rows in _strips(image_HWC):
        shifted_HWC = hsv_HWC[rows]
        height = len(shifted_HWC)
        cv2.cvtColor(image_HWC[rows], cv2.COLOR_BGR2HSV, dst=shifted_HWC)
        cv2.add(shifted_HWC, ups[:height], dst=shifted_HWC)
        cv2.subtract(shifted_HWC, downs[:height], dst=shifted_HWC)
    return bgr_of_hsv(hsv_HWC)


def bgr_of_hsv(hsv_HWC: Image) -> Image:
    """Blue, green and red of an image's hue, saturation and value, as `bgr_step_by_step`, but many at once.

    OpenCV 4 truncates in its own conversion of 8 bits, and in that of floats it rounds some steps otherwise than OpenCV
    3. That shows in those values only that lie just between two levels, so these are done again, step by step.
    """
    units = _repeated(_UNITS, hsv_HWC)
    result_HWC = np.empty_like(hsv_HWC)
    unsure = []
    for rows in _strips(hsv_HWC):
        floats_HWC = hsv_HWC[rows].astype(np.float32)
        cv2.multiply(floats_HWC, units[: len(floats_HWC)], dst=floats_HWC)
        bgr_HWC = cv2.cvtColor(floats_HWC, cv2.COLOR_HSV2BGR)
        low_HWC = result_HWC[rows]
        cv2.convertScaleAbs(bgr_HWC, dst=low_HWC, alpha=255, beta=-_UNSURE)
        high_HWC = cv2.convertScaleAbs(bgr_HWC, alpha=255, beta=_UNSURE)
        # Many strips have none, and this is the quickest way to see it.
        if cv2.norm(low_HWC, high_HWC, cv2.NORM_INF):
            unsure.append((rows.start * low_HWC[0].size + np.flatnonzero(low_HWC != high_HWC)) // 3)
    if unsure:
        places = np.concatenate(unsure)
        # In parts, for the memory's sake: an even picture can be nothing else.
        for part in np.array_split(places, len(places) // _AT_ONCE + 1):
            result_HWC.reshape(-1, 3)[part] = bgr_step_by_step(hsv_HWC.reshape(-1, 3)[part])
    return result_HWC


def bgr_step_by_step(hsv_N3: Image) -> Image:
    """Blue, green and red (N, 3) of colours, computed in float32 in OpenCV 3's order, and rounded half to even."""
    hue, saturation, value = hsv_N3.T.astype(np.float32)
    saturation, value = (levels * np.float32(1 / 255) for levels in (saturation, value))
    sixths = hue * np.float32(6 / 180)
    sixths = np.where(sixths >= 6, sixths - 6, sixths)
    sector = np.floor(sixths)
    part = sixths - sector
    least, falling, rising = (value * (1 - share) for share in (saturation, saturation * part, saturation * (1 - part)))
    shades_N4 = np.stack([value, least, falling, rising], axis=1)
    bgr_N3: npt.NDArray[np.float32] = np.take_along_axis(shades_N4, _ORDER[sector.astype(np.intp)], axis=1)
    return np.rint(bgr_N3 * 255).astype(np.uint8)


def _strips(image_HWC: Image) -> Iterator[slice]:
    return (slice(top, top + _STRIP) for top in range(0, len(image_HWC), _STRIP))


def _repeated(values_3: npt.NDArray[Number], image_HWC: Image) -> npt.NDArray[Number]:
    """A strip of the image's width that has these values for its channels everywhere."""
    return np.broadcast_to(values_3, (min(_STRIP, len(image_HWC)), *image_HWC.shape[1:])).copy()
