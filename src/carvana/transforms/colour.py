"""Colour transforms with explicit parameters, as the libraries of 2017 computed them.

Shape: image_HWC is (H, W, 3) uint8, or float in [0, 1] where said. Nothing is changed in place.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]

IMAGENET_MEAN: Final[npt.NDArray[np.float32]] = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_STD: Final[npt.NDArray[np.float32]] = np.array([0.229, 0.224, 0.225], np.float32)

# Weights of blue, green and red, which the released U-Net scripts apply to red, green and blue.
LUMINANCE: Final = np.array([0.114, 0.587, 0.299])

# 8-bit hue counts half degrees; saturation and value count 255ths.
_HSV_TO_FLOAT: Final = np.array([2.0, 1 / 255, 1 / 255], dtype=np.float32)


def shift_hsv(image_HWC: Image, hue: float, saturation: float, value: float) -> Image:
    """Shift the 8-bit HSV channels of an image that is read as blue, green, red.

    Every shift is rounded to an integer first (half to even) and added with saturation at 0 and 255, so hue neither
    wraps below 0 nor stops at 180.

    Args:
        image_HWC: the image.
        hue: shift in half degrees.
        saturation: shift in 255ths.
        value: shift in 255ths.
    """
    hsv_HWC = cv2.cvtColor(image_HWC, cv2.COLOR_BGR2HSV)
    # A table per channel, since all pixels of a channel are shifted alike.
    levels = np.arange(256)
    table = np.stack([np.clip(levels + np.rint(shift), 0, 255) for shift in (hue, saturation, value)], axis=-1)
    shifted_HWC = np.asarray(cv2.LUT(hsv_HWC, table.astype(np.uint8)[None]))
    # OpenCV 4 truncates in its 8-bit conversion back, OpenCV 3 rounded: so through float32, rounded here.
    bgr_HWC = cv2.cvtColor(shifted_HWC * _HSV_TO_FLOAT, cv2.COLOR_HSV2BGR)
    return np.asarray(np.rint(bgr_HWC * np.float32(255)), dtype=np.uint8)


def grey_of_rgb(image_HWC: Image) -> Image:
    """8-bit grey of an RGB image with OpenCV 3's 14-bit weights; (H, W)."""
    red, green, blue = (image_HWC[..., channel].astype(np.int32) for channel in range(3))
    return ((4899 * red + 9617 * green + 1868 * blue + 8192) >> 14).astype(np.uint8)


def grey_car(image_HWC: Image, mask_HW: npt.NDArray[np.generic]) -> Image:
    """The RGB image with its car turned grey: the car's grey replaces the image wherever it is above 0.

    Args:
        image_HWC: RGB.
        mask_HW: 0 or 1.
    """
    grey_HW = grey_of_rgb(image_HWC * mask_HW.astype(np.uint8)[..., None])
    return np.where(grey_HW[..., None] > 0, grey_HW[..., None], image_HWC)


def equalise_luma(image_HWC: Image, clip_limit: float, tiles: tuple[int, int]) -> Image:
    """Contrast-limited adaptive histogram equalisation of the luma of a BGR image; `tiles` across and down."""
    yuv_HWC = cv2.cvtColor(image_HWC, cv2.COLOR_BGR2YUV)
    yuv_HWC[..., 0] = cv2.createCLAHE(clipLimit=clip_limit, tileGridSize=tiles).apply(yuv_HWC[..., 0])
    return cv2.cvtColor(yuv_HWC, cv2.COLOR_YUV2BGR).astype(np.uint8, copy=False)


def scale_brightness_8_bits(image_HWC: Image, factor: float) -> Image:
    """The image times `factor`, clipped to its own maximum and truncated to 8 bits (released albu script)."""
    levels = np.clip(factor * np.arange(256), 0, image_HWC.max()).astype(np.uint8)
    return np.asarray(cv2.LUT(image_HWC, levels)).astype(np.uint8, copy=False)


def scale_brightness(image_HWC: Floats, factor: float) -> Floats:
    """The float image times `factor`, clipped to [0, 1]."""
    return np.asarray(np.clip(factor * image_HWC, 0, 1))


def scale_contrast(image_HWC: Floats, factor: float) -> Floats:
    """The float image blended with a constant, its mean luminance; `factor` 1 leaves it; clipped to [0, 1]."""
    luminance = image_HWC * LUMINANCE
    constant = float(3 * (1 - factor) / luminance.size * luminance.sum())
    return np.asarray(np.clip(factor * image_HWC + constant, 0, 1))


def scale_saturation(image_HWC: Floats, factor: float) -> Floats:
    """The float image blended with its grey; `factor` 1 leaves it; clipped to [0, 1]."""
    return np.asarray(np.clip(factor * image_HWC + (1 - factor) * grey(image_HWC), 0, 1))


def grey(image_HWC: Floats) -> Floats:
    """The luminance of every pixel, in three equal channels."""
    return np.repeat((image_HWC * LUMINANCE).sum(axis=2, keepdims=True), 3, axis=2)


def to_network(image_HWC: Image, normalised: bool) -> npt.NDArray[np.float32]:
    """(3, H, W) float32: the image divided by 255 and, if asked, brought to ImageNet's mean and deviation."""
    x_HWC: npt.NDArray[np.float32] = image_HWC.astype(np.float32) / np.float32(255)
    if normalised:
        x_HWC = (x_HWC - IMAGENET_MEAN) / IMAGENET_STD
    return np.ascontiguousarray(x_HWC.transpose(2, 0, 1))
