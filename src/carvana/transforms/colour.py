"""Colour transforms with explicit parameters, as the libraries of 2017 computed them.

Shape: image_HWC is (H, W, 3) uint8, x_CHW (3, H, W) float in [0, 1]. Nothing is changed in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from carvana.arrays import ByteMask, Doubles, Floats, Image, Pixels
from carvana.transforms.strips import strips

# Weights of blue, green and red, which the released U-Net scripts apply to red, green and blue.
LUMINANCE: Final = np.array([0.114, 0.587, 0.299])

# More than what float32 changes of an 8-bit number times a factor up to 2.
_FLOAT32_ERROR: Final = 1e-4


def rgb_of_bgr(image_HWC: Image) -> Image:
    """The image with its channels in reverse order."""
    return cv2.cvtColor(image_HWC, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def grey_of_rgb(rgb: Pixels) -> Pixels:
    """8-bit grey of RGB values of shape (..., 3), with OpenCV 3's 14-bit weights; (...)."""
    red, green, blue = (rgb[..., channel].astype(np.int32) for channel in range(3))
    return ((4899 * red + 9617 * green + 1868 * blue + 8192) >> 14).astype(np.uint8)


def grey_car(image_HWC: Image, mask_HW: ByteMask) -> Image:
    """The RGB image with its car turned grey: the car's grey replaces the image wherever it is above 0.

    Args:
        image_HWC: RGB.
        mask_HW: above 0 for car.
    """
    car_HW = mask_HW > 0
    car_N3 = image_HWC[car_HW]
    grey_N1 = grey_of_rgb(car_N3)[:, None]
    result_HWC = image_HWC.copy()
    result_HWC[car_HW] = np.where(grey_N1 > 0, grey_N1, car_N3)
    return result_HWC


def equalise_luma(image_HWC: Image, clip_limit: float, tiles: tuple[int, int]) -> Image:
    """Contrast-limited adaptive histogram equalisation of the luma of a BGR image; `tiles` across and down."""
    yuv_HWC = cv2.cvtColor(image_HWC, cv2.COLOR_BGR2YUV)
    equalised_HW = cv2.createCLAHE(clipLimit=clip_limit, tileGridSize=tiles).apply(cv2.extractChannel(yuv_HWC, 0))
    cv2.insertChannel(equalised_HW, yuv_HWC, 0)
    return cv2.cvtColor(yuv_HWC, cv2.COLOR_YUV2BGR).astype(np.uint8, copy=False)


def scale_brightness_8_bits(image_HWC: Image, factor: float) -> Image:
    """The image times `factor`, clipped to its own maximum and truncated to 8 bits (released albu script)."""
    products, top = factor * np.arange(256), image_HWC.max()
    # Half of the smallest gap from a product to the next whole number, so floor(x) is round(x - 1/2 + below); OpenCV
    # rounds many pixels at once.
    below = (1 - (products % 1).max()) / 2
    if not 0 <= factor <= 2 or below < _FLOAT32_ERROR:
        return cv2.LUT(image_HWC, np.clip(products, 0, top).astype(np.uint8)).astype(np.uint8, copy=False)
    scaled_HWC = cv2.convertScaleAbs(image_HWC, alpha=factor, beta=below - 0.5)
    cv2.threshold(scaled_HWC, float(top), 0, cv2.THRESH_TRUNC, dst=scaled_HWC)
    return scaled_HWC.astype(np.uint8, copy=False)


@dataclass(frozen=True)
class Recolouring:
    """Changes of an RGB image in floats (released asanakoy script); factors, of which None changes nothing."""

    brightness: float | None
    contrast: float | None
    saturation: float | None
    grey: bool


UNCHANGED: Final = Recolouring(brightness=None, contrast=None, saturation=None, grey=False)


def recolour(image_HWC: Image, change: Recolouring) -> Image:
    """Brightness, contrast, saturation and grey of an RGB image, in this order, back to 8 bits by truncation.

    Brightness and contrast do the same to every equal value, so they are done to the 256 values that there are.
    """
    if change == UNCHANGED:
        return image_HWC
    levels = np.arange(256, dtype=np.float32) / np.float32(255)
    if change.brightness is not None:
        levels = scale_brightness(levels, change.brightness)
    if change.contrast is not None:
        levels = scale_contrast(levels, change.contrast, mean_luminance(image_HWC, levels))
    if change.saturation is None and not change.grey:
        return cv2.LUT(image_HWC, to_8_bits(levels)).astype(np.uint8, copy=False)
    result_HWC = np.empty_like(image_HWC)
    for rows in strips(len(image_HWC)):
        x_CHW = (
            _looked_up(cv2.split(image_HWC[rows]), [levels] * 3)
            if change.saturation is None
            else scale_saturation(image_HWC[rows], levels, change.saturation)
        )
        planes = [to_8_bits(luminance(x_CHW))] * 3 if change.grey else list(to_8_bits(x_CHW))
        cv2.merge(planes, dst=result_HWC[rows])
    return result_HWC


def to_8_bits(floats: Floats) -> Pixels:
    """Values in [0, 1] as 8 bits, truncated; any shape. The values themselves are lost: new memory takes longer."""
    floats *= 255
    return floats.astype(np.uint8)


def scale_brightness(floats: Floats, factor: float) -> Floats:
    """Values of any shape times `factor`, clipped to [0, 1]."""
    return np.asarray(np.clip(factor * floats, 0, 1))


def scale_contrast(floats: Floats, factor: float, mean: float) -> Floats:
    """Values of any shape blended with a constant, their image's mean luminance; 1 leaves them; clipped to [0, 1]."""
    return np.asarray(np.clip(factor * floats + (1 - factor) * mean, 0, 1))


def mean_luminance(image_HWC: Image, levels: Floats) -> float:
    """Mean luminance of an RGB image's pixels, where `levels` (256,) says what its 8-bit values stand for."""
    counts = [cv2.calcHist([image_HWC], [channel], None, [256], [0, 256]).ravel() for channel in range(3)]
    sums = np.stack(counts).astype(np.float64) @ levels.astype(np.float64)
    return float(LUMINANCE @ sums) / float(image_HWC.shape[0] * image_HWC.shape[1])


def scale_saturation(image_HWC: Image, levels: Floats, factor: float) -> Doubles:
    """An RGB image blended with its grey; `factor` 1 leaves it; clipped to [0, 1].

    What is done to one channel alone is done to the 256 values that there are, in the precision of `levels`.

    Args:
        image_HWC: RGB.
        levels: (256,), what the 8-bit values stand for.
        factor: of the image; the grey's is 1 - `factor`.

    Returns:
        x_CHW, float64.
    """
    planes = cv2.split(image_HWC)
    grey_HW, second_HW, third_HW = _looked_up(planes, [levels * weight for weight in LUMINANCE])
    # In place: new memory for every step takes a sixth more time.
    grey_HW += second_HW
    grey_HW += third_HW
    grey_HW *= 1 - factor
    x_CHW = _looked_up(planes, [factor * levels] * 3)
    x_CHW += grey_HW
    return np.clip(x_CHW, 0, 1, out=x_CHW)


def _looked_up(planes: Sequence[cv2.typing.MatLike], tables: Sequence[Floats]) -> Doubles:
    """What each (H, W) plane's table (256,) holds for its values; (C, H, W)."""
    x_CHW = np.empty((len(tables), *planes[0].shape))
    for plane_HW, table, x_HW in zip(planes, tables, x_CHW, strict=True):
        cv2.LUT(plane_HW, table.astype(np.float64), dst=x_HW)
    return x_CHW


def luminance(x_CHW: Floats) -> Doubles:
    """(H, W) float64: the weighted sum of the channels of an image (3, H, W), added in their order."""
    sum_HW = x_CHW[0] * LUMINANCE[0]
    sum_HW += x_CHW[1] * LUMINANCE[1]
    sum_HW += x_CHW[2] * LUMINANCE[2]
    return np.asarray(sum_HW)
