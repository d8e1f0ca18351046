"""Images as few bytes, without loss, in a third of the time that a PNG takes to unpack.

By the compressor that maps are stored with, on planes of one channel each. HDF5 lends it only for the chunks of a file,
so there is one, in memory, for each image.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import cv2
import h5py
import hdf5plugin
import numpy as np

from carvana.arrays import Pixels

_COMPRESSION_LEVEL: Final = 1
_CHECKSUM_BYTES: Final = 4
_FIRST: Final = (0, 0, 0)
_ALL_FILTERS: Final = 0


def compress(image_HWC: Pixels) -> bytes:
    """The image compressed, behind a checksum.

    Args:
        image_HWC: uint8, of up to four channels.
    """
    with _chunk(image_HWC.shape) as chunk_CHW:
        chunk_CHW[...] = cv2.split(image_HWC)
        chunk_CHW.flush()
        filters, compressed = chunk_CHW.id.read_direct_chunk(_FIRST)
        assert filters == _ALL_FILTERS
        return _checksum(compressed) + bytes(compressed)


def decompress(compressed: bytes, shape_HWC: tuple[int, ...]) -> Pixels:
    """The image of this shape that was compressed: image_HWC, uint8, contiguous.

    Raises:
        ValueError: these are not the bytes that `compress` made.
    """
    checksum, compressed = compressed[:_CHECKSUM_BYTES], compressed[_CHECKSUM_BYTES:]
    # First: HDF5's own, Fletcher-32, kills the process where less than four bytes are left.
    if not compressed or checksum != _checksum(compressed):
        raise ValueError("a compressed image is damaged")
    with _chunk(shape_HWC) as chunk_CHW:
        chunk_CHW.id.write_direct_chunk(_FIRST, compressed)
        planes: list[Pixels] = list(chunk_CHW[...])
    return cv2.merge(planes).astype(np.uint8, copy=False)


def _checksum(compressed: bytes) -> bytes:
    return zlib.adler32(compressed).to_bytes(_CHECKSUM_BYTES, "big")


@contextmanager
def _chunk(shape_HWC: tuple[int, ...]) -> Iterator[h5py.Dataset]:
    height, width, channels = shape_HWC
    shape_CHW = (channels, height, width)
    with h5py.File("one image", "w", driver="core", backing_store=False) as file:
        zstandard = hdf5plugin.Zstd(clevel=_COMPRESSION_LEVEL)
        yield file.create_dataset("planes", shape_CHW, np.uint8, chunks=shape_CHW, **zstandard)
