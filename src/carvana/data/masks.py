"""Reading, reducing and writing masks: uint8, 1 = car, 0 = not car."""

from __future__ import annotations

import io
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from carvana.arrays import BoolMask, ByteMask
from carvana.data.images import DECODER_ERRORS
from carvana.errors import UserError
from carvana.geometry import Geometry


def read_mask(path: Path) -> ByteMask:
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


def decode_mask(encoded: bytes) -> ByteMask:
    """As `read_mask`, from the file's bytes; the error's message does not name the file."""
    try:
        with Image.open(io.BytesIO(encoded)) as picture:
            stored_HW = np.asarray(picture)
    except DECODER_ERRORS as error:
        raise UserError("truncated or unreadable mask") from error
    if stored_HW.ndim != 2:
        raise UserError(f"mask has {stored_HW.shape[2]} channels, expected one")
    car_value = int(stored_HW.max())
    if stored_HW.dtype == np.uint8 and car_value <= 1:
        # Kaggle's: what is stored is the mask.
        return stored_HW.copy()
    car_HW = stored_HW > 0
    if car_value not in (0, 1, 255) or bool(np.any(car_HW & (stored_HW != car_value))):
        raise UserError("mask is not binary: expected only the values 0 and 1, or 0 and 255")
    return car_HW.astype(np.uint8)


def reduce_mask(mask_HW: ByteMask, geometry: Geometry) -> ByteMask:
    """The mask at the geometry's size: 1 where at least half of the target pixel's area is car.

    Computed in whole numbers: floating point would let the machine decide where exactly half is car.

    Args:
        mask_HW: uint8, 0 or 1, at least as large as the geometry's images.
        geometry: its `image_size` is the result's.
    """
    if mask_HW.shape == geometry.image_size:
        return mask_HW
    height, width = geometry.image_size
    # The integral image is bilinear between pixel corners, so its values at cut pixels are exact too.
    corner_sums = _at_boundaries(_at_boundaries(cv2.integral(mask_HW).astype(np.int64), height).T, width).T
    car_area_HW = np.diff(np.diff(corner_sums, axis=0), axis=1)
    pixel_area = math.lcm(mask_HW.shape[0], height) // height * (math.lcm(mask_HW.shape[1], width) // width)
    reduced_HW: ByteMask = (2 * car_area_HW >= pixel_area).astype(np.uint8)
    return reduced_HW


def write_mask(path: Path, mask_HW: ByteMask) -> None:
    """Write a 0/1 mask as an 8-bit grey PNG of 0 and 255."""
    Image.fromarray(mask_HW * np.uint8(255), mode="L").save(path, format="PNG")


def gif_of(mask_HW: BoolMask) -> bytes:
    """A mask in the competition's format: a GIF of mode P whose palette indices are 0 and 1."""
    picture = Image.fromarray(mask_HW.astype(np.uint8), mode="P")
    picture.putpalette([0, 0, 0, 255, 255, 255])
    stream = io.BytesIO()
    picture.save(stream, format="GIF", optimize=False)
    return stream.getvalue()


def _at_boundaries(sums: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Running sums over rows, interpolated at the boundaries of `count` equal spans, times what makes them whole.

    Args:
        sums: (rows + 1, columns), whole numbers; row r sums the rows before r.
        count: of spans.

    Returns:
        (count + 1, columns), in units of `count / gcd(rows, count)` per row.
    """
    rows = sums.shape[0] - 1
    parts_of_row = count // math.gcd(rows, count)
    boundaries_in_parts = np.arange(count + 1) * rows * parts_of_row // count
    before, parts_after = np.divmod(boundaries_in_parts, parts_of_row)
    sums_before = sums[before]
    sums_next = sums[np.minimum(before + 1, rows)]
    between: NDArray[np.int64] = sums_before * (parts_of_row - parts_after[:, None]) + sums_next * parts_after[:, None]
    return between
