"""Reading, reducing and writing masks: uint8, 1 = car, 0 = not car."""

from __future__ import annotations

import functools
import io
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from carvana.data.images import DECODER_ERRORS
from carvana.errors import UserError
from carvana.geometry import Geometry


def read_mask(path: Path) -> NDArray[np.uint8]:
    """A mask file's pixels, car where the stored value is above 0.

    Kaggle's masks are GIFs of mode P whose palette indices are 0 and 1; ours are PNGs of 0 and 255.

    Returns:
        mask_HW, uint8, 0 or 1.

    Raises:
        UserError: the file cannot be read, is damaged, has several channels or other values than these.
    """
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check that it exists and is readable") from error
    try:
        return decode_mask(encoded)
    except UserError as error:
        raise UserError(f"{path}: {error}; restore the file and run again") from None


def decode_mask(encoded: bytes) -> NDArray[np.uint8]:
    """As `read_mask`, from the file's bytes; the error's message does not name the file."""
    try:
        with Image.open(io.BytesIO(encoded)) as picture:
            stored_HW = np.asarray(picture)
    except DECODER_ERRORS as error:
        raise UserError("truncated or unreadable mask") from error
    if stored_HW.ndim != 2:
        raise UserError(f"mask has {stored_HW.shape[2]} channels, expected one")
    car_HW = stored_HW > 0
    car_value = int(stored_HW.max())
    if car_value not in (0, 1, 255) or bool(np.any(car_HW & (stored_HW != car_value))):
        raise UserError("mask is not binary: expected only the values 0 and 1, or 0 and 255")
    return car_HW.astype(np.uint8)


def reduce_mask(mask_HW: NDArray[np.uint8], geometry: Geometry) -> NDArray[np.uint8]:
    """The mask at the geometry's size: 1 where at least half of the target pixel's area is car.

    Computed in whole numbers, so the result is the same on every machine.

    Args:
        mask_HW: uint8, 0 or 1, at least as large as the geometry's images.
        geometry: its `image_size` is the result's.
    """
    if mask_HW.shape == geometry.image_size:
        return mask_HW
    rows = _overlaps(mask_HW.shape[0], geometry.image_size[0])
    columns = _overlaps(mask_HW.shape[1], geometry.image_size[1])
    # float32 for the speed of its matrix product; every sum is a whole number far below 2 ** 24, hence exact.
    car_area_HW = rows @ mask_HW.astype(np.float32) @ columns.T
    pixel_area = rows[0].sum() * columns[0].sum()
    reduced_HW: NDArray[np.uint8] = (2 * car_area_HW >= pixel_area).astype(np.uint8)
    return reduced_HW


def write_mask(path: Path, mask_HW: NDArray[np.uint8]) -> None:
    """Write a 0/1 mask as an 8-bit grey PNG of 0 and 255."""
    Image.fromarray(mask_HW * np.uint8(255), mode="L").save(path, format="PNG")


@functools.cache
def _overlaps(source: int, target: int) -> NDArray[np.float32]:
    """Lengths of source pixels inside target pixels, (target, source), in the largest unit that makes them whole."""
    shared = math.gcd(source, target)
    source_length, target_length = target // shared, source // shared
    source_start = np.arange(source) * source_length
    target_start = np.arange(target)[:, None] * target_length
    end = np.minimum(source_start + source_length, target_start + target_length)
    overlaps: NDArray[np.float32] = np.clip(end - np.maximum(source_start, target_start), 0, None).astype(np.float32)
    return overlaps
