"""What trainings and predictions cost, from counted operations, on the card that the authors measured theirs on."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from carvana.geometry import FULL, Geometry
from carvana.recipe import Recipe
from carvana.training.stopwatch import TRAINING_PASSES


@dataclass(frozen=True)
class Size:
    """What a run is of.

    Attributes:
        train_images: their number.
        test_images: their number.
        area: of an image, relative to the competition's.
    """

    train_images: int
    test_images: int
    area: float = 1.0


def full_size(published: Mapping[str, Any]) -> Size:
    """The competition's."""
    counts = published["counts"]
    return Size(counts["train"]["images"], counts["test"]["images"])


def training_work(recipe: Recipe, gflop: float, size: Size, folds: int, epochs: int) -> float:
    """GFLOP of one network's training, its replayed batches and its validations included.

    Args:
        recipe: of the network.
        gflop: forward pass of one image.
        size: of the run.
        folds: that the training images are cut into.
        epochs: of the run.
    """
    period = recipe.training.hard_negative_period
    replayed = 1 / period if period else 0
    passes = TRAINING_PASSES * (1 - 1 / folds) * (1 + replayed) + 1 / folds
    return gflop * size.train_images * passes * epochs


def prediction_work(recipe: Recipe, gflop: float, images: int, networks: int) -> float:
    """GFLOP of the networks' maps of these images; a mirrored image is one more."""
    return gflop * images * networks * (2 if recipe.prediction.mirror else 1)


def priority(recipe: Recipe, gflops: Mapping[str, float]) -> int:
    """How early a training of the recipe should start; the longest is to be first, whatever a run shortens."""
    full = Size(train_images=1, test_images=0)
    return round(training_work(recipe, gflops[recipe.recipe], full, recipe.folds.count, recipe.training.epochs))


def finished_after(hours: Iterable[float], devices: int) -> float:
    """Hours until all jobs are done, the longest first, each on one of the devices."""
    free = [0.0] * devices
    for job in sorted(hours, reverse=True):
        heapq.heappush(free, heapq.heappop(free) + job)
    return max(free)


def gflops_of(published: Mapping[str, Any]) -> dict[str, float]:
    """Forward pass of one full-size image by recipe, in GFLOP."""
    return {recipe: float(value) for recipe, value in published["costs"]["forward_gflop"]["value"].items()}


def relative_area(recipe: Recipe, geometry: Geometry) -> float:
    """Pixels of the network's input in this geometry, relative to the full one's, as are the operations on it."""
    (height, width), (full_height, full_width) = (one.network_size(recipe.input.size) for one in (geometry, FULL))
    return height * width / (full_height * full_width)
