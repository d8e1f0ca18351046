"""What is written down beside an imported network, in the place of a training's record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carvana.provenance import package_versions
from carvana.recipe_files import Edition, resolved_document
from carvana.released.index import IMPORTED


def imported_record(
    model: str, edition: Edition, fold: int, run: Mapping[str, Any], found: Mapping[str, Any]
) -> dict[str, Any]:
    """The resolved recipe, and a section `run` that says where the network is from.

    Args:
        model: as recipes name it.
        edition: of the recipe.
        fold: that the network counts as.
        run: what the run says of all its networks.
        found: see `importing.import_network`.
    """
    told = {"model": model, "fold": fold, "edition": edition, **run, "weights": IMPORTED, **found}
    return resolved_document(model, edition=edition) | {"run": told | {"packages": package_versions()}}
