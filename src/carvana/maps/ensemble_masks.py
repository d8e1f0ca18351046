"""The four recipes' stores of maps in, the ensemble's table of masks out, image by image."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from carvana import rle
from carvana.arrays import BoolMask, Levels, Map
from carvana.errors import UserError
from carvana.files import write_table
from carvana.geometry import Geometry
from carvana.maps import ensemble, postprocess
from carvana.maps.stores import images_of_all, open_store
from carvana.submission.mask_table import COLUMNS


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
