"""From the sums of a model's or recipe's networks to one map and one mask, as its author made them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from carvana.arrays import BoolMask, Map, Sums
from carvana.maps import ensemble
from carvana.recipe import Recipe


@dataclass(frozen=True)
class MergeRule:
    """How an author made one map, and a mask, of his networks' 8-bit maps; both take (uint16 sums, networks)."""

    merged: Callable[[Sums, int], Map]
    mask: Callable[[Sums, int], BoolMask]


def merge_rule(recipe: Recipe) -> MergeRule:
    """The rule of the recipe's author, from its sections `merge` and `submission`."""
    merged = ensemble.merge_truncated if recipe.merge.to_8_bits == "truncate" else ensemble.merge_rounded
    threshold = recipe.submission.threshold

    def mask_of_merged(sums: Sums, networks: int) -> BoolMask:
        return merged(sums, networks) >= threshold

    def mask_of_mean(sums: Sums, networks: int) -> BoolMask:
        return ensemble.mean_reaches(sums, networks, threshold)

    return MergeRule(merged, mask_of_merged if recipe.submission.of == "merged" else mask_of_mean)
