"""Reading images, whole or not at all, and bringing them to a geometry."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image as PillowImage

from carvana.arrays import Image
from carvana.errors import UserError
from carvana.geometry import Geometry

JPEG_START: Final = b"\xff\xd8\xff"
_JPEG_END: Final = b"\xff\xd9"
_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_PNG_END: Final = b"IEND\xaeB`\x82"

# What Pillow's decoders raise on damaged files, beside its own UnidentifiedImageError (an OSError).
DECODER_ERRORS: Final = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    struct.error,
    zlib.error,
    PillowImage.DecompressionBombError,
)


def read_image(path: Path) -> Image:
    """The image as `cv2.imread` decodes it, which is what the released scripts read.

    Returns:
        image_HWC, uint8, 0..255, channels blue, green, red.

    Raises:
        UserError: the file cannot be read, is neither JPEG nor PNG, or is truncated (OpenCV alone would only print a
            warning).
    """
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check that it exists and is readable") from error
    if encoded and not encoded.startswith((JPEG_START, _PNG_START)):
        raise UserError(
            f"{path} is {_kind(encoded)}; a JPEG or PNG is wanted: convert it or, if it was one, restore it"
        )
    try:
        return decode_image(encoded)
    except UserError as error:
        raise UserError(f"{path}: {error}; restore the file and run again") from None


def decode_image(encoded: bytes) -> Image:
    """A JPEG's or PNG's pixels: image_HWC, uint8, 0..255, channels blue, green, red.

    Raises:
        UserError: no image, or truncated. The message does not name the file.
    """
    if not _is_complete(encoded):
        raise UserError("truncated or unreadable image")
    try:
        image_HWC = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise UserError(f"unreadable image ({error.err})") from error
    if image_HWC is None:
        raise UserError("unreadable image")
    return image_HWC.astype(np.uint8, copy=False)


def encoded_size(encoded: bytes) -> tuple[int, int]:
    """(height, width) in pixels from the file's header; no pixel is decoded.

    Raises:
        UserError: the header is not an image's.
    """
    try:
        with PillowImage.open(io.BytesIO(encoded)) as picture:
            return picture.height, picture.width
    except DECODER_ERRORS as error:
        raise UserError("unreadable image") from error


def reduce_image(image_HWC: Image, geometry: Geometry) -> Image:
    """The image at the geometry's size: the average over each target pixel's area, or the image itself if it fits.

    Args:
        image_HWC: uint8, at least as large as the geometry's images.
        geometry: its `image_size` is the result's.
    """
    height, width = geometry.image_size
    if image_HWC.shape[:2] == (height, width):
        return image_HWC
    return cv2.resize(image_HWC, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _kind(encoded: bytes) -> str:
    """What a file is, for a message: a kind of image that Pillow knows, or none."""
    try:
        with PillowImage.open(io.BytesIO(encoded)) as picture:
            return f"a {picture.format} file"
    except DECODER_ERRORS:
        return "no image of a known kind"


def _is_complete(encoded: bytes) -> bool:
    """Whether the file reaches its format's end marker.

    A JPEG may carry bytes after the marker; as a marker in the header (a thumbnail's) would hide a truncation,
    such a file is complete only if Pillow, which is strict, decodes it. The usual file costs no second decoding.
    """
    if encoded.endswith((_JPEG_END, _PNG_END)):
        return True
    if _JPEG_END not in encoded:
        return False
    try:
        with PillowImage.open(io.BytesIO(encoded)) as picture:
            picture.load()
    except DECODER_ERRORS:
        return False
    return True
