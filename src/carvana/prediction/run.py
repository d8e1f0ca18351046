"""What all jobs that use a model's trained networks begin with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from carvana.computing.forward import Forward, forward_in
from carvana.computing.runtime import configure
from carvana.computing.usable import require_usable
from carvana.data.imageset import ImageSet
from carvana.maps.mapstore import MapWriter
from carvana.prediction.conditions import Conditions
from carvana.prediction.networks import load_networks
from carvana.prediction.pipeline import Pipeline


def prepare(conditions: Conditions, images: ImageSet) -> tuple[list[Forward], Pipeline]:
    """The networks' forward passes, on their device, and the way of the images through them. Raises UserError."""
    configure(conditions.threads, conditions.precision, conditions.autotune)
    device = torch.device(conditions.device)
    require_usable([device], conditions.precision)
    forwards = [
        forward_in(network, conditions.precision, device)
        for network in load_networks(conditions.recipe, conditions.weights, device, conditions.folds)
    ]
    pipeline = Pipeline(conditions.recipe, conditions.geometry, images, device, conditions.workers, conditions.quiet)
    return forwards, pipeline


def sums_store(path: Path, names: Sequence[str], conditions: Conditions, networks: int) -> MapWriter:
    """The store, to be written, of sums of so many networks' maps of these images."""
    return MapWriter(path, names, conditions.geometry.image_size, "sums", conditions.recipe.model, networks)
