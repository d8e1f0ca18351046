"""What the published programs do to one image, written plainly: the baseline of the CPU benchmarks.

Each function does the steps of its recipe in config/recipes, one after the other, with the library calls of their time,
and makes no attempt to be fast or slow. Colours may differ by 1 from the golden values, since OpenCV's 8-bit HSV
changed.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from carvana.transforms import albu, asanakoy
from carvana.transforms.colour import UNCHANGED, Recolouring
from carvana.transforms.spatial import ShiftScaleRotate

Pixels = NDArray[Any]


def warp(array: Pixels, draw: ShiftScaleRotate) -> Pixels:
    """Shift, scale and rotate by four corners."""
    height, width = array.shape[:2]
    angle = math.radians(draw.angle)
    cosine, sine = draw.scale * math.cos(angle), draw.scale * math.sin(angle)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    centre = np.array([width / 2, height / 2])
    moved = (corners - centre) @ np.array([[cosine, -sine], [sine, cosine]]).T + centre
    moved += np.array([draw.shift_x, draw.shift_y])
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    return cv2.warpPerspective(
        array, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )


def shifted_hsv(image_HWC: Pixels, shifts: tuple[float, float, float]) -> Pixels:
    """Shift hue, saturation and value of an 8-bit image."""
    channels = cv2.split(cv2.cvtColor(image_HWC, cv2.COLOR_BGR2HSV))
    moved = [cv2.add(one, np.array([np.rint(shift)])) for one, shift in zip(channels, shifts, strict=True)]
    return np.asarray(cv2.cvtColor(cv2.merge(moved), cv2.COLOR_HSV2BGR))


def as_input(image_HWC: Pixels) -> Pixels:
    """(3, H, W) float32 in [0, 1]."""
    return np.ascontiguousarray(np.moveaxis(image_HWC, -1, 0).astype(np.float32) / 255)


def linknet34_sample(image_HWC: Pixels, mask_HW: Pixels, draw: albu.Draw, clahe: bool) -> tuple[Pixels, Pixels]:
    """One augmented training sample of LinkNet34 from the decoded image and its mask of 0 and 1."""
    if clahe:
        yuv_HWC = cv2.cvtColor(image_HWC, cv2.COLOR_BGR2YUV)
        yuv_HWC[..., 0] = cv2.createCLAHE(clipLimit=2.0, tileGridSize=(8, 8)).apply(yuv_HWC[..., 0])
        image_HWC = cv2.cvtColor(yuv_HWC, cv2.COLOR_YUV2BGR)
    image_HWC = cv2.copyMakeBorder(image_HWC, 0, 0, 0, 2, cv2.BORDER_CONSTANT, value=(0, 0, 0))
    mask_HW = cv2.copyMakeBorder(mask_HW * np.uint8(255), 0, 0, 0, 2, cv2.BORDER_CONSTANT, value=0)
    if draw.flip:
        image_HWC, mask_HW = cv2.flip(image_HWC, 1), cv2.flip(mask_HW, 1)
    if draw.geometry:
        image_HWC, mask_HW = warp(image_HWC, draw.geometry), warp(mask_HW, draw.geometry)
    if draw.brightness is not None:
        image_HWC = np.clip(draw.brightness * image_HWC, 0, image_HWC.max()).astype(np.uint8)
    if draw.hsv:
        image_HWC = shifted_hsv(image_HWC, draw.hsv)
    return as_input(image_HWC), mask_HW[None].astype(np.float32) / 255


def unet_sample(image: Path, mask: Path, draw: asanakoy.Draw, size: tuple[int, int]) -> tuple[Pixels, Pixels]:
    """One augmented training sample of a U-Net from the files of an image and its mask."""
    height, width = size
    with PillowImage.open(image) as opened:
        image_HWC = np.array(opened.resize((width, height), PillowImage.Resampling.BILINEAR))
    with PillowImage.open(mask) as opened:
        grey = PillowImage.fromarray(np.array(opened) * np.uint8(255))
        mask_HW = np.array(grey.resize((width, height), PillowImage.Resampling.BILINEAR))
    if draw.flip:
        image_HWC, mask_HW = cv2.flip(image_HWC, 1), cv2.flip(mask_HW, 1)
    if draw.geometry:
        image_HWC, mask_HW = warp(image_HWC, draw.geometry), warp(mask_HW, draw.geometry)
    if draw.colour != UNCHANGED:
        image_HWC = _recoloured(image_HWC, draw.colour)
    return as_input(image_HWC), (mask_HW[None] > 128).astype(np.float32)


def _recoloured(image_HWC: Pixels, change: Recolouring) -> Pixels:
    weights = np.array([[[0.114, 0.587, 0.299]]])
    x_HWC = image_HWC.astype(np.float32) / 255
    if change.brightness is not None:
        x_HWC = np.clip(change.brightness * x_HWC, 0, 1)
    if change.contrast is not None:
        grey_HWC = x_HWC * weights
        x_HWC = np.clip(change.contrast * x_HWC + (1 - change.contrast) * 3 / grey_HWC.size * grey_HWC.sum(), 0, 1)
    if change.saturation is not None:
        grey_HWC = np.sum(x_HWC * weights, axis=2, keepdims=True)
        x_HWC = np.clip(change.saturation * x_HWC + (1 - change.saturation) * grey_HWC, 0, 1)
    if change.grey:
        x_HWC = np.repeat(np.sum(x_HWC * weights, axis=2, keepdims=True), 3, axis=2)
    return (x_HWC * 255).astype(np.uint8)


def final_rle(maps: dict[str, Pixels]) -> str:
    """The ensemble's RLE of one full-size image from the recipes' four maps, with the unreliable-top rule."""
    mean_HW = np.zeros((1280, 1918), np.float32)
    for map_HW in maps.values():
        mean_HW += 0.25 * map_HW.astype(np.float32)
    linknet34_HW = maps["linknet34"]
    unsure_HW: Pixels = np.where((linknet34_HW > 30) & (linknet34_HW < 210), 255, 0).astype(np.uint8)
    unsure_HW = cv2.erode(unsure_HW, np.ones((2, 1), np.uint8), anchor=(0, 1), iterations=10)
    unsure_HW[640:] = 0
    car_HW = (mean_HW >= 128).astype(np.uint8)
    contours, _ = cv2.findContours(unsure_HW, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(contours, key=cv2.contourArea, default=None)
    if largest is not None and cv2.contourArea(largest) > 40_000:
        left, top, width, height = cv2.boundingRect(largest)
        rows, columns = slice(max(top - 50, 0), top + height + 50), slice(max(left - 50, 0), left + width + 50)
        sure_HW: Pixels = np.where(linknet34_HW[rows, columns] > 55, 255, 0).astype(np.uint8)
        contours, _ = cv2.findContours(sure_HW, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        cv2.fillPoly(sure_HW, [cv2.convexHull(max(contours, key=cv2.contourArea))], 255)
        car_HW = (mean_HW > 127).astype(np.uint8)
        car_HW[rows, columns] = sure_HW > 0
    return encoded(car_HW)


def encoded(mask_HW: Pixels) -> str:
    """RLE of a mask, its first and last pixel set to 0."""
    pixels = mask_HW.flatten()
    pixels[0] = pixels[-1] = 0
    changes = np.where(pixels[1:] != pixels[:-1])[0] + 2
    changes[1::2] = changes[1::2] - changes[:-1:2]
    return " ".join(str(number) for number in changes)


def decoded(rle: str, size_HW: tuple[int, int]) -> Pixels:
    """The mask of an RLE."""
    pixels = np.zeros(size_HW[0] * size_HW[1], np.uint8)
    numbers = [int(word) for word in rle.split()]
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        pixels[start - 1 : start - 1 + length] = 1
    return pixels.reshape(size_HW)
