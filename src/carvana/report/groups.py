"""Dice of groups of images."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from carvana.report.analysis import ImageAnalysis

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Summary:
    """Values of one group.

    Attributes:
        count: number of values.
        mean: of the values.
        deviation: standard deviation, with n - 1; 0 for a single value.
        lowest: smallest value.
    """

    count: int
    mean: float
    deviation: float
    lowest: float


def summary(values: Iterable[float]) -> Summary:
    """Count, mean, spread and lowest of at least one value."""
    known = list(values)
    deviation = statistics.stdev(known) if len(known) > 1 else 0.0
    return Summary(len(known), statistics.fmean(known), deviation, min(known))


def by_group(rows: Iterable[ImageAnalysis], group: Callable[[ImageAnalysis], T]) -> dict[T, Summary]:
    """The ensemble's Dice by group, groups in the order of their first image."""
    values: dict[T, list[float]] = {}
    for row in rows:
        values.setdefault(group(row), []).append(row.ensemble)
    return {name: summary(dice) for name, dice in values.items()}


def by_share(rows: Sequence[ImageAnalysis], parts: int) -> dict[str, Summary]:
    """The ensemble's Dice by the car's share of the image, in `parts` groups of almost equal numbers of images."""
    ranked = sorted(rows, key=lambda row: row.area_share)
    edges = [len(ranked) * part // parts for part in range(parts + 1)]
    groups = [ranked[first:last] for first, last in itertools.pairwise(edges) if first < last]
    return {
        f"{group[0].area_share:.1%} to {group[-1].area_share:.1%}": summary(row.ensemble for row in group)
        for group in groups
    }
