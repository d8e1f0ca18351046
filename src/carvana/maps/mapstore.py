"""Stored probability maps: one HDF5 file for the images of one shard.

A file holds the dataset `maps` (N, H, W), one chunk per image, and the dataset `names` (N,) of image names. Maps are
either `sums`, uint16 sums of the 8-bit maps of several networks, or `maps`, uint8. `h5py` opens a file once
`hdf5plugin` has been imported. Zstandard at level 2 makes files of PNG's size (59 to 72 kB for the sums and 31 to
38 kB for the 8-bit map of a 1280x1918 image) five to ten times faster than PNG does.

Every byte is under a checksum (Fletcher-32 over each image's compressed map, HDF5 1.10's own over the rest), and equal
content gives equal bytes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self, cast

import h5py
import hdf5plugin
import numpy as np

from carvana.arrays import Map, Sums
from carvana.errors import UserError
from carvana.files import whole_file

Kind = Literal["sums", "maps"]

DTYPES: Final[dict[Kind, type[np.unsignedinteger[Any]]]] = {"sums": np.uint16, "maps": np.uint8}
DESCRIPTIONS: Final[dict[Kind, str]] = {
    "sums": "sum over `networks` networks of their maps; one network's map is its probability of car x 255 as uint8",
    "maps": "probability of car x 255, merged from `networks` networks",
}
# The file format of HDF5 1.10, the first that puts checksums on all metadata.
FORMAT: Final = ("v110", "v110")
COMPRESSION_LEVEL: Final = 2


class MapWriter:
    """Writes the maps of a list of images, in its order; the file has its name only once it is complete.

    Use as a context manager; see `whole_file` for what an error or a kill leaves.

    Args:
        path: the file to make.
        names: image names in the order of writing, at least one, each once, ASCII.
        size_HW: size of every map.
        kind: `sums` (uint16) or `maps` (uint8).
        source: the model or recipe that the maps come from.
        networks: number of networks behind each map.

    Raises:
        ValueError: no or repeated names, or so many networks that a sum may not fit into 16 bits.
    """

    def __init__(
        self, path: Path, names: Sequence[str], size_HW: tuple[int, int], kind: Kind, source: str, networks: int
    ) -> None:
        if not names or len(set(names)) != len(names):
            raise ValueError("a map store needs at least one image name, and each once")
        if not 1 <= networks <= np.iinfo(np.uint16).max // 255:
            raise ValueError(f"16 bits hold sums of 1 to 257 maps, not of {networks}")
        self._path = path
        self._names = list(names)
        self._size_HW = size_HW
        self._kind: Kind = kind
        self._source = source
        self._networks = networks
        self._written = 0

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            partial = stack.enter_context(whole_file(self._path))
            self._create(stack.enter_context(h5py.File(partial, "w", libver=FORMAT)))
            self._closing = stack.pop_all()
        return self

    def _create(self, file: h5py.File) -> None:
        names = np.array(self._names, dtype=np.bytes_)
        file.create_dataset("names", data=names, chunks=names.shape, fletcher32=True)
        self._maps = file.create_dataset(
            "maps",
            (len(self._names), *self._size_HW),
            DTYPES[self._kind],
            chunks=(1, *self._size_HW),
            fletcher32=True,
            **hdf5plugin.Zstd(clevel=COMPRESSION_LEVEL),
        )
        # Fixed-length strings lie in the checksummed object header; variable-length ones would not.
        self._maps.attrs["kind"] = np.bytes_(self._kind)
        self._maps.attrs["description"] = np.bytes_(DESCRIPTIONS[self._kind])
        self._maps.attrs["source"] = np.bytes_(self._source)
        self._maps.attrs["networks"] = self._networks

    def write(self, name: str, map_HW: Sums | Map) -> None:
        """Append the map of the next image of the list.

        Raises:
            ValueError: not the next name, or not of the store's size and dtype.
        """
        if self._written == len(self._names) or name != self._names[self._written]:
            raise ValueError(f"{name} is not the next image of {self._path}")
        if map_HW.shape != self._size_HW or map_HW.dtype != self._maps.dtype:
            raise ValueError(f"{name}: {map_HW.dtype} {map_HW.shape}, expected {self._maps.dtype} {self._size_HW}")
        self._maps[self._written] = map_HW
        self._written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None and self._written != len(self._names):
            incomplete = ValueError(f"{self._path}: {self._written} of {len(self._names)} maps were written")
            self._closing.__exit__(ValueError, incomplete, None)
            raise incomplete
        self._closing.__exit__(kind, error, traceback)


class MapReader:
    """Reads a map store by name or in order. Use as a context manager.

    Attributes:
        names: image names in the store's order.
        size_HW: size of every map.
        kind: `sums` (uint16) or `maps` (uint8).
        source: the model or recipe that the maps come from.
        networks: number of networks behind each map.

    Raises:
        UserError: the file is missing, damaged or not a map store.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise UserError(f"{path}: no such map store; run the step that makes it")
        try:
            self._file = h5py.File(path, "r")
            self._maps = self._file["maps"]
            self.names = tuple(name.decode("ascii") for name in self._file["names"][()])
            attributes = dict(self._maps.attrs)
            self.kind = cast("Kind", attributes["kind"].decode("ascii"))
            self.source = str(attributes["source"].decode("ascii"))
            self.networks = int(attributes["networks"])
            self.size_HW = (int(self._maps.shape[1]), int(self._maps.shape[2]))
        except (OSError, RuntimeError, KeyError, ValueError, AttributeError) as error:
            raise UserError(
                f"{path}: not a readable map store ({error}); delete it and run the step that made it again"
            ) from error
        self._position = {name: position for position, name in enumerate(self.names)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def read(self, name: str) -> Sums | Map:
        """The (H, W) map of an image, uint16 or uint8 by the store's kind.

        Raises:
            UserError: the store has no such image, or its map is damaged.
        """
        if name not in self._position:
            raise UserError(f"{self._path}: holds no map of {name}")
        try:
            return cast("Sums | Map", self._maps[self._position[name]])
        except (OSError, RuntimeError) as error:
            raise UserError(
                f"{self._path}: the map of {name} is damaged ({error}); "
                "delete the file and run the step that made it again"
            ) from error

    def __iter__(self) -> Iterator[tuple[str, Sums | Map]]:
        for name in self.names:
            yield name, self.read(name)
