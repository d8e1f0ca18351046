"""Pictures that do not show what the mask says: a tall van whose roof vanishes in a glare.

Above the roof, wall and whatever is before it are overexposed to plain white; half of such pictures' masks have a
raised roof in the glare and half have none, and nothing in the picture tells which. A network can only be unsure there,
which is what the ensemble's rule for an unreliable top looks for.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from carvana.arrays import Image, Pixels

# Views from the side, where the roof is long.
GLARE_VIEWS: Final = (4, 5, 6, 12, 13, 14)

# The glow is blurred on a small picture of this height.
_GLOW_ROWS: Final = 128


def draw_raised(rng: np.random.Generator) -> dict[int, bool]:
    """For each view with a glare, whether the mask has a raised roof: half of them, in random order."""
    half = len(GLARE_VIEWS) // 2
    return dict(
        zip(GLARE_VIEWS, (bool(raised) for raised in rng.permutation([True] * half + [False] * half)), strict=True)
    )


def add_glare(picture_HWC: Image, raised_roof_HW: Pixels, car_HW: Pixels) -> Image:
    """Overexpose the picture around a raised roof.

    Args:
        picture_HWC: (H, W, 3) uint8 of the car without it.
        raised_roof_HW: (H, W) uint8 coverage of the raised roof.
        car_HW: (H, W) uint8 coverage of the car below, which is not the wall and glows less.
    """
    height, width = raised_roof_HW.shape
    size = (round(_GLOW_ROWS * width / height), _GLOW_ROWS)
    small_HW = (cv2.resize(raised_roof_HW, size, interpolation=cv2.INTER_LINEAR_EXACT) > 0).astype(np.uint8) * np.uint8(
        255
    )
    spread_HW = cv2.dilate(small_HW, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 9)))
    glow_HW = cv2.GaussianBlur(spread_HW, (0, 0), 4)
    glow_HW1 = cv2.resize(glow_HW, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)[..., None] / 255
    strength_HW1 = np.where(car_HW[..., None] > 127, 0.35, 1.0)
    lit_HWC = picture_HWC + (255.0 - picture_HWC) * np.minimum(1.6 * glow_HW1, 1) * strength_HW1
    return np.round(lit_HWC).astype(np.uint8)
