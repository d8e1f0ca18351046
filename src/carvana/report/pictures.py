"""Small pictures for a page: contours of truth and prediction, and where the models disagree."""

from __future__ import annotations

import base64
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from carvana.arrays import Image, Mask, Pixels
from carvana.picture import PREDICTION_COLOUR, TRUTH_COLOUR

WIDTH: Final = 400
_QUALITY: Final = 62
# A standard deviation of probabilities is at most one half.
_LARGEST_DEVIATION: Final = 0.5


def contours_on(image_HWC: Image, truth_HW: Mask | None, prediction_HW: Mask | None) -> Image:
    """The image, `WIDTH` pixels wide, with the outlines of the truth (green) and of the prediction (orange).

    Args:
        image_HWC: (H, W, 3) uint8 in blue, green, red.
        truth_HW: (H, W), set where not 0, if there is one.
        prediction_HW: likewise.
    """
    picture_HWC = resized(image_HWC, cv2.INTER_AREA if image_HWC.shape[1] >= WIDTH else cv2.INTER_CUBIC)
    for mask_HW, colour in ((truth_HW, TRUTH_COLOUR), (prediction_HW, PREDICTION_COLOUR)):
        if mask_HW is None:
            continue
        enlarged_HW = resized((mask_HW != 0).astype(np.uint8), cv2.INTER_NEAREST)
        contours, _ = cv2.findContours(enlarged_HW, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(picture_HWC, contours, -1, colour, thickness=1, lineType=cv2.LINE_AA)
    return picture_HWC


def disagreement_picture(deviation_HW: NDArray[np.float32]) -> Image:
    """The models' standard deviation, 0 (dark) to 0.5 (bright), `WIDTH` pixels wide, in blue, green, red."""
    levels_HW = np.clip(deviation_HW / _LARGEST_DEVIATION * 255, 0, 255).astype(np.uint8)
    return resized(cv2.applyColorMap(levels_HW, cv2.COLORMAP_INFERNO).astype(np.uint8), cv2.INTER_AREA)


def data_address(picture_HWC: Image) -> str:
    """The picture as a compressed image in an address of its own, for a page that needs no other file."""
    _, encoded = cv2.imencode(".webp", picture_HWC, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY])
    return "data:image/webp;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")


def resized(pixels: Pixels, interpolation: int) -> Pixels:
    """The picture, (H, W) or (H, W, 3), `WIDTH` pixels wide, by an interpolation of OpenCV."""
    height = round(pixels.shape[0] * WIDTH / pixels.shape[1])
    return cv2.resize(pixels, (WIDTH, height), interpolation=interpolation).astype(np.uint8, copy=False)


def css_colour(colour: tuple[int, int, int]) -> str:
    """A colour of blue, green and red as style sheets write it."""
    blue, green, red = colour
    return f"#{red:02x}{green:02x}{blue:02x}"
