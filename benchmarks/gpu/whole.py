"""Real trainings for a while, and the hours of the whole reproduction."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from benchmarks.gpu.place import MODELS, Place, Way
from benchmarks.gpu.rates import draws_of, loading_of
from benchmarks.results import ROOT
from carvana.catalogue import RECIPES, models_of
from carvana.computing.runtime import configure
from carvana.errors import UserError
from carvana.planning.cost import full_size
from carvana.reading import read_yaml
from carvana.recipe_files import load_recipe
from carvana.training import parts
from carvana.training.callbacks import EpochRecord
from carvana.training.loop import Course, begin, fit
from carvana.training.run import initial_network
from carvana.training.slices import arranged


def really_trained(model: str, place: Place, seconds: float) -> dict[str, Any]:
    """A training by the recipe for as long as there is time; what validation says after its last whole epoch, or why
    there is none.
    """
    try:
        return _trained(model, place, seconds)
    except (RuntimeError, UserError) as error:
        return {"model": model, "error": str(error)[:300]}


def _trained(model: str, place: Place, seconds: float) -> dict[str, Any]:
    configure(1, "exact")
    recipe = load_recipe(model)
    loading, epochs = loading_of(recipe, place, place.workers), recipe.training.epochs
    network = initial_network(recipe, draws_of(recipe), None).to(place.device)
    forward = arranged(network.train(), "exact", [place.device], activation_checkpointing=False)
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
        fit(course, begin(course, network, forward), lambda _: None, records.append, on_rest)
    return {"model": model, "images": loading.training_images, "epochs": len(records), "validation": records[-1].valid}


def whole_hours(rows: list[dict[str, Any]], precision: str) -> dict[str, float | None]:
    """GPU-hours of the whole reproduction, by what was measured in full geometry; None where a recipe was not."""
    size = full_size(read_yaml(ROOT / "config/published.yaml"))
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
