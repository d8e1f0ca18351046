"""Stores of networks' sums in, merged maps and a table of masks out, image by image."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from carvana import rle
from carvana.arrays import Sums
from carvana.errors import UserError
from carvana.files import write_table
from carvana.maps.mapstore import MapReader, MapWriter
from carvana.maps.merging import MergeRule
from carvana.maps.stores import images_of_all, open_store
from carvana.submission.mask_table import COLUMNS


class NetworkSums:
    """Sums over all networks of one or more models, from their stores of sums. Use as a context manager.

    A model may have several stores, of different images; all models must have the same images.

    Args:
        paths: of the stores.
        common: whether models may have different images; those that all have are then the images.

    Attributes:
        names: image names, sorted.
        size_HW: size of the maps.
        networks: number of networks behind each sum.

    Raises:
        UserError: a store is missing or damaged, or the stores do not belong together.
    """

    def __init__(self, paths: Sequence[Path], common: bool = False) -> None:
        with contextlib.ExitStack() as closing:
            stores = {path: closing.enter_context(open_store(path, "sums")) for path in paths}
            self._of_model = _group_by_model(stores)
            images_of = {model: of_image.keys() for model, of_image in self._of_model.items()}
            self.names = images_of_all(images_of, common)
            self._closing = closing.pop_all()
        models = [next(iter(of_image.values())) for of_image in self._of_model.values()]
        self.size_HW = models[0].size_HW
        self.networks = sum(store.networks for store in models)

    def read(self, name: str) -> Sums:
        """(H, W) uint16: the sum of the image's 8-bit maps over all networks."""
        total = np.zeros(self.size_HW, np.uint16)
        for of_image in self._of_model.values():
            total += of_image[name].read(name)
        return total

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing.close()


def _group_by_model(stores: Mapping[Path, MapReader]) -> dict[str, dict[str, MapReader]]:
    """The store that has an image's sums, by model and image name; raises as `NetworkSums`."""
    of_model: dict[str, dict[str, MapReader]] = {}
    networks: dict[str, int] = {}
    size_HW = next(iter(stores.values())).size_HW
    for path, store in stores.items():
        of_image = of_model.setdefault(store.source, {})
        if repeated := of_image.keys() & set(store.names):
            raise UserError(f"{path}: {min(repeated)} of {store.source} is in another of the given stores too")
        if networks.setdefault(store.source, store.networks) != store.networks or store.size_HW != size_HW:
            raise UserError(f"{path}: another number of networks or image size than the other stores")
        of_image.update(dict.fromkeys(store.names, store))
    return of_model


def merge_networks(
    store_paths: Sequence[Path], rule: MergeRule, source: str, masks: Path, maps: Path | None, common: bool = False
) -> None:
    """Merge the networks of a model or recipe as its author did, into one mask and 8-bit map per image.

    Args:
        store_paths: stores of sums; see `NetworkSums`.
        rule: the author's.
        source: name of the model or recipe, recorded in the store of maps.
        masks: the table of masks to write, images sorted by name.
        maps: the store of 8-bit maps to write, if one is wanted.
        common: see `NetworkSums`.
    """
    with NetworkSums(store_paths, common) as sums, contextlib.ExitStack() as closing:
        store = None
        if maps is not None:
            writer = MapWriter(maps, sums.names, sums.size_HW, "maps", source, sums.networks)
            store = closing.enter_context(writer)

        def rows() -> Iterator[tuple[str, str]]:
            for name in sums.names:
                sums_HW = sums.read(name)
                if store is not None:
                    store.write(name, rule.merged(sums_HW, sums.networks))
                yield name, rle.encode_as_published(rule.mask(sums_HW, sums.networks))

        write_table(masks, COLUMNS, rows())
