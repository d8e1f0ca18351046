"""Stores of maps in, merged maps and tables of masks out, image by image."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import numpy as np

from carvana import rle
from carvana.arrays import BoolMask, Levels, Map, Sums
from carvana.errors import UserError
from carvana.files import write_table
from carvana.geometry import Geometry
from carvana.maps import ensemble, postprocess
from carvana.maps.mapstore import Kind, MapReader, MapWriter
from carvana.maps.merging import MergeRule
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


def open_store(path: Path, kind: Kind) -> MapReader:
    """Open a store of this kind.

    Raises:
        UserError: it is missing, damaged or of the other kind.
    """
    store = MapReader(path)
    if store.kind != kind:
        raise UserError(f"{path}: holds {store.kind}, expected {kind}; give the file that the right step made")
    return store


def check_same_images(images_of: Mapping[str, Set[str]]) -> None:
    """Stop unless all have the same images.

    Args:
        images_of: image names by what has them, such as a model or a recipe.

    Raises:
        UserError: one has images that the first has not, or the reverse.
    """
    (first, expected), *others = images_of.items()
    for other, images in others:
        if odd := sorted(expected ^ images):
            raise UserError(
                f"{first} and {other} have maps of different images: {len(odd)} are with one of them only"
                f" ({', '.join(odd[:10])}); make both from the same manifest"
            )


def images_of_all(images_of: Mapping[str, Set[str]], common: bool) -> tuple[str, ...]:
    """The images to join maps of, sorted.

    Args:
        images_of: image names by what has maps of them.
        common: whether one may have images that another has not; those that all have count.

    Raises:
        UserError: they have different images, or none in common.
    """
    if not common:
        check_same_images(images_of)
    names = sorted(set.intersection(*map(set, images_of.values())))
    if not names:
        raise UserError(f"{' and '.join(images_of)} have no image in common: choose released.folds that share cars")
    return tuple(names)


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


@dataclass
class EnsembleReport:
    """What the unreliable-top rule did to the images of one table.

    Attributes:
        images: their number.
        fired: names of those where it acted.
        top_clamped: names of those whose box would have begun above the image, where the released script fails.
    """

    images: int = 0
    fired: list[str] = field(default_factory=list)
    top_clamped: list[str] = field(default_factory=list)

    def add(self, name: str, box: postprocess.Box | None) -> None:
        """Count one more image."""
        self.images += 1
        if box is not None:
            self.fired.append(name)
            if box.top_was_clamped:
                self.top_clamped.append(name)


def ensemble_recipes(
    store_paths: Mapping[str, Path],
    geometry: Geometry,
    masks: Path,
    common: bool = False,
    note: Callable[[str, Levels, BoolMask], None] = lambda *_: None,
) -> EnsembleReport:
    """Make the ensemble's masks from the four recipes' 8-bit maps.

    Args:
        store_paths: the store of maps of each of the four recipes, by recipe.
        geometry: of the run.
        masks: the table to write, images sorted by name, with the further column `fired`: 1 where the
            unreliable-top rule acted, else 0.
        common: whether recipes may have different images; those that all have get masks.
        note: told of each image's name, unrounded mean map and mask, while they are at hand.

    Returns:
        On what images the rule acted.

    Raises:
        UserError: a store is missing or damaged, of another recipe, of other images than the rest, or not of the
            geometry's size.
    """
    report = EnsembleReport()
    with contextlib.ExitStack() as closing:
        stores = {recipe: closing.enter_context(open_store(path, "maps")) for recipe, path in store_paths.items()}
        for recipe, store in stores.items():
            if store.source != recipe:
                raise UserError(
                    f"{store_paths[recipe]}: maps of {store.source}, given as {recipe}'s; give each recipe its own maps"
                )
            if store.size_HW != geometry.image_size:
                raise UserError(
                    f"{store_paths[recipe]}: maps of {store.size_HW}, but the geometry {geometry.name} has"
                    f" {geometry.image_size}; make the maps again with this geometry"
                )
        names = images_of_all({recipe: set(store.names) for recipe, store in stores.items()}, common)

        def rows() -> Iterator[tuple[str, str, int]]:
            for name in names:
                maps = {recipe: cast("Map", store.read(name)) for recipe, store in stores.items()}
                mean_HW = ensemble.mean(list(maps.values()))
                result = postprocess.apply(mean_HW, maps["linknet34"], geometry)
                note(name, mean_HW, result.mask)
                report.add(name, result.box)
                yield name, rle.encode_as_published(result.mask), int(result.box is not None)

        write_table(masks, (*COLUMNS, "fired"), rows())
    return report
