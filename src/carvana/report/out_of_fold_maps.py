"""The maps that all models of the ensemble have of training images, by networks that were not trained on them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path

import numpy as np

from carvana.arrays import Map
from carvana.catalogue import RECIPES, merged_models, recipe_of
from carvana.errors import UserError
from carvana.maps.mapstore import MapReader
from carvana.maps.stores import images_of_all, open_store
from carvana.recipe_files import Edition


class OutOfFoldMaps:
    """The out-of-fold maps of all models. Use as a context manager through `opened_maps`.

    Attributes:
        names: of the images that all models have maps of.
        edition: of the models' recipes.
    """

    def __init__(self, stores: Mapping[str, MapReader], names: Set[str], edition: Edition) -> None:
        self._stores, self.names, self.edition = stores, names, edition

    def of(self, name: str) -> dict[str, Map]:
        """The image's (H, W) uint8 map by model. Raises UserError when a store lacks it or is damaged."""
        return {model: store.read(name).astype(np.uint8) for model, store in self._stores.items()}


@contextlib.contextmanager
def opened_maps(paths: Sequence[Path], edition: Edition, common: bool = False) -> Iterator[OutOfFoldMaps]:
    """Open the stores of out-of-fold maps, one of every model of the ensemble.

    Args:
        paths: of the stores.
        edition: of the models' recipes.
        common: whether models may have maps of different images; those that all have count.

    Raises:
        UserError: one is missing, damaged, of several networks or of other images than the rest; or a model has none.
    """
    with contextlib.ExitStack() as closing:
        stores = {store.source: store for store in (closing.enter_context(open_store(path, "sums")) for path in paths)}
        wanted = {model for recipe in RECIPES for model in merged_models(recipe, edition)}
        if set(stores) != wanted or any(store.networks != 1 for store in stores.values()):
            raise UserError(f"expected one store of out-of-fold maps of each of {', '.join(sorted(wanted))}")
        names = images_of_all({model: set(store.names) for model, store in stores.items()}, common)
        ordered = sorted(stores, key=lambda model: RECIPES.index(recipe_of(model, edition)))
        yield OutOfFoldMaps({model: stores[model] for model in ordered}, frozenset(names), edition)
