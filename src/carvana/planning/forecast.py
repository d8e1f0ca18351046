"""What a run will cost: jobs, hours of a device, disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from carvana.catalogue import recipe_of
from carvana.data.names import VIEWS_PER_CAR
from carvana.planning.cost import Size, finished_after, prediction_work, training_work
from carvana.planning.extent import gflop_of, size_of
from carvana.planning.plan import Plan
from carvana.planning.speeds import Kind, Speed, authors_speeds, speed_of
from carvana.pseudo_labels.choice import wanted_cars
from carvana.training.stopwatch import work

# Bytes per full-size image, measured on maps of real masks: summed maps of one model, merged maps of one recipe.
SUMS_BYTES: Final = 66_000
MAPS_BYTES: Final = 35_000
# A network's weights; the two states that are kept while it trains take four to six times as much.
WEIGHTS_BYTES: Final = {"ternausnet": 0.09e9, "linknet34": 0.09e9, "unet_scratch": 0.365e9, "unet_vgg11": 0.134e9}


@dataclass(frozen=True)
class Jobs:
    """The jobs of one model.

    Attributes:
        model: as recipes name it.
        trainings: their number.
        predictions: their number, out-of-fold validation included.
        training_hours: of one training, on all of its GPUs together.
        prediction_hours: of all predictions together.
        training_speed: that the hours come from.
        follows: the model whose trainings come before; none but for a second round.
    """

    model: str
    trainings: int
    predictions: int
    training_hours: float
    prediction_hours: float
    training_speed: Speed
    follows: str | None = None


def jobs_of(plan: Plan, models: Sequence[str], known: Mapping[tuple[Kind, str], float]) -> list[Jobs]:
    """The jobs of these models, which need nothing of what is there already."""
    authors, size = authors_speeds(plan.published), size_of(plan)
    found = []
    for model in models:
        recipe = plan.recipe(model)
        networks = len(plan.networks.folds(model))
        folds, gflop = plan.folds.number(recipe.folds.scheme), gflop_of(plan, recipe)
        epochs = plan.trainings.epochs(model)
        training = speed_of("train", recipe.recipe, known, authors)
        prediction = speed_of("predict", recipe.recipe, known, authors)
        pseudo_labelled, taught = _second_round(plan, model, size)
        extra = gflop * work(pseudo_labelled, 0) * epochs
        predicted = prediction_work(recipe, gflop, size.test_images, networks + taught)
        predicted += prediction_work(recipe, gflop, size.train_images, 1)
        found.append(
            Jobs(
                model=model,
                trainings=0 if plan.origins.is_imported(model) else networks,
                predictions=plan.config["shards"] * (1 + taught) + 1,
                training_hours=(training_work(recipe, gflop, size, folds, epochs) + extra) / training.value / 3600,
                prediction_hours=predicted / prediction.value / 3600,
                training_speed=training,
                follows=plan.second_round.first if model == plan.second_round.second else None,
            )
        )
    return found


def _second_round(plan: Plan, model: str, size: Size) -> tuple[int, int]:
    """Pseudo-labelled images that each training of the model has, and networks that predict test images for that."""
    rounds = plan.second_round
    if rounds.first is None or model != rounds.second:
        return 0, 0
    cars = wanted_cars(
        plan.config["pseudo_labels"]["cars"], rounds.labels.car_ratio, size.train_images // VIEWS_PER_CAR
    )
    taught = 0 if rounds.by_ensemble else len(plan.networks.folds(rounds.first))
    return min(cars * VIEWS_PER_CAR, size.test_images), taught


def hours_on(jobs: Sequence[Jobs], devices: int) -> float:
    """Hours on so many devices: all trainings, the longest first, then all predictions.

    However many devices there are, a second round's training comes after a first round's.
    """
    of_training = {job.model: job.training_hours for job in jobs if job.trainings}
    rounds = [of_training.get(job.follows or "", 0) + of_training.get(job.model, 0) for job in jobs]
    trainings = [job.training_hours for job in jobs for _ in range(job.trainings)]
    predictions = [job.prediction_hours / job.predictions for job in jobs for _ in range(job.predictions)]
    return max([finished_after(trainings, devices), *rounds]) + finished_after(predictions, devices)


def disk_bytes(plan: Plan, jobs: Sequence[Jobs]) -> float:
    """Of the results, without the competition's files and the states of running trainings."""
    size = size_of(plan)
    images = (size.train_images + size.test_images) * size.area
    recipes = {recipe_of(job.model, plan.edition) for job in jobs}
    weights = sum(
        len(plan.networks.folds(job.model)) * WEIGHTS_BYTES[recipe_of(job.model, plan.edition)] for job in jobs
    )
    return images * (len(jobs) * SUMS_BYTES + len(recipes) * MAPS_BYTES) + weights
