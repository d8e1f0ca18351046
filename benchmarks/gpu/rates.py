"""Rates of the device itself, and of trainings and predictions on it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from benchmarks.gpu.place import LAYOUTS, Place, Way
from carvana.computing.precision import PRECISIONS
from carvana.computing.runtime import configure
from carvana.data.imageset import ImageSet
from carvana.errors import UserError
from carvana.maps.mapstore import MapWriter
from carvana.networks.building import build_network
from carvana.networks.initialisation import initialise
from carvana.prediction.maps import sum_on_device
from carvana.prediction.pipeline import Pipeline
from carvana.recipe import Recipe
from carvana.training import parts
from carvana.training.batches import Batch, Loading
from carvana.training.draws import Draws
from carvana.training.loop import train_epoch
from carvana.training.memory import GIB, Arrangement, bytes_needed
from carvana.training.prepared import Preparing, kept_where_it_pays
from carvana.training.slices import arranged
from carvana.training.split import split
from carvana.training.state import TrainingState
from carvana.transforms.protocol import build_transforms

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


def network_of(recipe: Recipe, place: Place, precision: str, way: Way, training: bool) -> nn.Module:
    """A network with random weights."""
    network = build_network(recipe)
    initialise(network, recipe.network.encoder, torch.Generator().manual_seed(0))
    network = network.to(place.device, memory_format=LAYOUTS[way.layout])  # type: ignore[call-overload]
    return arranged(network.train(training), precision, [place.device], way.checkpointing)


def loading_of(recipe: Recipe, place: Place, workers: int) -> Loading:
    """The batches of a training on the drawn cars; the last car validates."""
    folds = {car: int(car != place.images.cars[-1]) for car in place.images.cars}
    draws = Draws(0, recipe.seed, recipe.model, 0)
    transforms = build_transforms(recipe, place.geometry)
    pixels = ImageSet(place.images)
    source, names = Preparing(pixels, transforms), place.images.names
    return Loading(
        recipe=recipe,
        split=split(place.images, folds, 0),
        pixels=pixels,
        prepared=kept_where_it_pays(source, names, place.folder),
        transforms=transforms,
        draws=draws,
        epochs=1,
        device=place.device,
        workers=workers,
    )


def training_rates(recipe: Recipe, place: Place, precision: str, way: Way) -> dict[str, float]:
    """Images per second of training steps: on one batch that is on the device, and on batches as they are loaded."""
    configure(1, precision, way.autotune)
    network = network_of(recipe, place, precision, way, training=True)
    state = TrainingState(network, parts.optimizer(recipe, recipe.optimizer.name, network))
    objective = parts.objective(recipe, place.geometry)
    kept = next(iter(loading_of(recipe, place, 0).training_batches(0)))
    if way.layout == "channels_last":
        kept = replace(kept, images_N3HW=kept.images_N3HW.contiguous(memory_format=torch.channels_last))

    def steps(batches: Iterator[Batch]) -> int:
        done = list(islice(batches, recipe.training.accumulate))
        train_epoch(recipe, objective, state, done, lambda _: None)
        return sum(len(batch.names) for batch in done)

    found = {"training": place.rate(lambda: steps(cycle([kept])))}
    if way == Way():
        loading = loading_of(recipe, place, place.workers)
        endless = (batch for epoch in range(10**6) for batch in loading.training_batches(epoch))
        found["training_loaded"] = place.rate(lambda: steps(endless))
    return found


def prediction_rates(recipe: Recipe, place: Place, precision: str, way: Way) -> dict[str, float]:
    """Images per second, each through as many networks as there are folds: on the device, and from files to files."""
    configure(1, precision, way.autotune)
    networks = [network_of(recipe, place, precision, way, training=False)] * recipe.folds.count
    size = place.geometry.wide_size if recipe.input.size != "square" else place.geometry.unet_size
    image_3HW, image_size = torch.rand(3, *size, device=place.device), place.geometry.image_size

    def forward() -> int:
        sum_on_device(networks, image_3HW, recipe, image_size)
        return 1

    found = {"prediction": place.rate(forward)}
    if way == Way():
        pipeline = Pipeline(recipe, place.geometry, ImageSet(place.images), place.device, place.workers, quiet=True)
        names = place.images.names

        def whole() -> int:
            with (
                tempfile.TemporaryDirectory() as folder,
                MapWriter(
                    Path(folder, "sums.h5"), names, place.geometry.image_size, "sums", recipe.model, len(networks)
                ) as store,
            ):
                pipeline.run(names, lambda _: networks, store.write)
            return len(names)

        # A round is all images.
        found["prediction_from_files"] = place.rate(whole, rounds=1)
    return found


def measured(recipe: Recipe, place: Place, precision: str, way: Way) -> dict[str, Any]:
    """Rates of training and, where activations are not computed twice, of prediction, and the most memory of each,
    beside what is counted of a training. What fails, as where it does not fit, says so, and the rest is measured.
    """
    arrangement = Arrangement(precision, 1, way.checkpointing)
    found: dict[str, Any] = {
        "recipe": recipe.recipe,
        "precision": precision,
        **way._asdict(),
        "training_gib_counted": bytes_needed(recipe, place.geometry, arrangement) / GIB,
    }
    kinds: dict[str, Callable[[], dict[str, float]]] = {
        "training": lambda: training_rates(recipe, place, precision, way)
    }
    if not way.checkpointing:
        kinds["prediction"] = lambda: prediction_rates(recipe, place, precision, way)
    for kind, rates in kinds.items():
        if place.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        try:
            found |= rates()
        except (RuntimeError, UserError) as error:
            found |= {kind: None, f"{kind}_error": str(error)[:300]}
        if place.device.type == "cuda":
            found[f"{kind}_gib"] = torch.cuda.max_memory_allocated() / GIB
    return found
