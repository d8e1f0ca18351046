"""Rates of the device itself, and of trainings and predictions on it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from benchmarks.gpu.place import LAYOUTS, Place, Way
from carvana.computing.forward import Forward
from carvana.computing.precision import PRECISIONS
from carvana.computing.runtime import configure
from carvana.data.imageset import ImageSet
from carvana.errors import UserError
from carvana.geometry import Geometry
from carvana.maps.mapstore import MapWriter
from carvana.networks.building import build_network
from carvana.prediction.maps import sum_on_device
from carvana.prediction.pipeline import Pipeline
from carvana.recipe import Recipe
from carvana.recipe_files import load_recipe
from carvana.training import parts
from carvana.training.batches import Batch
from carvana.training.draws import Draws
from carvana.training.loading import Loading
from carvana.training.loop import train_epoch
from carvana.training.memory import GIB
from carvana.training.memory_count import Arrangement, bytes_needed
from carvana.training.pixels import CachedMasks
from carvana.training.prepared import Preparing, cached_if_resized
from carvana.training.slices import arranged
from carvana.training.split import split
from carvana.training.state import TrainingState
from carvana.transforms.protocol import build_transforms

# Images that loading, and that prediction from files, are measured on.
_LOADED: Final = 8
_PREDICTED: Final = 8
_TIMES_IN_AN_EPOCH: Final = 64
# So often each process has met an image, on average, before loading is measured: all but one in fifty.
_TIMES_BEFORE: Final = 4

DTYPES: Final = {"exact": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16}


def device_rates(place: Place) -> dict[str, float]:
    """TFLOP/s of matrix products by precision, and GB/s of copying."""
    side = 8192 if place.device.type == "cuda" else 1024
    found = {}
    for precision in PRECISIONS:
        configure(1, precision)
        one, other = (torch.rand(side, side, device=place.device, dtype=DTYPES[precision]) for _ in range(2))

        def multiply(one: torch.Tensor = one, other: torch.Tensor = other) -> int:
            torch.mm(one, other)
            return 1

        found[f"{precision}_tflops"] = place.rate(multiply) * 2 * side**3 / 1e12
    numbers = torch.rand(2**28 if place.device.type == "cuda" else 2**24, device=place.device)

    def copy() -> int:
        numbers.clone()
        return 1

    found["bandwidth_gb_per_s"] = place.rate(copy) * 2 * numbers.nbytes / 1e9
    return found


def network_of(recipe: Recipe, place: Place, precision: str, way: Way, training: bool) -> tuple[nn.Module, Forward]:
    """A network with PyTorch's own random weights, made where they are used: to draw the recipe's takes seconds."""
    with place.device:
        network = build_network(recipe)
    network = network.to(memory_format=LAYOUTS[way.layout]).train(training)
    return network, arranged(network, precision, [place.device], way.checkpointing)


def draws_of(recipe: Recipe) -> Draws:
    """The random draws of fold 0, seed 0."""
    return Draws(0, recipe.seed, recipe.model, 0)


def loading_of(recipe: Recipe, place: Place, workers: int, training: tuple[str, ...] | None = None) -> Loading:
    """The batches of a training on the drawn cars, or on the images of these names; the last car validates."""
    folds = {car: int(car != place.images.cars[-1]) for car in place.images.cars}
    transforms = build_transforms(recipe, place.geometry)
    pixels = CachedMasks(ImageSet(place.images))
    source, names = Preparing(pixels, transforms), place.images.names
    parted = split(place.images, folds, 0)
    return Loading(
        recipe=recipe,
        split=parted if training is None else replace(parted, training=training),
        pixels=pixels,
        prepared=cached_if_resized(source, names, place.folder),
        transforms=transforms,
        draws=draws_of(recipe),
        epochs=1,
        device=place.device,
        workers=workers,
    )


def training_rates(recipe: Recipe, place: Place, precision: str, way: Way, found: dict[str, Any]) -> None:
    """Into `found`: images per second of training steps, on one batch that is on the device, and on batches as they are
    loaded.
    """
    configure(1, precision, way.autotune)
    network, forward = network_of(recipe, place, precision, way, training=True)
    state = TrainingState(network, forward, parts.optimizer(recipe, recipe.optimizer.name, network))
    objective = parts.objective(recipe, place.geometry)
    kept = next(iter(loading_of(recipe, place, 0).training_batches(0)))
    if way.layout == "channels_last":
        kept = replace(kept, images_N3HW=kept.images_N3HW.contiguous(memory_format=torch.channels_last))

    def steps(batches: Iterator[Batch]) -> int:
        done = list(islice(batches, recipe.training.accumulate))
        train_epoch(recipe, objective, state, done, lambda _: None)
        return sum(len(batch.names) for batch in done)

    found["training"] = place.rate(lambda: steps(cycle([kept])))
    if way == Way():
        # A real training decodes and resizes most images in an earlier epoch, and seldom begins one: so there are few
        # images, many times, and every loading process has met them before.
        few = place.images.names[:_LOADED]
        loading = loading_of(recipe, place, place.workers, few * _TIMES_IN_AN_EPOCH)
        endless = (batch for epoch in count() for batch in loading.training_batches(epoch))
        met = 0
        while met < _TIMES_BEFORE * _LOADED * max(place.workers, 1):
            met += len(next(endless).names)
        found["training_loaded"] = place.rate(lambda: steps(endless))


def prediction_rates(recipe: Recipe, place: Place, precision: str, way: Way, found: dict[str, Any]) -> None:
    """Into `found`: images per second, each through as many networks as there are folds, on the device, and from files
    to files.
    """
    configure(1, precision, way.autotune)
    _, forward = network_of(recipe, place, precision, way, training=False)
    forwards = [forward] * recipe.folds.count
    size = place.geometry.network_size(recipe.input.size)
    image_3HW, image_size = torch.rand(3, *size, device=place.device), place.geometry.image_size

    def alone() -> int:
        sum_on_device(forwards, image_3HW, recipe, image_size)
        return 1

    found["prediction"] = place.rate(alone)
    if way == Way():
        pipeline = Pipeline(recipe, place.geometry, ImageSet(place.images), place.device, place.workers, quiet=True)

        def whole(names: Sequence[str]) -> int:
            with (
                tempfile.TemporaryDirectory() as folder,
                MapWriter(
                    Path(folder, "sums.h5"), names, place.geometry.image_size, "sums", recipe.model, len(forwards)
                ) as store,
            ):
                pipeline.run(names, lambda _: forwards, store.write)
            return len(names)

        whole(place.images.names[:1])
        found["prediction_from_files"] = place.rate(lambda: whole(place.images.names[:_PREDICTED]), rounds=0)


@cache
def gib_of_training(model: str, geometry: Geometry, precision: str, checkpointing: bool) -> float:
    """What a training holds at once, counted for deterministic algorithms, as is the default; once for all layouts."""
    configure(1, precision)
    return bytes_needed(load_recipe(model), geometry, Arrangement(precision, 1, checkpointing)) / GIB


def measured(recipe: Recipe, place: Place, precision: str, way: Way) -> dict[str, Any]:
    """Rates of training and, where activations are not computed twice, of prediction, and the most memory of each,
    beside what is counted of a training. What fails, as where it does not fit, says so, and the rest is measured.
    """
    found: dict[str, Any] = {
        "recipe": recipe.recipe,
        "precision": precision,
        **way._asdict(),
        "training_gib_counted": gib_of_training(recipe.model, place.geometry, precision, way.checkpointing),
    }
    for kind, rates in (("training", training_rates), ("prediction", prediction_rates)):
        if kind == "prediction" and way.checkpointing:
            continue
        if place.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            rates(recipe, place, precision, way, found)
        except (RuntimeError, UserError) as error:
            found |= {kind: found.get(kind), f"{kind}_error": str(error)[:300]}
        if place.device.type == "cuda":
            found[f"{kind}_gib"] = torch.cuda.max_memory_allocated() / GIB
    return found
