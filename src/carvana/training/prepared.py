"""Images and masks before augmentation, by name."""

from __future__ import annotations

import contextlib
import math
import mmap
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from carvana.arrays import Pixels
from carvana.interruption import say
from carvana.training.compression import compress, decompress
from carvana.training.pixels import PixelSource
from carvana.transforms.protocol import Transforms

CHANNELS: Final = 4
"""The image's, and the mask."""


class Prepared(Protocol):
    """Prepared images by name."""

    def of(self, name: str) -> Pixels:
        """prepared_HW4, see `Transforms`; callers do not write to it."""


@dataclass(frozen=True)
class Preparing:
    """Prepares an image whenever it is asked for."""

    pixels: PixelSource
    transforms: Transforms[object]

    def of(self, name: str) -> Pixels:
        """As `Prepared`."""
        return self.transforms.prepare(self.pixels.image(name), self.pixels.mask(name))


class DiskCache:
    """Prepared images that are kept once they are made, for all loading processes of one training.

    They are in a file without a name, which is gone with the last of these processes, however that ends. A photo of the
    competition, of 1024 x 1024 pixels, takes 0.86 MB and 4 ms of a core to come back, where to decode and to resize it
    again takes eight times as long. What the disk would not take or not give back is made again.
    """

    def __init__(self, source: Prepared, names: Sequence[str], size_HW: tuple[int, int], folder: Path) -> None:
        """Processes that are to share this are forked later; `source` is asked for `names`, of this size, only."""
        self._source, self._shape_HW4 = source, (*size_HW, CHANNELS)
        self._places = {name: place for place, name in enumerate(names)}
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is open as long as this object is
        # Memory that forked processes share, and not copy; zeros.
        self._sizes = np.frombuffer(mmap.mmap(-1, len(names) * np.int64().itemsize), np.int64)

    def of(self, name: str) -> Pixels:
        """As `Prepared`."""
        place = self._places[name]
        if size := int(self._sizes[place]):
            with contextlib.suppress(OSError, ValueError):
                return decompress(os.pread(self._file.fileno(), size, self._offset(place)), self._shape_HW4)
        prepared_HW4 = self._source.of(name)
        self._keep(place, compress(prepared_HW4))
        return prepared_HW4

    def _keep(self, place: int, compressed: bytes) -> None:
        # Each image has a slot of its unpacked size, so no process waits for another one. The unwritten rest of a slot
        # is a hole in a sparse file.
        if len(compressed) > self._room:
            return
        with contextlib.suppress(OSError):
            if os.pwrite(self._file.fileno(), compressed, self._offset(place)) == len(compressed):
                # Last, so whoever sees it finds the whole image.
                self._sizes[place] = len(compressed)

    def _offset(self, place: int) -> int:
        return place * self._room

    @property
    def _room(self) -> int:
        return math.prod(self._shape_HW4)


def cached_if_resized(source: Preparing, names: Sequence[str], folder: Path) -> Prepared:
    """`source`, and what it makes is kept in a folder if it resizes images: only then is that much faster.

    Args:
        source: what prepares the images.
        names: of all images that will be asked for.
        folder: must have room for all of them unpacked, or none is kept, and a message says so.
    """
    if not source.transforms.resizes:
        return source
    size_HW = source.transforms.size
    needed, free = len(names) * math.prod(size_HW) * CHANNELS, shutil.disk_usage(folder).free
    if free < needed:
        say(
            f"{folder} has {free / 1e9:.1f} GB free and {needed / 1e9:.1f} GB could be needed: resized images are not"
            " kept, but made anew in every epoch, which takes longer"
        )
        return source
    return DiskCache(source, names, size_HW, folder)
