"""From the sums of a model's or recipe's networks to one map and one mask, as its author made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carvana.maps import ensemble
from carvana.recipe import Recipe


@dataclass(frozen=True)
class MergeRule:
    """How an author made one map, and a mask, of his networks' 8-bit maps; both take (uint16 sums, networks)."""

    merged: Callable[[ensemble.Sums, int], ensemble.Map]
    mask: Callable[[ensemble.Sums, int], npt.NDArray[np.bool_]]


def merge_rule(recipe: Recipe) -> MergeRule:
    """The rule of the recipe's author, from its sections `merge` and `submission`."""
    merged = ensemble.merge_truncated if recipe.merge.to_8_bits == "truncate" else ensemble.merge_rounded
    threshold = recipe.submission.threshold

    def mask_of_merged(sums: ensemble.Sums, networks: int) -> npt.NDArray[np.bool_]:
        return merged(sums, networks) >= threshold

    def mask_of_mean(sums: ensemble.Sums, networks: int) -> npt.NDArray[np.bool_]:
        return ensemble.mean_reaches(sums, networks, threshold)

    return MergeRule(merged, mask_of_merged if recipe.submission.of == "merged" else mask_of_mean)
