"""What everything costs that a GPU is for: `make bench-gpu`, meant to take less than eight minutes on one GPU.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --device cpu --geometry small --seconds 1   (to see that it runs)

Measured first is what the device can do: its matrix rate in every precision, and its memory bandwidth. Then, for every
recipe and precision, in both memory layouts and autotuned (`deterministic: false`): images per second of the forward
passes of a model's networks, alone and through the prediction pipeline from files to compressed maps; images per second
of training steps at the recipe's batch, on data that is on the device and through the loading processes; the most
memory; the shares of the matrix rate and of the bandwidth, by counted operations and bytes. At last LinkNet34 and
TernausNet are trained for a while on drawn images, and the GPU-hours of the whole reproduction are reckoned. The result
is written to benchmarks/results/<device and libraries>.json, after every row what there is of it.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
import yaml
from torch import nn

from benchmarks.results import ROOT, keep_result, write_result
from benchmarks.traffic import bytes_of_prediction, bytes_of_training
from carvana.catalogue import RECIPES, models_of
from carvana.computing.gpu import lease_one_if_free
from carvana.computing.precision import PRECISIONS
from carvana.computing.runtime import configure
from carvana.data.imageset import ImageSet
from carvana.data.intake import take_in
from carvana.data.manifest import Manifest
from carvana.data.synthetic.dataset import write_competition
from carvana.errors import UserError, main_guard
from carvana.geometry import FULL, GEOMETRIES, Geometry
from carvana.maps.mapstore import MapWriter
from carvana.networks.building import build_network
from carvana.networks.initialisation import initialise
from carvana.planning.cost import TRAINING_PASSES, gflops_of
from carvana.planning.forecast import full_size
from carvana.prediction.maps import sum_on_device
from carvana.prediction.pipeline import Pipeline
from carvana.provenance import package_versions
from carvana.recipe import Recipe, load_recipe
from carvana.training import parts
from carvana.training.batches import Batch, Loading
from carvana.training.draws import Draws
from carvana.training.loop import Course, begin, fit, train_epoch
from carvana.training.memory import CHECKPOINTED, GIB, Arrangement, bytes_needed
from carvana.training.prepared import Preparing, kept_where_it_pays
from carvana.training.records import EpochRecord
from carvana.training.slices import arranged
from carvana.training.split import split
from carvana.training.state import TrainingState
from carvana.transforms.protocol import build_transforms

# LinkNet34's variants cost the same but for CLAHE, which is the loading processes' work: the dearer one.
MODELS: Final = {recipe: models_of(recipe)[-1] for recipe in RECIPES}
LAYOUTS: Final = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
DTYPES: Final = {"exact": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16}


class Way(NamedTuple):
    """How a network is run: by the configuration's defaults, or otherwise.

    Attributes:
        layout: one of `LAYOUTS`, of memory.
        checkpointing: whether activations are computed twice.
        autotune: whether whatever is fastest is computed with, as with `deterministic: false`.
    """

    layout: str = "contiguous"
    checkpointing: bool = False
    autotune: bool = False


def ways_of(recipe: Recipe, precision: str) -> list[Way]:
    """Those to measure. Autotuned is the layout that each precision is expected to be fastest in."""
    ways = [Way(), Way("channels_last")]
    if precision == "exact" and recipe.recipe in CHECKPOINTED:
        ways.append(Way(checkpointing=True))
    if precision == "exact":
        ways.append(Way(autotune=True))
    if precision == "bf16":
        ways.append(Way("channels_last", autotune=True))
    return ways


@dataclass(frozen=True)
class Place:
    """Where and how long is measured.

    Attributes:
        device: of the tensors.
        geometry: of the images.
        seconds: of every measurement.
        workers: loading processes, and threads of the pipeline: the cores that a GPU has to itself.
        images: drawn, with masks.
        folder: for what trainings keep.
    """

    device: torch.device
    geometry: Geometry
    seconds: float
    workers: int
    images: Manifest
    folder: Path

    def wait(self) -> None:
        """Until the device has done all that it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def rate(self, work: Callable[[], int], rounds: int = 2) -> float:
        """How much `work` returns per second, after some rounds that do not count."""
        for _ in range(rounds):
            work()
        self.wait()
        begun, done = time.perf_counter(), 0
        while time.perf_counter() - begun < self.seconds:
            done += work()
            self.wait()
        return done / (time.perf_counter() - begun)


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


def with_shares(row: dict[str, Any], rates: dict[str, float], recipe: Recipe, place: Place, gflop: float) -> None:
    """Add to the row its shares of the matrix rate and of the bandwidth, by counted operations and bytes, and how much
    of the device's own speed loading leaves.
    """
    peak, precision, folds = rates[f"{row['precision']}_tflops"] * 1000, row["precision"], recipe.folds.count
    gflops = {"training": TRAINING_PASSES * gflop, "prediction": folds * (2 if recipe.prediction.mirror else 1) * gflop}
    moved: dict[str, Callable[[], float]] = {
        "training": lambda: bytes_of_training(recipe, place.geometry, precision, row["checkpointing"]),
        "prediction": lambda: folds * bytes_of_prediction(recipe, place.geometry, precision),
    }
    for kind, whole in (("training", "training_loaded"), ("prediction", "prediction_from_files")):
        if row.get(kind):
            row[f"{kind}_share_of_matrix_rate"] = row[kind] * gflops[kind] / peak
            row[f"{kind}_share_of_bandwidth"] = row[kind] * moved[kind]() / 1e9 / rates["bandwidth_gb_per_s"]
            if row.get(whole):
                row[f"{whole}_share"] = row[whole] / row[kind]


def really_trained(model: str, place: Place, seconds: float) -> dict[str, Any]:
    """A training by the recipe for as long as there is time; what validation says after its last whole epoch."""
    configure(1, "exact")
    recipe = load_recipe(model)
    loading, epochs = loading_of(recipe, place, place.workers), recipe.training.epochs
    network = network_of(recipe, place, "exact", Way(), training=True)
    objective = parts.objective(recipe, place.geometry)
    course = Course(recipe, objective, epochs, loading.training_batches, loading.validation_batches)
    records: list[EpochRecord] = []
    end = time.perf_counter() + seconds

    class TimeIsUpError(Exception):
        pass

    def on_rest(where: str) -> None:
        if where == "epoch" and time.perf_counter() > end:
            raise TimeIsUpError

    with suppress(TimeIsUpError):
        fit(course, begin(course, network), lambda _: None, records.append, on_rest)
    return {"model": model, "images": loading.training_images, "epochs": len(records), "validation": records[-1].valid}


def whole_hours(rows: list[dict[str, Any]], precision: str) -> dict[str, float | None]:
    """GPU-hours of the whole reproduction, by what was measured in full geometry; None where a recipe was not."""
    size = full_size(yaml.safe_load((ROOT / "config/published.yaml").read_text()))
    measured_of = {
        row["recipe"]: row
        for row in rows
        if row["precision"] == precision and Way(*(row[field] for field in Way._fields)) == Way()
    }
    training: list[float | None] = []
    prediction: list[float | None] = []
    for name in RECIPES:
        row, recipe, models = measured_of.get(name, {}), load_recipe(MODELS[name]), len(models_of(name))
        folds, epochs = recipe.folds.count, recipe.training.epochs
        replayed = 1 + 1 / recipe.training.hard_negative_period if recipe.training.hard_negative_period else 1
        loaded, alone, whole = (row.get(kind) for kind in ("training_loaded", "prediction", "prediction_from_files"))
        if loaded and alone:
            # By one network, which does not look at mirror images.
            validated = alone * folds * (2 if recipe.prediction.mirror else 1)
            seconds = size.train_images * epochs * ((folds - 1) / folds * replayed / loaded + 1 / folds / validated)
            training.append(models * folds * seconds / 3600)
        else:
            training.append(None)
        prediction.append(models * size.test_images / whole / 3600 if whole else None)
    return {"training": _sum_of_all(training), "prediction": _sum_of_all(prediction)}


def _sum_of_all(hours: Sequence[float | None]) -> float | None:
    known = [one for one in hours if one is not None]
    return sum(known) if len(known) == len(hours) else None


def relative_area(recipe: Recipe, geometry: Geometry) -> float:
    """Pixels of the network's input in this geometry, relative to the full one's."""
    (height, width), (full_height, full_width) = (
        one.unet_size if recipe.input.size == "square" else one.wide_size for one in (geometry, FULL)
    )
    return height * width / (full_height * full_width)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--geometry", choices=tuple(GEOMETRIES), default=FULL.name)
    parser.add_argument("--seconds", type=float, default=1.5, help="of every measurement")
    parser.add_argument("--training-seconds", type=float, default=40, help="of each of the two real trainings")
    parser.add_argument("--workers", type=int, default=2, help="cores that a GPU has to itself")
    given = parser.parse_args()
    if given.device == "cuda" and lease_one_if_free() == "cpu":
        raise UserError("there is no free GPU to measure; `--device cpu --geometry small` shows that it runs")
    device, geometry = torch.device(given.device), GEOMETRIES[given.geometry]
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.machine()
    conditions = {"device": name, "geometry": geometry.name, "packages": package_versions(), "seconds": given.seconds}
    gflops = gflops_of(yaml.safe_load((ROOT / "config/published.yaml").read_text()))
    names = [name, geometry.name, "torch", torch.__version__]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_competition(folder / "drawn", 2017, 3, 1, geometry.image_size, archives=False)
        images = take_in(folder / "drawn", "train", geometry, folder / "work", quiet=True)
        place = Place(device, geometry, given.seconds, given.workers, images, folder)
        rates = device_rates(place)
        rows: list[dict[str, Any]] = []
        print(rates, flush=True)
        document: dict[str, Any] = {"conditions": conditions, "device": rates, "rows": rows}
        for model in MODELS.values():
            recipe = load_recipe(model)
            gflop = gflops[recipe.recipe] * relative_area(recipe, geometry)
            for precision in PRECISIONS:
                for way in ways_of(recipe, precision):
                    row = measured(recipe, place, precision, way)
                    with_shares(row, rates, recipe, place, gflop)
                    rows.append(row)
                    print(row, flush=True)
                    keep_result(names, document)
        if geometry == FULL:
            document["hours_of_everything"] = {precision: whole_hours(rows, precision) for precision in PRECISIONS}
            print(document["hours_of_everything"])
        document["trainings"] = trainings = []
        for recipe_name in ("linknet34", "ternausnet"):
            trainings.append(really_trained(MODELS[recipe_name], place, given.training_seconds))
            keep_result(names, document)
    write_result(names, document)


if __name__ == "__main__":
    main_guard(main)
