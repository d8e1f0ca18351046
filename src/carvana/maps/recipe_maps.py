"""The recipes' maps of one image at once, in memory, where the workflow has a step and a store for each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from carvana.arrays import Map, Sums
from carvana.catalogue import RECIPES, merged_models
from carvana.maps.merging import merge_rule
from carvana.recipe_files import Edition, load_recipe


def recipe_maps(
    sums: Mapping[str, Sums] | Mapping[str, Map], networks: Mapping[str, int], edition: Edition
) -> dict[str, Map]:
    """Each recipe's (H, W) 8-bit map, in the ensemble's order, merged as its author did.

    Args:
        sums: (H, W) sums of the networks' 8-bit maps, by model.
        networks: how many are in each sum, by model.
        edition: of the recipes.
    """
    merged = {}
    for recipe in RECIPES:
        models = merged_models(recipe, edition)
        total_HW = np.stack([sums[model] for model in models]).sum(axis=0, dtype=np.uint16)
        rule = merge_rule(load_recipe(models[0], edition=edition))
        merged[recipe] = rule.merged(total_HW, sum(networks[model] for model in models))
    return merged
